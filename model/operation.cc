#include "model/operation.h"

#include <cassert>

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {
namespace {

constexpr std::array<OperationShape, kOperationKinds> kShapes = {{
    // By OperationKind.
    {.name = "probe", .function = true},
    {.name = "release", .function = true, .must_succeed = true},
    {.name = "claim", .function = true},
    {.name = "unclaim", .function = true, .must_succeed = true},
    {.name = "attach", .function = true, .domain = true},
    {.name = "replace", .function = true, .domain = true},
    {.name = "detach", .function = true, .must_succeed = true},
    {.name = "set-default", .function = true, .default_domain = true},
    {.name = "map", .domain = true, .page = true, .range = true},
    {.name = "unmap",
     .domain = true,
     .page = true,
     .range = true,
     .queued = true},
    {.name = "flush", .domain = true},
    {.name = "dma", .function = true, .page = true, .stream = true},
    {.name = "domain-new", .domain = true},
    {.name = "domain-free", .domain = true},
    {.name = "set-pasid", .function = true, .domain = true, .pasid = true},
    {.name = "replace-pasid", .function = true, .domain = true, .pasid = true},
    {.name = "clear-pasid",
     .function = true,
     .pasid = true,
     .must_succeed = true},
    {.name = "reset-begin", .function = true},
    {.name = "reset-end", .function = true, .must_succeed = true},
    {.name = "vdevice-free", .function = true},
    {.name = "guest-flush", .function = true},
    {.name = "bind", .function = true, .domain = true},
    {.name = "unbind", .function = true, .domain = true, .must_succeed = true},
    {.name = "exit", .domain = true, .must_succeed = true},
}};

constexpr std::array<absl::string_view, kAllocSites> kSiteNames = {
    "master", "streams",    "stream-table", "cd-table", "cd-leaf", "attachment",
    "domain", "page-table", "id",           "group",    "core",    "merge"};

// " !cmd-sync" for the first, " !cmd-sync#2" for the second.
void AppendNumbered(absl::string_view name, uint8_t numbers,
                    std::string* text) {
  for (int n = 1; n <= 8; ++n) {
    if ((numbers >> (n - 1) & 1) == 0) continue;
    absl::StrAppend(text, " !", name);
    if (n > 1) absl::StrAppend(text, "#", n);
  }
}

void AppendFaults(const Faults& faults, std::string* text) {
  if (!faults.any()) return;
  text->push_back(' ');
  for (int n = 1; n <= 64; ++n) {
    if (faults.alloc_numbers >> (n - 1) & 1) {
      absl::StrAppend(text, " !alloc#", n);
    }
  }
  for (int site = 0; site < kAllocSites; ++site) {
    if (faults.alloc_sites >> site & 1) {
      absl::StrAppend(text, " !alloc:", kSiteNames[site]);
    }
  }
  if (faults.prepare_ats) absl::StrAppend(text, " !prepare-ats");
  if (faults.enable_ats) absl::StrAppend(text, " !enable-ats");
  for (int n = 1; n <= 8; ++n) {
    if (faults.config_writes >> (n - 1) & 1) {
      absl::StrAppend(text, " !config-write#", n);
    }
  }
  AppendNumbered("cmd-sync", faults.cmd_syncs, text);
  AppendNumbered("atc-timeout", faults.atc_timeouts, text);
}

}  // namespace

uint8_t ClassesOf(const Faults& faults) {
  uint8_t classes = 0;
  if (faults.alloc_numbers != 0 || faults.alloc_sites != 0) {
    classes |= kFaultAlloc;
  }
  if (faults.prepare_ats) classes |= kFaultPrepareAts;
  if (faults.enable_ats) classes |= kFaultEnableAts;
  if (faults.config_writes != 0) classes |= kFaultConfigWrite;
  if (faults.cmd_syncs != 0) classes |= kFaultCmdSync;
  if (faults.atc_timeouts != 0) classes |= kFaultAtcTimeout;
  return classes;
}

absl::string_view FaultClassName(FaultClass fault) {
  switch (fault) {
    case kFaultAlloc:
      return "alloc";
    case kFaultPrepareAts:
      return "prepare-ats";
    case kFaultEnableAts:
      return "enable-ats";
    case kFaultConfigWrite:
      return "config-write";
    case kFaultCmdSync:
      return "cmd-sync";
    case kFaultAtcTimeout:
      return "atc-timeout";
  }
  assert(false && "one class, not a set");
  return "";
}

const OperationShape& ShapeOf(OperationKind kind) {
  return kShapes[static_cast<size_t>(kind)];
}

absl::string_view AllocSiteName(AllocSite site) {
  return kSiteNames[static_cast<size_t>(site)];
}

bool AddPasid(const Operation& operation, std::vector<uint32_t>* pasids) {
  if (operation.pasid == 0) return true;
  for (uint32_t known : *pasids) {
    if (known == operation.pasid) return true;
  }
  if (pasids->size() == ATSFUZZ_MAX_PASIDS) return false;
  pasids->push_back(operation.pasid);
  return true;
}

std::string ToText(const Topology& topology, const Operation& operation) {
  const OperationShape& shape = ShapeOf(operation.kind);
  std::string text(shape.name);
  if (shape.function) {
    absl::StrAppend(&text, " ", Name(topology, operation.function));
  }
  if (shape.pasid) absl::StrAppend(&text, " ", operation.pasid);
  if (shape.domain) absl::StrAppend(&text, " ", Name(operation.domain));
  if (shape.default_domain) {
    const bool dma = operation.default_domain == DefaultDomain::kDma;
    absl::StrAppend(&text, dma ? " dma" : " identity");
  }
  if (shape.page) absl::StrAppend(&text, " ", operation.page);
  if (shape.range && operation.pages > 1) {
    absl::StrAppend(&text, "..", operation.page + operation.pages - 1);
  }
  if (shape.queued && operation.queued) absl::StrAppend(&text, " queued");
  if (shape.stream && operation.stream != 0) {
    absl::StrAppend(&text, " stream=", operation.stream);
  }
  if (shape.stream && operation.pasid != 0) {
    absl::StrAppend(&text, " pasid=", operation.pasid);
  }
  AppendFaults(operation.faults, &text);
  return text;
}

}  // namespace atsfuzz::model
