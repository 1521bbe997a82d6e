#include <cassert>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/contract.h"
#include "model/pasid.h"

// The half of the contract that refuses: what no caller in the kernel does.
namespace atsfuzz::model {
namespace {

template <typename... Parts>
absl::Status Refuse(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

std::string RangeText(const Operation& operation) {
  if (operation.pages == 1) return absl::StrCat("page ", operation.page);
  return absl::StrCat("pages ", operation.page, "..",
                      operation.page + operation.pages - 1);
}

// Resets of one function that a scenario may nest: the core counts them.
constexpr int kMaxResetDepth = 15;

// Binds of one function to one process without their unbind.
constexpr int kMaxBondUsers = 15;

// The rules, one function for each kind of operation. REQUIRES: the operation's
// ids name things of the topology.
class Judge {
 public:
  Judge(const Contract& contract, const Operation& operation)
      : contract_(contract),
        topology_(contract.topology()),
        operation_(operation) {}

  absl::Status Probe() const {
    if (state().probed) return Refuse(name(), " is probed already");
    const Function& function = topology_.at(operation_.function);
    if (function.kind == FunctionKind::kVf &&
        topology_.at(function.pf).smmu.valid() &&
        !contract_.function(function.pf).probe_tried) {
      return Refuse("the VF ", name(), " does not exist before its PF ",
                    Name(topology_, function.pf),
                    " was probed or failed to probe: probe that first");
    }
    if (function.kind == FunctionKind::kVf &&
        contract_.function(function.pf).reset_depth != 0) {
      return Refuse(Name(topology_, function.pf), " is in a reset, which has ",
                    "taken its VFs away: end it before ", name(), " is probed");
    }
    if (PasidBits(topology_, operation_.function) != 0 &&
        !contract_.GroupPasids(operation_.function).empty()) {
      return Refuse(name(), "'s group has PASIDs in use, which ", name(),
                    " would join without: clear them first");
    }
    return absl::OkStatus();
  }

  absl::Status Release() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (state().attached) {
      return Refuse(name(), " is attached to ", Name(state().group_domain),
                    ": detach it before its removal");
    }
    if (state().owned) {
      return Refuse(name(),
                    "'s group is owned: an owner unclaims it before the "
                    "device's removal");
    }
    if (auto status = NeedsNoPasids("before the device's removal");
        !status.ok()) {
      return status;
    }
    if (state().reset_depth != 0) {
      return Refuse(name(), " is in a reset: end it before its removal");
    }
    if (const FunctionId vf = ProbedVf(); vf.valid()) {
      return Refuse("VFs are removed before their PF: release ",
                    Name(topology_, vf), " before ", name());
    }
    return absl::OkStatus();
  }

  absl::Status Claim() const { return NeedsProbed(); }

  absl::Status Bind() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (auto status = NeedsProcess(); !status.ok()) return status;
    if (auto status = NeedsLiving(); !status.ok()) return status;
    if (state().owned) {
      return Refuse(name(),
                    "'s group is owned, so no driver of the kernel is bound "
                    "that could bind it to a process: unclaim it first");
    }
    if (topology_.at(operation_.function).smmu !=
        topology_.at(operation_.domain).smmu) {
      return Refuse(domain_name(), " is the process as ",
                    Name(topology_.at(operation_.domain).smmu),
                    " sees it, and ", name(),
                    " is behind another SMMU: declare another process");
    }
    const PasidState* bond =
        contract_.BondOf(operation_.function, operation_.domain);
    if (bond != nullptr && bond->users == kMaxBondUsers) {
      return Refuse(name(), " is bound to ", domain_name(), " ", kMaxBondUsers,
                    " times already");
    }
    // iommu_sva_bind_device makes the process a second domain when it cannot
    // attach the one it has; a scenario has one domain of a process.
    if (operation_.faults.alloc_numbers != 0 && bond == nullptr &&
        contract_.BoundElsewhere(operation_.function, operation_.domain)) {
      return Refuse("without memory for one step the kernel would make ",
                    domain_name(),
                    " a second domain, which no scenario names: say the "
                    "allocations by their site");
    }
    return absl::OkStatus();
  }

