#include "fuzz/compose.h"

#include <algorithm>
#include <cassert>

#include "fuzz/faults.h"
#include "fuzz/predict.h"

namespace atsfuzz::fuzz {
namespace {

using model::DefaultDomain;
using model::DomainId;
using model::DomainState;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::FunctionState;
using model::Mapping;
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
};

FunctionId FunctionAt(int index) {
  return FunctionId(static_cast<uint8_t>(index));
}
DomainId DomainAt(int index) { return DomainId(static_cast<uint8_t>(index)); }

}  // namespace

Composer::Composer(const Topology& topology, uint8_t faults, Dice* dice)
    : dice_(*dice), contract_(topology), faults_(faults) {
  DrawSwarm();
}

void Composer::DrawSwarm() {
  const uint32_t keep = dice_.Chance(40) ? 100 : 75;
  for (int kind = 0; kind < model::kOperationKinds; ++kind) {
    const bool probe = kind == static_cast<int>(OperationKind::kProbe);
    if (!probe && !dice_.Chance(keep)) continue;
    weights_[kind] =
        static_cast<uint16_t>(kWeights[kind] * dice_.Between(1, 4));
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
  const std::vector<Function>& functions = contract_.topology().functions;
  for (size_t i = 0; i < functions.size(); ++i) {
    const FunctionId vf = FunctionAt(static_cast<int>(i));
    if (functions[i].pf == id && contract_.function(vf).probed) return false;
  }
  return true;
}

uint32_t Composer::DomainsFor(FunctionId id) const {
  const Topology& topology = contract_.topology();
  uint32_t domains = 0;
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    if (topology.domains[i].smmu == topology.at(id).smmu) domains |= 1u << i;
  }
  return domains;
}

void Composer::AddFunctionTargets(FunctionId id, Targets* targets) const {
  const FunctionState& state = contract_.function(id);
  const uint32_t bit = 1u << id.value;
  const auto add = [&](OperationKind kind) { (*targets)[Index(kind)] |= bit; };
  if (CanProbe(id)) add(OperationKind::kProbe);
  if (!state.probed) return;
  if (state.owned) {
    add(state.attached ? OperationKind::kReplace : OperationKind::kUnclaim);
  }
  if (state.attached) {
    add(OperationKind::kDetach);
    const DomainState& domain = contract_.domain(state.domain);
    if (!domain.mappings.empty()) add(OperationKind::kDma);
    return;
  }
  if (DomainsFor(id) != 0) add(OperationKind::kAttach);
  if (state.owned) return;
  add(OperationKind::kClaim);
  add(OperationKind::kSetDefault);
  if (CanRelease(id)) add(OperationKind::kRelease);
}

void Composer::AddDomainTargets(DomainId id, Targets* targets) const {
  const DomainState& state = contract_.domain(id);
  const uint32_t bit = 1u << id.value;
  const auto add = [&](OperationKind kind) { (*targets)[Index(kind)] |= bit; };
  if (!state.allocated) {
    Operation allocation;
    allocation.kind = OperationKind::kDomainNew;
    allocation.domain = id;
    if (!contract_.AllocatesThrough(allocation).valid()) return;
    add(OperationKind::kDomainNew);
    if (contract_.FinalisedByAllocation(id)) add(OperationKind::kMap);
    return;
  }
  if ((used_domains_ & bit) == 0) add(OperationKind::kDomainFree);
  if (!state.finalised) return;
  add(OperationKind::kMap);
  if (!state.mappings.empty()) add(OperationKind::kUnmap);
  if (!state.unflushed.empty()) add(OperationKind::kFlush);
}

