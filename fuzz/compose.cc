#include "fuzz/compose.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "fuzz/faults.h"
#include "fuzz/predict.h"
#include "model/pasid.h"

namespace atsfuzz::fuzz {
namespace {

using model::DomainId;
using model::DomainState;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::FunctionState;
using model::Operation;
using model::OperationKind;
using model::Topology;

constexpr size_t Index(OperationKind kind) { return static_cast<size_t>(kind); }

// How often each kind is wanted where it can be done. Kinds that need much
// before them (replace, unclaim, flush) weigh more, so that none is rare.
constexpr std::array<uint16_t, model::kOperationKinds> kWeights = {
    24,   // probe
    8,    // release
    12,   // claim
    16,   // unclaim
    16,   // attach
    44,   // replace
    12,   // detach
    7,    // set-default
    16,   // map
    30,   // unmap
    120,  // flush
    48,   // dma
    8,    // domain-new
    14,   // domain-free
    20,   // set-pasid
    500,  // replace-pasid
    12,   // clear-pasid
    12,   // reset-begin
    24,   // reset-end
    600,  // vdevice-free
    600,  // guest-flush
    24,   // bind
    12,   // unbind
    10,   // exit
};

// Numbers that matter to CD tables: the leaf of CD 0 ends with 1023.
constexpr uint32_t kLargePasids[] = {3, 63, 1023, 1024, 65535, 1u << 19};

}  // namespace

Composer::Composer(const Topology& topology, uint8_t faults, Dice* dice,
                   const model::Capabilities& capabilities)
    : dice_(*dice), contract_(topology, capabilities), faults_(faults) {
  DrawSwarm();
}

void Composer::DrawSwarm() {
  const uint32_t keep = dice_.Chance(40) ? 100 : 75;
  for (int kind = 0; kind < model::kOperationKinds; ++kind) {
    const bool probe = kind == static_cast<int>(OperationKind::kProbe);
    if (!HasKind(contract_.capabilities(), static_cast<OperationKind>(kind))) {
      continue;
    }
    if (!probe && !dice_.Chance(keep)) continue;
    weights_[kind] =
        static_cast<uint16_t>(kWeights[kind] * dice_.Between(1, 4));
  }
  if (contract_.capabilities().pasids) {
    large_pasid_ = std::min(kLargePasids[dice_.Below(std::size(kLargePasids))],
                            contract_.capabilities().largest_pasid);
  }
  large_percent_ = dice_.Chance(60) ? dice_.Between(5, 30) : 0;
  if (faults_ == 0 || dice_.Chance(25)) return;
  constexpr uint32_t kPercents[] = {4, 10, 25, 60};
  fault_percent_ = kPercents[dice_.Below(4)];
  // One class alone half of the time; otherwise any of them.
  if (dice_.Chance(50))
    faults_ = static_cast<uint8_t>(1u << dice_.Bit(faults_));
}

bool Composer::CanProbe(FunctionId id) const {
  const Function& function = contract_.topology().at(id);
  // Without faults, a probe that failed fails again (see FillFailing).
  const bool tried = faults_ == 0 ? contract_.function(id).probe_tried
                                  : contract_.function(id).probed;
  if (tried || !function.smmu.valid()) return false;
  return function.kind != FunctionKind::kVf ||
         !contract_.topology().at(function.pf).smmu.valid() ||
         contract_.function(function.pf).probe_tried;
}

bool Composer::CanRelease(FunctionId id) const {
  if (contract_.function(id).reset_depth != 0 ||
      !contract_.GroupPasids(id).empty()) {
    return false;
  }
  const std::vector<Function>& functions = contract_.topology().functions;
  for (size_t i = 0; i < functions.size(); ++i) {
    const FunctionId vf = FunctionAt(i);
    if (functions[i].pf == id && contract_.function(vf).probed) return false;
  }
  return true;
}

uint32_t Composer::DomainsFor(FunctionId id) const {
  const Topology& topology = contract_.topology();
  uint32_t domains = 0;
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    const DomainId domain = DomainAt(i);
    // PASIDs need the CD table, which domains of stage 2 have no place for.
    const bool pasids = !contract_.GroupPasids(id).empty();
    if (topology.at(domain).parent.valid() && !contract_.function(id).owned) {
      continue;
    }
    if (topology.at(domain).smmu == topology.at(id).smmu &&
        !topology.at(domain).process &&
        (topology.at(domain).stage == 1 || !pasids) && CanAllocate(domain)) {
      domains |= 1u << i;
    }
  }
  return domains;
}

