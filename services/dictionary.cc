#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "model/bytes.h"
#include "model/operation.h"
#include "model/scenario.h"
#include "model/text.h"

// Prints a dictionary, in the format that libFuzzer and AFL++ read, for engines
// that mutate bytes and know nothing of scenarios: each kind of operation as
// the bytes that it is encoded as (model/bytes.h), and each fault on an attach.
namespace atsfuzz::services {
namespace {

using model::Operation;
using model::OperationKind;
using model::Scenario;

Scenario Machine() {
  return *model::Parse(
      "smmu s0\npf p0 smmu=s0 ats\nvf v1 of=p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\ndomain d1 smmu=s0 stage=2\n",
      "dictionary");
}

// The last operation's bytes: what it adds to those of the rest.
std::vector<uint8_t> BytesOf(const Operation& operation) {
  Scenario scenario = Machine();
  const size_t rest = model::Encode(scenario).size();
  scenario.operations.push_back(operation);
  const std::vector<uint8_t> bytes = model::Encode(scenario);
  return {bytes.begin() + static_cast<ptrdiff_t>(rest), bytes.end()};
}

// A keyword has letters, digits and underscores.
std::string Keyword(absl::string_view name) {
  std::string keyword(name);
  for (char& c : keyword) {
    if (c == '-' || c == ':') c = '_';
  }
  return keyword;
}

void Print(absl::string_view name, const Operation& operation) {
  std::string token;
  for (const uint8_t byte : BytesOf(operation)) {
    absl::StrAppendFormat(&token, "\\x%02x", byte);
  }
  std::printf("%s=\"%s\"\n", Keyword(name).c_str(), token.c_str());
}

Operation Of(OperationKind kind) {
  Operation operation;
  operation.kind = kind;
  const model::OperationShape& shape = model::ShapeOf(kind);
  if (shape.function) operation.function = model::FunctionId(1);
  if (shape.domain) operation.domain = model::DomainId(0);
  if (shape.pasid) operation.pasid = 1;
  return operation;
}

void PrintFaults() {
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    Operation attach = Of(OperationKind::kAttach);
    model::Faults& faults = attach.faults;
    faults.alloc_numbers = fault == model::kFaultAlloc;
    faults.prepare_ats = fault == model::kFaultPrepareAts;
    faults.enable_ats = fault == model::kFaultEnableAts;
    faults.config_writes = fault == model::kFaultConfigWrite;
    faults.cmd_syncs = fault == model::kFaultCmdSync;
    faults.atc_timeouts = fault == model::kFaultAtcTimeout;
    Print(absl::StrFormat("attach_%s", model::FaultClassName(fault)), attach);
  }
  for (int i = 0; i < model::kAllocSites; ++i) {
    Operation attach = Of(OperationKind::kAttach);
    attach.faults.alloc_sites = static_cast<uint16_t>(1 << i);
    Print(absl::StrFormat("attach_alloc_%s",
                          model::AllocSiteName(model::AllocSite(i))),
          attach);
  }
}

}  // namespace
}  // namespace atsfuzz::services

int main() {
  using atsfuzz::model::OperationKind;
  for (int i = 0; i < atsfuzz::model::kOperationKinds; ++i) {
    const auto operation = atsfuzz::services::Of(static_cast<OperationKind>(i));
    atsfuzz::services::Print(atsfuzz::model::ShapeOf(operation.kind).name,
                             operation);
  }
  atsfuzz::services::PrintFaults();
  return 0;
}
