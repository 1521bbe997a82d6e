#include "model/contract.h"

#include <algorithm>
#include <cassert>

#include "model/pasid.h"

namespace atsfuzz::model {
namespace {

DefaultDomain FirstDefault(const Function& function) {
  // iommu_get_default_domain_type: a group with an untrusted device gets a DMA
  // domain whatever the system prefers.
  return function.untrusted ? DefaultDomain::kDma : function.default_domain;
}

Route DefaultRoute(const FunctionState& state) {
  return state.default_domain == DefaultDomain::kDma ? Route::kDefaultDma
                                                     : Route::kIdentity;
}

std::vector<PasidState>::const_iterator FindPasid(
    const std::vector<PasidState>& pasids, uint32_t pasid) {
  return std::lower_bound(
      pasids.begin(), pasids.end(), pasid,
      [](const PasidState& state, uint32_t p) { return state.pasid < p; });
}

void SetPasid(uint32_t pasid, DomainId domain,
              std::vector<PasidState>* pasids) {
  const auto it = FindPasid(*pasids, pasid);
  if (it != pasids->end() && it->pasid == pasid) {
    pasids->at(it - pasids->begin()).domain = domain;
  } else {
    pasids->insert(it, {pasid, domain});
  }
}

void ClearPasid(uint32_t pasid, std::vector<PasidState>* pasids) {
  std::erase_if(*pasids, [pasid](const PasidState& state) {
    return state.pasid == pasid;
  });
}

// Traffic follows the group, unless the function is parked.
void Follow(FunctionState* state) {
  state->route = state->parked ? Route::kBlocked : state->group_route;
  state->domain = state->parked ? DomainId() : state->group_domain;
}

}  // namespace

Contract::Contract(const Topology& topology, const Capabilities& capabilities)
    : topology_(topology),
      capabilities_(capabilities),
      functions_(topology.functions.size()),
      group_pasids_(topology.functions.size()),
      domains_(topology.domains.size()) {
  for (size_t i = 0; i < functions_.size(); ++i) {
    functions_[i].default_domain = FirstDefault(topology_.functions[i]);
  }
}

const FunctionState& Contract::function(FunctionId id) const {
  return functions_[id.value];
}

const DomainState& Contract::domain(DomainId id) const {
  return domains_[id.value];
}

const std::vector<PasidState>& Contract::GroupPasids(FunctionId id) const {
  return group_pasids_[topology_.LeaderOf(id).value];
}

FunctionId Contract::ProbedMember(FunctionId id) const {
  const uint16_t members = MembersOf(topology_, id);
  for (size_t i = 0; i < functions_.size(); ++i) {
    if ((members >> i & 1) && functions_[i].probed) {
      return FunctionId(static_cast<uint8_t>(i));
    }
  }
  return FunctionId();
}

bool Contract::InReset(FunctionId id) const {
  const uint16_t members = MembersOf(topology_, id);
  for (size_t i = 0; i < functions_.size(); ++i) {
    if ((members >> i & 1) && functions_[i].parked) return true;
  }
  return false;
}

const PasidState* Contract::BondOf(FunctionId id, DomainId process) const {
  const std::vector<PasidState>& pasids = GroupPasids(id);
  const uint32_t pasid = topology_.ProcessPasid(process);
  const auto it = FindPasid(pasids, pasid);
  return it != pasids.end() && it->pasid == pasid ? &*it : nullptr;
}

bool Contract::BoundElsewhere(FunctionId id, DomainId process) const {
  const FunctionId leader = topology_.LeaderOf(id);
  for (size_t i = 0; i < functions_.size(); ++i) {
    const FunctionId other(static_cast<uint8_t>(i));
    if (topology_.LeaderOf(other) == other && other != leader &&
        BondOf(other, process) != nullptr) {
      return true;
    }
  }
  return false;
}

bool Contract::AllocatesDomain(const Operation& operation) const {
  if (ShapeOf(operation.kind).domain &&
      topology_.at(operation.domain).process) {
    return false;
  }
  return (operation.kind == OperationKind::kAttach ||
          operation.kind == OperationKind::kReplace ||
          operation.kind == OperationKind::kMap ||
          operation.kind == OperationKind::kSetPasid ||
          operation.kind == OperationKind::kReplacePasid) &&
         !domain(operation.domain).allocated;
}

FunctionId Contract::AllocatesThrough(const Operation& operation) const {
  const SmmuId smmu = topology_.at(operation.domain).smmu;
  const auto can = [&](FunctionId id) {
    return function(id).probed && topology_.at(id).smmu == smmu;
  };
  if (ShapeOf(operation.kind).function && can(operation.function)) {
    return operation.function;
  }
  for (size_t i = 0; i < functions_.size(); ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    if (can(id)) return id;
  }
  return FunctionId();
}

bool Contract::FinalisedByAllocation(DomainId id) const {
  const Domain& domain = topology_.at(id);
  if (domain.parent.valid()) return true;
  switch (capabilities_.finalised) {
    case Finalised::kByAllocation:
      return true;
    case Finalised::kStage2Late:
      return domain.stage == 1 || !topology_.at(domain.smmu).stage1;
    case Finalised::kByAttach:
      return false;
  }
  assert(false && "every kind is known");
  return false;
}

void Contract::ApplyAllocation(DomainId id, int result) {
  if (result != 0) return;
  DomainState& state = domains_[id.value];
  state.allocated = true;
  state.finalised = FinalisedByAllocation(id);
}

template <typename Change>
void Contract::ChangeGroup(FunctionId id, const Change& change) {
  const uint16_t members = MembersOf(topology_, id);
  for (size_t i = 0; i < functions_.size(); ++i) {
    if ((members >> i & 1) && functions_[i].probed) change(functions_[i]);
  }
}

void Contract::MoveGroup(FunctionId id, Route route, DomainId domain) {
  ChangeGroup(id, [&](FunctionState& state) {
    state.group_route = route;
    state.group_domain = domain;
    Follow(&state);
  });
}

// __iommu_probe_device: what joins a group gets the group's domain.
void Contract::ApplyProbe(FunctionId id) {
  FunctionState& state = functions_[id.value];
  if (const FunctionId member = ProbedMember(id); member.valid()) {
    const FunctionState& group = function(member);
    state.owned = group.owned;
    state.attached = group.attached;
    state.group_route = group.group_route;
    state.group_domain = group.group_domain;
    state.default_domain = group.default_domain;
  } else {
    state.group_route = DefaultRoute(state);
  }
  state.probed = true;
  Follow(&state);
}

void Contract::ApplyRelease(FunctionId id) {
  functions_[id.value] = FunctionState();
  functions_[id.value].default_domain = FirstDefault(topology_.at(id));
}

void Contract::ApplyPasid(const Operation& operation) {
  const FunctionId leader = topology_.LeaderOf(operation.function);
  const auto change = [&](std::vector<PasidState>* pasids) {
    if (operation.kind == OperationKind::kClearPasid) {
      ClearPasid(operation.pasid, pasids);
    } else {
      SetPasid(operation.pasid, operation.domain, pasids);
    }
  };
  change(&group_pasids_[leader.value]);
  const uint16_t members = MembersOf(topology_, leader);
  for (size_t i = 0; i < functions_.size(); ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    if ((members >> i & 1) && functions_[i].probed &&
        PasidBits(topology_, id) != 0) {
      change(&functions_[i].pasids);
    }
  }
}

// A bind takes a PASID into use or adds a user to it; an unbind is the reverse.
void Contract::ApplyBond(const Operation& operation) {
  Operation step = operation;
  step.pasid = topology_.ProcessPasid(operation.domain);
  const PasidState* bond = BondOf(operation.function, operation.domain);
  const bool binds = operation.kind == OperationKind::kBind;
  if (binds) {
    domains_[operation.domain.value].allocated = true;
    domains_[operation.domain.value].finalised = true;
  }
  if (binds ? bond == nullptr : bond->users == 1) {
    step.kind = binds ? OperationKind::kSetPasid : OperationKind::kClearPasid;
    ApplyPasid(step);
  } else {
    const auto count = [&](std::vector<PasidState>* pasids) {
      for (PasidState& state : *pasids) {
        if (state.pasid == step.pasid) state.users += binds ? 1 : -1;
      }
    };
    count(&group_pasids_[topology_.LeaderOf(step.function).value]);
    ChangeGroup(step.function,
                [&](FunctionState& state) { count(&state.pasids); });
  }
  DomainState& state = domains_[operation.domain.value];
  if (state.exited && BondOf(operation.function, operation.domain) == nullptr &&
      !BoundElsewhere(operation.function, operation.domain)) {
    state = DomainState();
  }
}

void Contract::ApplyExit(DomainId id) {
  bool bound = false;
  for (size_t i = 0; i < functions_.size(); ++i) {
    bound |= BondOf(FunctionId(static_cast<uint8_t>(i)), id) != nullptr;
  }
  domains_[id.value] = DomainState();
  domains_[id.value].exited = bound;
}

void Contract::ApplyReset(FunctionId id, bool begin) {
  FunctionState& state = functions_[id.value];
  state.reset_depth += begin ? 1 : -1;
  state.parked = state.reset_depth != 0 &&
                 SupportsAts(topology_, id, capabilities_.ats_asks_pf);
  Follow(&state);
}

void Contract::Apply(const Operation& operation, int result,
                     uint64_t physical) {
  const OperationShape& shape = ShapeOf(operation.kind);
  const FunctionId id = operation.function;
  FunctionState* f = shape.function ? &functions_[id.value] : nullptr;
  DomainState* d = shape.domain ? &domains_[operation.domain.value] : nullptr;
  if (operation.kind == OperationKind::kProbe) f->probe_tried = true;
  if (result != 0) return;

  switch (operation.kind) {
    case OperationKind::kProbe:
      ApplyProbe(id);
      break;
    case OperationKind::kRelease:
      ApplyRelease(id);
      break;
    case OperationKind::kClaim:
      ChangeGroup(id, [](FunctionState& state) { state.owned = true; });
      MoveGroup(id, Route::kBlocked, DomainId());
      break;
    case OperationKind::kUnclaim:
      ChangeGroup(id, [](FunctionState& state) { state.owned = false; });
      MoveGroup(id, DefaultRoute(*f), DomainId());
      break;
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      ChangeGroup(id, [](FunctionState& state) { state.attached = true; });
      MoveGroup(id, Route::kDomain, operation.domain);
      d->finalised = true;
      break;
    case OperationKind::kDetach:
      ChangeGroup(id, [](FunctionState& state) { state.attached = false; });
      MoveGroup(id, f->owned ? Route::kBlocked : DefaultRoute(*f), DomainId());
      break;
    case OperationKind::kSetDefault:
      ChangeGroup(id, [&](FunctionState& state) {
        state.default_domain = operation.default_domain;
      });
      if (!f->owned) MoveGroup(id, DefaultRoute(*f), DomainId());
      break;
    case OperationKind::kMap:
      d->allocated = d->finalised = true;
      Insert(d->mappings, {operation.page, operation.pages, physical});
      break;
    case OperationKind::kUnmap:
      Remove(d->mappings, operation.page, operation.pages,
             operation.queued ? &d->unflushed : nullptr);
      break;
    case OperationKind::kFlush:
      d->unflushed.clear();
      break;
    case OperationKind::kDma:
      break;
    case OperationKind::kDomainNew:
      ApplyAllocation(operation.domain, 0);
      break;
    case OperationKind::kDomainFree:
      *d = DomainState();
      break;
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
    case OperationKind::kClearPasid:
      ApplyPasid(operation);
      break;
    case OperationKind::kResetBegin:
    case OperationKind::kResetEnd:
      ApplyReset(id, operation.kind == OperationKind::kResetBegin);
      break;
    case OperationKind::kVdeviceFree:
    case OperationKind::kGuestFlush:
      break;
    case OperationKind::kBind:
    case OperationKind::kUnbind:
      ApplyBond(operation);
      break;
    case OperationKind::kExit:
      ApplyExit(operation.domain);
      break;
  }
}

bool Contract::ChangesState(const Operation& operation) const {
  switch (operation.kind) {
    case OperationKind::kProbe:
      return !function(operation.function).probed;
    case OperationKind::kRelease:
      return function(operation.function).probed;
    case OperationKind::kClaim:
      return !function(operation.function).owned;
    case OperationKind::kUnclaim:
      return function(operation.function).owned;
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      return function(operation.function).group_domain != operation.domain;
    case OperationKind::kDetach:
      return function(operation.function).attached;
    case OperationKind::kSetDefault:
      return function(operation.function).default_domain !=
             operation.default_domain;
    case OperationKind::kMap:
    case OperationKind::kUnmap:
      return true;
    case OperationKind::kFlush:
      return !domain(operation.domain).unflushed.empty();
    case OperationKind::kDma:
      return false;
    case OperationKind::kDomainNew:
      return !domain(operation.domain).allocated;
    case OperationKind::kDomainFree:
      return domain(operation.domain).allocated;
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid: {
      const PasidState wanted = {operation.pasid, operation.domain};
      const std::vector<PasidState>& pasids = GroupPasids(operation.function);
      return std::find(pasids.begin(), pasids.end(), wanted) == pasids.end();
    }
    case OperationKind::kClearPasid: {
      const std::vector<PasidState>& pasids = GroupPasids(operation.function);
      const auto it = FindPasid(pasids, operation.pasid);
      return it != pasids.end() && it->pasid == operation.pasid;
    }
    case OperationKind::kResetBegin:
      return true;
    case OperationKind::kResetEnd:
      return function(operation.function).reset_depth != 0;
    case OperationKind::kVdeviceFree:
    case OperationKind::kGuestFlush:
      return false;
    case OperationKind::kBind:
    case OperationKind::kUnbind:
      return true;
    case OperationKind::kExit:
      return domain(operation.domain).allocated;
  }
  assert(false && "every kind is known");
  return false;
}

}  // namespace atsfuzz::model