uint32_t Composer::PasidDomainsFor(FunctionId id) const {
  const Topology& topology = contract_.topology();
  const FunctionState& state = contract_.function(id);
  if (state.group_domain.valid() &&
      topology.at(state.group_domain).stage != 1) {
    return 0;
  }
  uint32_t domains = 0;
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    const model::Domain& domain = topology.domains[i];
    if (domain.smmu == topology.at(id).smmu && domain.stage == 1 &&
        !domain.process) {
      domains |= 1u << i;
    }
  }
  return domains;
}

// A nested domain is not allocated before its parent.
bool Composer::CanAllocate(DomainId id) const {
  const DomainId parent = contract_.topology().at(id).parent;
  return !parent.valid() || contract_.domain(id).allocated ||
         contract_.domain(parent).finalised;
}

bool Composer::HasMappings(DomainId id) const {
  return id.valid() &&
         !contract_.domain(contract_.topology().CountedBy(id)).mappings.empty();
}

void Composer::AddFunctionTargets(FunctionId id, Targets* targets) const {
  const FunctionState& state = contract_.function(id);
  const uint32_t bit = 1u << id.value;
  const auto add = [&](OperationKind kind) { (*targets)[Index(kind)] |= bit; };
  if (CanProbe(id)) add(OperationKind::kProbe);
  if (!state.probed) return;
  AddPasidTargets(id, targets);
  AddSvaTargets(id, targets);
  AddResetTargets(id, targets);
  const bool pasids = !contract_.GroupPasids(id).empty();
  const bool reset = contract_.InReset(id);
  if (state.owned && state.attached && !reset) add(OperationKind::kReplace);
  if (state.owned && !state.attached && !pasids) add(OperationKind::kUnclaim);
  if (state.attached) {
    if (contract_.topology().at(state.group_domain).parent.valid()) {
      add(OperationKind::kVdeviceFree);
      add(OperationKind::kGuestFlush);
    }
    add(OperationKind::kDetach);
    if (HasMappings(state.group_domain)) add(OperationKind::kDma);
    return;
  }
  if (DomainsFor(id) != 0 && !reset) add(OperationKind::kAttach);
  if (state.owned) return;
  if (!pasids && !reset) {
    add(OperationKind::kClaim);
    add(OperationKind::kSetDefault);
  }
  if (CanRelease(id)) add(OperationKind::kRelease);
}

void Composer::AddPasidTargets(FunctionId id, Targets* targets) const {
  if (!contract_.capabilities().pasids) return;
  const uint32_t bit = 1u << id.value;
  const auto add = [&](OperationKind kind) { (*targets)[Index(kind)] |= bit; };
  const FunctionState& state = contract_.function(id);
  const size_t set = contract_.GroupPasids(id).size();
  const auto own = [&](const model::PasidState& pasid) {
    return !contract_.topology().at(pasid.domain).process;
  };
  const std::vector<model::PasidState>& pasids = contract_.GroupPasids(id);
  const bool clears = std::any_of(pasids.begin(), pasids.end(), own);
  if (clears) add(OperationKind::kClearPasid);
  for (const model::PasidState& pasid : state.pasids) {
    if (HasMappings(pasid.domain)) add(OperationKind::kDma);
  }
  if (model::PasidBits(contract_.topology(), id) == 0 ||
      contract_.InReset(id) || PasidDomainsFor(id) == 0) {
    return;
  }
  if (set < ATSFUZZ_MAX_PASIDS) add(OperationKind::kSetPasid);
  if (clears && state.owned) add(OperationKind::kReplacePasid);
}

