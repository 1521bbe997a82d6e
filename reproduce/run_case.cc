#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/round.h"
#include "linux/build.h"
#include "linux/kunit.h"
#include "reproduce/kunit_case.h"

namespace atsfuzz::reproduce {
namespace {

using Json = nlohmann::json;

void RunInChild(const std::string& module, fuzz::Link& link) {
  const auto suite = linux_driver::Suite::Load(module);
  if (!suite.ok()) {
    link.Send(Json{{"error", std::string(suite.status().message())}}.dump());
    return;
  }
  link.Begin(0);
  const linux_driver::SuiteCase test = (*suite)->Run((*suite)->names().front());
  link.Send(Json{{"passed", test.passed},
                 {"failure", test.failure},
                 {"warnings", test.warnings}}
                .dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

absl::StatusOr<KunitVerdict> RunCase(const std::string& source,
                                     const linux_driver::Tree& tree,
                                     const linux_driver::Progress& progress) {
  const auto module = linux_driver::BuildCases(
      tree, linux_driver::BuildKind::kPlain, source, progress);
  if (!module.ok()) return module.status();
  const auto child =
      fuzz::Child::Fork(fuzz::Child::Signals::kRecord,
                        [&](fuzz::Link& link) { RunInChild(*module, link); });
  KunitVerdict verdict;
  verdict.failure = "the kernel crashes in the case";
  for (const std::string& line : child->ReceiveAll(fuzz::kRunTimeoutMs)) {
    const Json json = Json::parse(line);
    if (json.contains("error")) {
      return absl::UnavailableError(json["error"].get<std::string>());
    }
    json["passed"].get_to(verdict.passed);
    json["failure"].get_to(verdict.failure);
    json["warnings"].get_to(verdict.warnings);
  }
  return verdict;
}

}  // namespace atsfuzz::reproduce
