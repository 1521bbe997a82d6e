#include "model/capabilities.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {
namespace {

template <typename... Parts>
absl::Status Beyond(const Parts&... parts) {
  return absl::UnimplementedError(absl::StrCat(parts...));
}

absl::Status FitsFunction(const Capabilities& capabilities,
                          const std::string& system, const Topology& topology,
                          FunctionId id) {
  const Function& function = topology.at(id);
  const std::string name = Name(topology, id);
  if (function.leader.valid() && !capabilities.groups) {
    return Beyond(name, " is in ", Name(topology, function.leader),
                  "'s group, and ", system,
                  " runs groups of one function only");
  }
  if (function.requires_ats && !capabilities.requires_ats) {
    return Beyond(name, " requires ATS, and ", system,
                  " has no functions that do");
  }
  if (function.direct_pages != 0 && !capabilities.direct) {
    return Beyond(name, " has a reserved region, and ", system,
                  " maps none directly");
  }
  if (function.streams.size() > capabilities.streams) {
    return Beyond(name, " has ", function.streams.size(), " stream ids, and ",
                  system, " runs functions of at most ", capabilities.streams);
  }
  return absl::OkStatus();
}

// What a system with nothing but nested domains has.
Capabilities Nesting() {
  Capabilities nesting;
  nesting.nesting = true;
  return nesting;
}

}  // namespace

bool HasKind(const Capabilities& capabilities, OperationKind kind) {
  switch (kind) {
    case OperationKind::kSetPasid:
    case OperationKind::kClearPasid:
      return capabilities.pasids;
    case OperationKind::kReplace:
      return capabilities.replace;
    case OperationKind::kReplacePasid:
      return capabilities.pasids && capabilities.replace_pasid;
    case OperationKind::kResetBegin:
    case OperationKind::kResetEnd:
      return capabilities.resets;
    case OperationKind::kVdeviceFree:
    case OperationKind::kGuestFlush:
      return capabilities.nesting;
    case OperationKind::kBind:
    case OperationKind::kUnbind:
    case OperationKind::kExit:
      return capabilities.sva;
    default:
      return true;
  }
}

Capabilities Meet(const Capabilities& a, const Capabilities& b) {
  Capabilities both = a;
  both.pasids &= b.pasids;
  both.replace_pasid &= b.replace_pasid;
  both.resets &= b.resets;
  both.groups &= b.groups;
  both.requires_ats &= b.requires_ats;
  both.nesting &= b.nesting;
  both.replace &= b.replace;
  both.sva &= b.sva;
  both.direct &= b.direct;
  both.threads &= b.threads;
  both.weak_memory &= b.weak_memory;
  both.plain_stops &= b.plain_stops;
  both.functions = std::min(a.functions, b.functions);
  both.domains = std::min(a.domains, b.domains);
  both.streams = std::min(a.streams, b.streams);
  both.pages = std::min(a.pages, b.pages);
  both.largest_pasid = std::min(a.largest_pasid, b.largest_pasid);
  return both;
}

absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Topology& topology) {
  if (topology.functions.size() > capabilities.functions) {
    return Beyond("the machine has ", topology.functions.size(),
                  " functions, and ", system, " runs at most ",
                  capabilities.functions);
  }
  if (topology.domains.size() > capabilities.domains) {
    return Beyond("the machine has ", topology.domains.size(), " domains, and ",
                  system, " runs at most ", capabilities.domains);
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    absl::Status status = FitsFunction(capabilities, system, topology, id);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    const Domain& domain = topology.domains[i];
    if (domain.process && !capabilities.sva) {
      return Beyond(Name(DomainId(static_cast<uint8_t>(i))),
                    " is a process, and ", system, " binds none");
    }
    if (!domain.parent.valid() || capabilities.nesting) continue;
    return Beyond(Name(DomainId(static_cast<uint8_t>(i))), " is nested in ",
                  Name(domain.parent), ", and ", system,
                  " has no nested domains");
  }
  return absl::OkStatus();
}

absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Topology& topology, const Operation& operation) {
  const OperationShape& shape = ShapeOf(operation.kind);
  const auto lacks = [&](absl::string_view what) {
    return Beyond("`", ToText(topology, operation), "`: ", system, " has no ",
                  what);
  };
  if (operation.thread != 0 && !capabilities.threads) return lacks("threads");
  if ((shape.pasid || operation.pasid != 0) && !capabilities.pasids) {
    return lacks("PASIDs");
  }
  if (!HasKind(capabilities, operation.kind)) {
    if (operation.kind == OperationKind::kReplace) return lacks("replace");
    if (shape.pasid) return lacks("replace-pasid");
    const bool reset = operation.kind == OperationKind::kResetBegin ||
                       operation.kind == OperationKind::kResetEnd;
    return lacks(reset                                ? "resets"
                 : HasKind(Nesting(), operation.kind) ? "nested domains"
                                                      : "SVA");
  }
  if (operation.pasid > capabilities.largest_pasid) {
    return Beyond("`", ToText(topology, operation), "`: ", system,
                  " runs PASIDs up to ", capabilities.largest_pasid);
  }
  if (shape.page && operation.page + operation.pages > capabilities.pages) {
    return Beyond("`", ToText(topology, operation), "`: ", system,
                  " runs pages 0 to ", capabilities.pages - 1);
  }
  return absl::OkStatus();
}

absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Schedule& schedule) {
  if (HasWeakTurns(schedule) && !capabilities.weak_memory) {
    return Beyond("its schedule has weak turns, and ", system,
                  " has no weak memory");
  }
  if (StopsAtPlainAccesses(schedule) && !capabilities.plain_stops) {
    return Beyond("its schedule stops at plain accesses, and ", system,
                  " stops at none");
  }
  return absl::OkStatus();
}

}  // namespace atsfuzz::model