void Composer::AddResetTargets(FunctionId id, Targets* targets) const {
  const model::Capabilities& capabilities = contract_.capabilities();
  if (!capabilities.resets) return;
  const uint8_t depth = contract_.function(id).reset_depth;
  const OperationKind kind =
      depth == 0 ? OperationKind::kResetBegin : OperationKind::kResetEnd;
  if (depth == 0 &&
      !model::SupportsAts(contract_.topology(), id, capabilities.ats_asks_pf)) {
    return;
  }
  (*targets)[Index(kind)] |= 1u << id.value;
}

void Composer::AddDomainTargets(DomainId id, Targets* targets) const {
  if (contract_.topology().at(id).process) {
    return AddProcessTargets(id, targets);
  }
  const DomainState& state = contract_.domain(id);
  const uint32_t bit = 1u << id.value;
  const auto add = [&](OperationKind kind) { (*targets)[Index(kind)] |= bit; };
  const bool nested = contract_.topology().at(id).parent.valid();
  if (!state.allocated) {
    Operation allocation;
    allocation.kind = OperationKind::kDomainNew;
    allocation.domain = id;
    if (!contract_.AllocatesThrough(allocation).valid() || !CanAllocate(id)) {
      return;
    }
    add(OperationKind::kDomainNew);
    if (!nested && contract_.FinalisedByAllocation(id))
      add(OperationKind::kMap);
    return;
  }
  if ((used_domains_ & bit) == 0) add(OperationKind::kDomainFree);
  if (!state.finalised || nested) return;
  add(OperationKind::kMap);
  if (!state.mappings.empty()) add(OperationKind::kUnmap);
  if (!state.unflushed.empty()) add(OperationKind::kFlush);
}

Composer::Targets Composer::FindTargets() const {
  Targets targets = {};
  const Topology& topology = contract_.topology();
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    AddFunctionTargets(FunctionAt(i), &targets);
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    AddDomainTargets(DomainAt(i), &targets);
  }
  return targets;
}

std::optional<OperationKind> Composer::PickKind(const Targets& targets) {
  uint32_t sum = 0;
  for (int kind = 0; kind < model::kOperationKinds; ++kind) {
    if (targets[kind] != 0) sum += weights_[kind];
  }
  if (sum == 0) return std::nullopt;
  uint32_t at = dice_.Below(sum);
  for (int kind = 0;; ++kind) {
    if (targets[kind] == 0) continue;
    if (at < weights_[kind]) return static_cast<OperationKind>(kind);
    at -= weights_[kind];
  }
}

std::optional<Operation> Composer::Next() {
  used_domains_ = 0;
  const Topology& topology = contract_.topology();
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionState& state = contract_.function(FunctionAt(i));
    if (state.attached) used_domains_ |= 1u << state.group_domain.value;
    for (const model::PasidState& pasid :
         contract_.GroupPasids(FunctionAt(i))) {
      used_domains_ |= 1u << pasid.domain.value;
    }
  }
  // A parent stays as long as its nested domains.
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    const DomainId parent = topology.domains[i].parent;
    if (parent.valid() && contract_.domain(DomainAt(i)).allocated) {
      used_domains_ |= 1u << parent.value;
    }
  }
  const Targets targets = FindTargets();
  for (int attempt = 0; attempt < 8; ++attempt) {
    Operation operation;
    if (dice_.Chance(3)) {
      if (!FillFailing(&operation)) continue;
    } else {
      const std::optional<OperationKind> kind = PickKind(targets);
      if (!kind) return std::nullopt;
      operation.kind = *kind;
      if (!Fill(targets[Index(*kind)], &operation)) continue;
    }
    if (dice_.Chance(fault_percent_)) {
      operation.faults = DrawFault(dice_, operation.kind, faults_);
    }
    std::vector<uint32_t> pasids = pasids_;
    if (contract_.Allows(operation).ok() &&
        model::AddPasid(operation, &pasids)) {
      return operation;
    }
  }
  return std::nullopt;
}

void Composer::Apply(const Operation& operation) {
  assert(contract_.Allows(operation).ok());
  model::AddPasid(operation, &pasids_);
  ApplyPrediction(operation, &contract_);
}

}  // namespace atsfuzz::fuzz