  absl::Status Unbind() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (auto status = NeedsProcess(); !status.ok()) return status;
    if (contract_.BondOf(operation_.function, operation_.domain) != nullptr) {
      return absl::OkStatus();
    }
    return Refuse(name(), " is not bound to ", domain_name(),
                  ": bind it first");
  }

  absl::Status Exit() const {
    if (auto status = NeedsProcess(); !status.ok()) return status;
    if (domain().allocated) return absl::OkStatus();
    return Refuse(domain_name(),
                  " is no living process: one begins with its first map or "
                  "bind");
  }

  absl::Status SetPasid() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (operation_.pasid == 0 || operation_.pasid > kMaxPasid) {
      return Refuse("the PASIDs are 1 to ", kMaxPasid);
    }
    if (auto status = NeedsNoProcess(); !status.ok()) return status;
    if (auto status = NeedsOwnPasid(); !status.ok()) return status;
    return domain().allocated ? absl::OkStatus() : NeedsAllocator();
  }

  absl::Status ReplacePasid() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (!state().owned) {
      return Refuse(name(),
                    "'s group is not owned: only iommufd replaces, in a group "
                    "that it has claimed");
    }
    return SetPasid();
  }

  absl::Status ClearPasid() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (auto status = NeedsOwnPasid(); !status.ok()) return status;
    for (const PasidState& pasid : contract_.GroupPasids(operation_.function)) {
      if (pasid.pasid == operation_.pasid) return absl::OkStatus();
    }
    return Refuse("PASID ", operation_.pasid, " of ", name(),
                  "'s group is not in use: set it first");
  }

  absl::Status ResetBegin() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (topology_.at(operation_.function).kind == FunctionKind::kPlatform) {
      return Refuse(name(),
                    " is a platform device: the IOMMU core takes part in "
                    "resets of PCI functions");
    }
    if (const FunctionId vf = ProbedVf(); vf.valid()) {
      return Refuse("a reset of ", name(), " takes its VFs away: release ",
                    Name(topology_, vf), " first");
    }
    if (state().reset_depth == kMaxResetDepth) {
      return Refuse(name(), " is in ", kMaxResetDepth,
                    " resets already: end one");
    }
    return absl::OkStatus();
  }

  absl::Status ResetEnd() const {
    if (state().reset_depth != 0) return absl::OkStatus();
    return Refuse(name(), " is in no reset: reset-begin it first");
  }

  absl::Status Unclaim() const {
    if (!state().owned) {
      return Refuse(name(), "'s group is not owned: claim it first");
    }
    if (state().attached) {
      return Refuse(name(), " is attached to ", Name(state().group_domain),
                    ": an owner detaches before it unclaims");
    }
    return NeedsNoPasids("before it is unclaimed");
  }

  absl::Status Attach() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (auto status = NeedsAttachable(); !status.ok()) return status;
    if (topology_.at(operation_.domain).parent.valid() && !state().owned) {
      return Refuse(name(), "'s group is not owned, and ", domain_name(),
                    " is nested: only iommufd attaches to it, in a group that "
                    "it has claimed");
    }
    return absl::OkStatus();
  }

  absl::Status Replace() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (!state().owned || !state().attached) {
      return Refuse(name(),
                    " is not owned and attached: only iommufd replaces, in a "
                    "group that it has claimed and attached");
    }
    return NeedsAttachable();
  }

  absl::Status Detach() const {
    if (state().attached) return absl::OkStatus();
    return Refuse(name(), " is not attached: attach it first");
  }

  absl::Status SetDefault() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    if (state().attached && !state().owned) {
      return Refuse(name(), " is attached to ", Name(state().group_domain),
                    " without an owner, so a kernel driver is bound and holds "
                    "the group: detach it, or claim it before the attach");
    }
    if (!state().owned && !contract_.GroupPasids(operation_.function).empty()) {
      return Refuse(name(),
                    "'s group has PASIDs in use without an owner, so a kernel "
                    "driver is bound and holds the group: clear them first");
    }
    return absl::OkStatus();
  }

  absl::Status OfGuest() const {
    if (auto status = NeedsProbed(); !status.ok()) return status;
    const DomainId domain = state().group_domain;
    if (domain.valid() && topology_.at(domain).parent.valid()) {
      return absl::OkStatus();
    }
    return Refuse(name(), "'s group is in no nested domain: attach it to one");
  }

  absl::Status Map() const {
    if (auto status = NeedsRange(); !status.ok()) return status;
    if (auto status = NeedsOwnPages(); !status.ok()) return status;
    if (is_process()) {
      if (auto status = NeedsLiving(); !status.ok()) return status;
    } else if (!domain().allocated) {
      if (!contract_.FinalisedByAllocation(operation_.domain)) {
        return NeedsPageTable();
      }
      return NeedsAllocator();
    }
    if (!is_process() && !domain().finalised) return NeedsPageTable();
    if (Overlaps(domain().mappings, operation_.page, operation_.pages)) {
      return Refuse(RangeText(operation_), " of ", domain_name(),
                    " overlap what is mapped: unmap it first");
    }
    if (Overlaps(domain().unflushed, operation_.page, operation_.pages)) {
      return Refuse(RangeText(operation_), " of ", domain_name(),
                    " overlap a queued unmap, whose IOVA is not handed out "
                    "again before the flush: flush ",
                    domain_name(), " first");
    }
    return absl::OkStatus();
  }

  absl::Status Unmap() const {
    if (auto status = NeedsRange(); !status.ok()) return status;
    if (auto status = NeedsOwnPages(); !status.ok()) return status;
    if (auto status = NeedsPageTable(); !status.ok()) return status;
    if (is_process() && operation_.queued) {
      return Refuse(domain_name(),
                    " is a process: its notifier runs before munmap returns, "
                    "and nothing is queued");
    }
    if (IsWhole(domain().mappings, operation_.page, operation_.pages)) {
      return absl::OkStatus();
    }
    return Refuse(RangeText(operation_), " of ", domain_name(),
                  " are not exactly one or more whole mappings: unmap what was "
                  "mapped");
  }

  absl::Status Flush() const {
    if (auto status = NeedsOwnPages(); !status.ok()) return status;
    return NeedsPageTable();
  }

  absl::Status Dma() const {
    if (operation_.page >= ATSFUZZ_MAX_PAGES) return NeedsRange();
    const Function& function = topology_.at(operation_.function);
    if (!function.smmu.valid()) {
      return Refuse(name(), " is behind no SMMU: its accesses say nothing");
    }
    if (operation_.stream >= function.streams.size()) {
      return Refuse(name(), " has ", function.streams.size(),
                    " stream ids, counted from 0: there is no stream ",
                    operation_.stream);
    }
    const uint8_t bits = PasidBits(topology_, operation_.function);
    if (operation_.pasid != 0 && operation_.pasid >> bits != 0) {
      return Refuse(name(), " offers ", bits == 0 ? 0 : 1u << bits,
                    " PASIDs, counted from 0: it has no PASID ",
                    operation_.pasid);
    }
    return absl::OkStatus();
  }

  absl::Status DomainNew() const {
    if (auto status = NeedsNoProcess(); !status.ok()) return status;
    if (domain().allocated) {
      return Refuse(domain_name(), " is allocated already: free it first");
    }
    return NeedsAllocator();
  }

  absl::Status DomainFree() const {
    if (auto status = NeedsNoProcess(); !status.ok()) return status;
    if (!domain().allocated) return Refuse(domain_name(), " is not allocated");
    for (size_t i = 0; i < topology_.domains.size(); ++i) {
      const DomainId nested(static_cast<uint8_t>(i));
      if (topology_.at(nested).parent == operation_.domain &&
          contract_.domain(nested).allocated) {
        return Refuse(Name(nested), " is nested in ", domain_name(),
                      ": free it before its parent");
      }
    }
    for (size_t i = 0; i < topology_.functions.size(); ++i) {
      const FunctionId id(static_cast<uint8_t>(i));
      const FunctionState& other = contract_.function(id);
      if (other.group_domain == operation_.domain) {
        return Refuse(Name(topology_, id), " is attached to ", domain_name(),
                      ": detach it before the domain is freed");
      }
      for (const PasidState& pasid : contract_.GroupPasids(id)) {
        if (pasid.domain != operation_.domain) continue;
        return Refuse("PASID ", pasid.pasid, " of ", Name(topology_, id),
                      "'s group is set to ", domain_name(),
                      ": clear it before the domain is freed");
      }
    }
    return absl::OkStatus();
  }

 private:
  const FunctionState& state() const {
    return contract_.function(operation_.function);
  }
  const DomainState& domain() const {
    return contract_.domain(operation_.domain);
  }
  std::string name() const { return Name(topology_, operation_.function); }
  // A VF of the operation's function that is probed, or none.
  FunctionId ProbedVf() const {
    for (size_t i = 0; i < topology_.functions.size(); ++i) {
      const FunctionId vf(static_cast<uint8_t>(i));
      if (topology_.at(vf).kind == FunctionKind::kVf &&
          topology_.at(vf).pf == operation_.function &&
          contract_.function(vf).probed) {
        return vf;
      }
    }
    return FunctionId();
  }
  std::string domain_name() const { return Name(operation_.domain); }

  absl::Status NeedsProbed() const {
    if (state().probed) return absl::OkStatus();
    return Refuse(name(), " is not probed: it has no group");
  }

  absl::Status NeedsNoPasids(absl::string_view when) const {
    const std::vector<PasidState>& pasids =
        contract_.GroupPasids(operation_.function);
    if (pasids.empty()) return absl::OkStatus();
    return Refuse(
        "PASID ", pasids[0].pasid, " of ", name(), "'s group is in use: ",
        topology_.ProcessOf(pasids[0].pasid).valid() ? "unbind" : "clear",
        " it ", when);
  }

  absl::Status NeedsOwnPages() const {
    const DomainId parent = topology_.at(operation_.domain).parent;
    if (!parent.valid()) return absl::OkStatus();
    return Refuse(domain_name(), " is nested in ", Name(parent),
                  ", whose pages are its own: say ", Name(parent));
  }

  absl::Status NeedsRange() const {
    if (operation_.pages >= 1 &&
        operation_.page + operation_.pages <= ATSFUZZ_MAX_PAGES) {
      return absl::OkStatus();
    }
    return Refuse("the pages are 0 to ", ATSFUZZ_MAX_PAGES - 1);
  }

  absl::Status NeedsPageTable() const {
    if (domain().finalised) return absl::OkStatus();
    return Refuse(domain_name(), " has no page table yet: attach it first");
  }

  absl::Status NeedsAllocator() const {
    // A guest's stage 1 is allocated through a vIOMMU, which the parent has.
    if (const DomainId parent = topology_.at(operation_.domain).parent;
        parent.valid()) {
      const DomainState& state = contract_.domain(parent);
      if (!state.allocated || !state.finalised) {
        return Refuse(domain_name(), " is nested in ", Name(parent), ": ",
                      state.allocated ? "attach " : "allocate ", Name(parent),
                      " first");
      }
    }
    if (contract_.AllocatesThrough(operation_).valid()) {
      return absl::OkStatus();
    }
    return Refuse("no function behind ",
                  Name(topology_.at(operation_.domain).smmu),
                  " is probed, and ", domain_name(),
                  " is allocated through one: probe one first");
  }

  bool is_process() const { return topology_.at(operation_.domain).process; }

  absl::Status NeedsProcess() const {
    if (is_process()) return absl::OkStatus();
    return Refuse(domain_name(), " is no process: attach it, or set a PASID");
  }

  absl::Status NeedsNoProcess() const {
    if (!is_process()) return absl::OkStatus();
    return Refuse(domain_name(),
                  " is a process, whose domain the core makes and frees: bind "
                  "a function to it");
  }

  absl::Status NeedsLiving() const {
    if (!domain().exited) return absl::OkStatus();
    return Refuse(domain_name(),
                  " has exited, and functions are bound to it still: unbind "
                  "them, then another process may have its place");
  }

  // iommu_alloc_global_pasid hands out no PASID twice.
  absl::Status NeedsOwnPasid() const {
    const DomainId process = topology_.ProcessOf(operation_.pasid);
    if (!process.valid()) return absl::OkStatus();
    return Refuse("PASID ", operation_.pasid, " is that of the process ",
                  Name(process), ": say another, or bind and unbind");
  }

  // A domain that can be tried on the operation's function.
  absl::Status NeedsAttachable() const {
    if (auto status = NeedsNoProcess(); !status.ok()) return status;
    if (!domain().allocated) {
      if (auto status = NeedsAllocator(); !status.ok()) return status;
    }
    const SmmuId smmu = topology_.at(operation_.domain).smmu;
    const bool finalised =
        domain().allocated ? domain().finalised
                           : contract_.FinalisedByAllocation(operation_.domain);
    if (!finalised && topology_.at(operation_.function).smmu != smmu) {
      return Refuse(domain_name(), " has no page table yet, and ", name(),
                    " would make it a domain of another SMMU than ", Name(smmu),
                    ": attach a function behind that one first");
    }
    return absl::OkStatus();
  }

  const Contract& contract_;
  const Topology& topology_;
  const Operation& operation_;
};