Composer::Targets Composer::FindTargets() const {
  Targets targets = {};
  const Topology& topology = contract_.topology();
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    AddFunctionTargets(FunctionAt(static_cast<int>(i)), &targets);
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    AddDomainTargets(DomainAt(static_cast<int>(i)), &targets);
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

bool Composer::FillAttach(uint32_t functions, Operation* operation) {
  operation->function = FunctionAt(dice_.Bit(functions));
  uint32_t domains = DomainsFor(operation->function);
  // A replace onto the same domain is legal and dull.
  if (operation->kind == OperationKind::kReplace && !dice_.Chance(10)) {
    domains &= ~(1u << contract_.function(operation->function).domain.value);
  }
  if (domains == 0) return false;
  const bool share = (domains & used_domains_) != 0 && dice_.Chance(50);
  operation->domain =
      DomainAt(dice_.Bit(share ? domains & used_domains_ : domains));
  return true;
}

bool Composer::FillMap(Operation* operation) {
  const DomainState& state = contract_.domain(operation->domain);
  for (int attempt = 0; attempt < 4; ++attempt) {
    uint32_t page =
        dice_.Chance(70) ? dice_.Below(8) : dice_.Below(ATSFUZZ_MAX_PAGES);
    uint32_t pages = dice_.Chance(60) ? 1 : dice_.Between(2, 16);
    if (dice_.Chance(large_percent_)) {
      page = 512 * dice_.Below(2);
      pages = dice_.Chance(60) ? 512 : dice_.Between(17, 512);
    }
    pages = std::min<uint32_t>(pages, ATSFUZZ_MAX_PAGES - page);
    if (model::Overlaps(state.mappings, page, pages) ||
        model::Overlaps(state.unflushed, page, pages)) {
      continue;
    }
    operation->page = static_cast<uint16_t>(page);
    operation->pages = static_cast<uint16_t>(pages);
    return true;
  }
  return false;
}

bool Composer::FillUnmap(Operation* operation) {
  const model::Mappings& mappings =
      contract_.domain(operation->domain).mappings;
  size_t last = dice_.Below(static_cast<uint32_t>(mappings.size()));
  operation->page = mappings[last].page;
  while (last + 1 < mappings.size() && dice_.Chance(30) &&
         mappings[last].end() == mappings[last + 1].page) {
    ++last;
  }
  operation->pages =
      static_cast<uint16_t>(mappings[last].end() - operation->page);
  operation->queued = dice_.Chance(65);
  return true;
}

bool Composer::FillDma(Operation* operation) {
  const FunctionState& state = contract_.function(operation->function);
  const size_t streams =
      contract_.topology().at(operation->function).streams.size();
  operation->stream = static_cast<uint8_t>(dice_.Below(streams));
  const model::Mappings& mappings = contract_.domain(state.domain).mappings;
  if (dice_.Chance(8)) {
    // Perhaps unmapped: what the device must not reach.
    operation->page = static_cast<uint16_t>(dice_.Below(16));
    return true;
  }
  // The first pages of few mappings, so that accesses hit the ATC.
  const Mapping& mapping =
      mappings[dice_.Below(std::min<uint32_t>(mappings.size(), 3))];
  const uint32_t reach = std::min<uint32_t>(mapping.pages, 3);
  operation->page = static_cast<uint16_t>(mapping.page + dice_.Below(reach));
  return true;
}

bool Composer::Fill(uint32_t targets, Operation* operation) {
  switch (operation->kind) {
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      return FillAttach(targets, operation);
    case OperationKind::kMap:
      operation->domain = DomainAt(dice_.Bit(targets));
      return FillMap(operation);
    case OperationKind::kUnmap:
      operation->domain = DomainAt(dice_.Bit(targets));
      return FillUnmap(operation);
    case OperationKind::kFlush:
    case OperationKind::kDomainNew:
    case OperationKind::kDomainFree:
      operation->domain = DomainAt(dice_.Bit(targets));
      return true;
    case OperationKind::kDma:
      operation->function = FunctionAt(dice_.Bit(targets));
      return FillDma(operation);
    case OperationKind::kSetDefault:
      operation->function = FunctionAt(dice_.Bit(targets));
      operation->default_domain =
          contract_.function(operation->function).default_domain ==
                  DefaultDomain::kDma
              ? DefaultDomain::kIdentity
              : DefaultDomain::kDma;
      return true;
    default:
      operation->function = FunctionAt(dice_.Bit(targets));
      return true;
  }
}

bool Composer::FillFailing(Operation* operation) {
  const Topology& topology = contract_.topology();
  operation->function = FunctionAt(dice_.Below(topology.functions.size()));
  switch (dice_.Below(6)) {
    case 0:
      operation->kind = OperationKind::kProbe;
      return true;
    case 1:
      operation->kind = OperationKind::kClaim;
      return true;
    case 2:
      operation->kind = OperationKind::kSetDefault;
      operation->default_domain = DefaultDomain::kIdentity;
      return true;
    case 3:
      operation->kind = OperationKind::kDma;
      operation->page = static_cast<uint16_t>(dice_.Below(16));
      return true;
    default:
      if (topology.domains.empty()) return false;
      operation->kind = OperationKind::kAttach;
      operation->domain = DomainAt(dice_.Below(topology.domains.size()));
      return true;
  }
}

std::optional<Operation> Composer::Next() {
  used_domains_ = 0;
  const Topology& topology = contract_.topology();
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionState& state =
        contract_.function(FunctionAt(static_cast<int>(i)));
    if (state.attached) used_domains_ |= 1u << state.domain.value;
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
    if (contract_.Allows(operation).ok()) return operation;
  }
  return std::nullopt;
}

void Composer::Apply(const Operation& operation) {
  assert(contract_.Allows(operation).ok());
  ApplyPrediction(operation, &contract_);
}

}  // namespace atsfuzz::fuzz
