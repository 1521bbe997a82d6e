#include "fuzz/compose.h"
#include "model/pasid.h"

// What processes and the functions that are bound to them can do.
namespace atsfuzz::fuzz {

using model::DomainId;
using model::DomainState;
using model::FunctionId;
using model::OperationKind;
using model::Topology;

uint32_t Composer::ProcessesFor(FunctionId id, bool bound) const {
  const Topology& topology = contract_.topology();
  uint32_t processes = 0;
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    const model::Domain& domain = topology.domains[i];
    const DomainId process = DomainAt(i);
    if (!domain.process || domain.smmu != topology.at(id).smmu) continue;
    const bool can = bound ? contract_.BondOf(id, process) != nullptr
                           : !contract_.domain(process).exited;
    if (can) processes |= 1u << i;
  }
  return processes;
}

void Composer::AddSvaTargets(FunctionId id, Targets* targets) const {
  if (!contract_.capabilities().sva) return;
  const auto add = [&](OperationKind kind) {
    (*targets)[static_cast<size_t>(kind)] |= 1u << id.value;
  };
  if (ProcessesFor(id, true) != 0) add(OperationKind::kUnbind);
  if (!contract_.function(id).owned && !contract_.InReset(id) &&
      model::PasidBits(contract_.topology(), id) != 0 &&
      ProcessesFor(id, false) != 0) {
    add(OperationKind::kBind);
  }
}

void Composer::AddProcessTargets(DomainId id, Targets* targets) const {
  const DomainState& state = contract_.domain(id);
  const auto add = [&](OperationKind kind) {
    (*targets)[static_cast<size_t>(kind)] |= 1u << id.value;
  };
  if (state.exited) return;
  add(OperationKind::kMap);
  if (!state.mappings.empty()) add(OperationKind::kUnmap);
  const bool bound = (used_domains_ >> id.value & 1) != 0;
  if (bound && !state.mappings.empty()) add(OperationKind::kFlush);
  if (state.allocated) add(OperationKind::kExit);
}

}  // namespace atsfuzz::fuzz