bool Names(const Topology& topology, const Operation& operation) {
  const OperationShape& shape = ShapeOf(operation.kind);
  return (!shape.function ||
          operation.function.value < topology.functions.size()) &&
         (!shape.domain || operation.domain.value < topology.domains.size());
}

}  // namespace

absl::Status Contract::Allows(const Operation& operation) const {
  if (!Names(topology_, operation)) {
    return Refuse("the machine has no such function or domain");
  }
  const Judge judge(*this, operation);
  switch (operation.kind) {
    case OperationKind::kProbe:
      return judge.Probe();
    case OperationKind::kRelease:
      return judge.Release();
    case OperationKind::kClaim:
      return judge.Claim();
    case OperationKind::kUnclaim:
      return judge.Unclaim();
    case OperationKind::kAttach:
      return judge.Attach();
    case OperationKind::kReplace:
      return judge.Replace();
    case OperationKind::kDetach:
      return judge.Detach();
    case OperationKind::kSetDefault:
      return judge.SetDefault();
    case OperationKind::kMap:
      return judge.Map();
    case OperationKind::kUnmap:
      return judge.Unmap();
    case OperationKind::kFlush:
      return judge.Flush();
    case OperationKind::kDma:
      return judge.Dma();
    case OperationKind::kDomainNew:
      return judge.DomainNew();
    case OperationKind::kDomainFree:
      return judge.DomainFree();
    case OperationKind::kSetPasid:
      return judge.SetPasid();
    case OperationKind::kReplacePasid:
      return judge.ReplacePasid();
    case OperationKind::kClearPasid:
      return judge.ClearPasid();
    case OperationKind::kResetBegin:
      return judge.ResetBegin();
    case OperationKind::kResetEnd:
      return judge.ResetEnd();
    case OperationKind::kVdeviceFree:
    case OperationKind::kGuestFlush:
      return judge.OfGuest();
    case OperationKind::kBind:
      return judge.Bind();
    case OperationKind::kUnbind:
      return judge.Unbind();
    case OperationKind::kExit:
      return judge.Exit();
  }
  assert(false && "every kind is judged");
  return absl::InternalError("unknown operation kind");
}

}  // namespace atsfuzz::model
