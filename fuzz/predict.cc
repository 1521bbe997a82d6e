#include "fuzz/predict.h"

#include <algorithm>
#include <cerrno>

#include "model/pasid.h"

namespace atsfuzz::fuzz {
namespace {

using model::Contract;
using model::Function;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Topology;

bool Shares(const Function& a, const Function& b) {
  return std::any_of(a.streams.begin(), a.streams.end(), [&](uint32_t stream) {
    return std::find(b.streams.begin(), b.streams.end(), stream) !=
           b.streams.end();
  });
}

// As arm_smmu_insert_master refuses: an id beyond the SMMU's, or another
// master's.
int PredictProbe(const Contract& contract, FunctionId id) {
  const Topology& topology = contract.topology();
  const Function& function = topology.at(id);
  if (!function.smmu.valid()) return -ENODEV;
  for (uint32_t stream : function.streams) {
    if (stream >= model::kSmmuStreamIds) return -ERANGE;
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId other(static_cast<uint8_t>(i));
    if (other != id && contract.function(other).probed &&
        topology.at(other).smmu == function.smmu &&
        Shares(function, topology.at(other))) {
      return -EINVAL;
    }
  }
  return 0;
}

// It is translated through a CD table, where PASIDs have their place.
bool IsStageOne(const Topology& topology, model::DomainId id) {
  return topology.at(id).stage == 1;
}

// The functions of a group that the core does not skip for PASIDs.
template <typename Test>
bool AnyWithPasids(const Contract& contract, FunctionId id, const Test& test) {
  const Topology& topology = contract.topology();
  const uint16_t members = model::MembersOf(topology, id);
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId member(static_cast<uint8_t>(i));
    if ((members >> i & 1) && contract.function(member).probed &&
        model::PasidBits(topology, member) != 0 && test(member)) {
      return true;
    }
  }
  return false;
}

bool OtherSmmu(const Contract& contract, const Operation& operation) {
  const Topology& topology = contract.topology();
  return topology.at(operation.function).smmu !=
         topology.at(operation.domain).smmu;
}

// iommu_attach_device_pasid, iommu_replace_device_pasid and the driver's
// set_dev_pasid.
int PredictSetPasid(const Contract& contract, const Operation& operation) {
  const Topology& topology = contract.topology();
  const FunctionId id = operation.function;
  const auto any = [](FunctionId) { return true; };
  const auto beyond = [&](FunctionId member) {
    return operation.pasid >> model::PasidBits(topology, member) != 0;
  };
  if (topology.at(operation.domain).parent.valid()) return -EOPNOTSUPP;
  if (contract.InReset(id)) return -EBUSY;
  const std::vector<model::PasidState>& pasids = contract.GroupPasids(id);
  const auto it =
      std::find_if(pasids.begin(), pasids.end(),
                   [&](const auto& p) { return p.pasid == operation.pasid; });
  if (operation.kind == OperationKind::kReplacePasid) {
    if (it == pasids.end()) return -EINVAL;
    if (it->domain == operation.domain) return 0;
  } else {
    if (AnyWithPasids(contract, id, beyond)) return -EINVAL;
    if (it != pasids.end()) return -EBUSY;
  }
  if (!AnyWithPasids(contract, id, any)) return 0;
  if (OtherSmmu(contract, operation)) return -EINVAL;
  const model::FunctionState& state = contract.function(id);
  const bool no_cd_table = state.group_route == model::Route::kDomain &&
                           !IsStageOne(topology, state.group_domain);
  return IsStageOne(topology, operation.domain) && !no_cd_table ? 0 : -EINVAL;
}

// arm_vsmmu_vdevice_init refuses functions of several stream ids; without a
// vDEVICE no guest's stage 1 can be attached.
bool NeedsVdevice(const Topology& topology, const Operation& operation) {
  const model::Domain& domain = topology.at(operation.domain);
  return domain.parent.valid() && domain.guest == model::GuestEntry::kStage1 &&
         topology.at(operation.function).streams.size() != 1;
}

// As NeedsVdevice: it never had one. Whether one was freed meanwhile is not the
// contract's to know.
int PredictVdeviceFree(const Contract& contract, FunctionId id) {
  return contract.topology().at(id).streams.size() == 1 ? 0 : -ENOENT;
}

int PredictBind(const Contract& contract, const Operation& operation) {
  const FunctionId id = operation.function;
  const Topology& topology = contract.topology();
  if (contract.BondOf(id, operation.domain) != nullptr) return 0;
  if ((topology.at(topology.at(id).smmu).granules & model::kGranule4K) == 0) {
    return -EOPNOTSUPP;
  }
  const uint32_t pasid = topology.ProcessPasid(operation.domain);
  if (pasid >> model::PasidBits(topology, id) != 0) return -ENOSPC;
  Operation set = operation;
  set.pasid = pasid;
  return PredictSetPasid(contract, set);
}

// A domain without a CD table cannot take the place of one that PASIDs use.
int PredictAttach(const Contract& contract, const Operation& operation) {
  const FunctionId id = operation.function;
  if (contract.InReset(id)) return -EBUSY;
  if (OtherSmmu(contract, operation)) return -EINVAL;
  const bool pasids = AnyWithPasids(contract, id, [&](FunctionId) {
    return !contract.GroupPasids(id).empty();
  });
  if (pasids && !IsStageOne(contract.topology(), operation.domain)) {
    return -EBUSY;
  }
  return NeedsVdevice(contract.topology(), operation) ? -ENOENT : 0;
}

}  // namespace

int PredictResult(const Contract& contract, const Operation& operation) {
  const OperationKind kind = operation.kind;
  if (kind == OperationKind::kClearPasid || kind == OperationKind::kResetEnd ||
      kind == OperationKind::kUnbind || kind == OperationKind::kExit) {
    return 0;  // they return nothing
  }
  if (kind == OperationKind::kMap &&
      contract.topology().at(operation.domain).process) {
    return 0;
  }
  // The first allocations are those that every path of an operation makes.
  if ((operation.faults.alloc_numbers & 3) != 0) return -ENOMEM;
  switch (kind) {
    case OperationKind::kProbe:
      return operation.faults.alloc_sites != 0
                 ? -ENOMEM
                 : PredictProbe(contract, operation.function);
    case OperationKind::kClaim:
      if (contract.function(operation.function).owned) return -EPERM;
      return contract.function(operation.function).attached ||
                     contract.InReset(operation.function) ||
                     !contract.GroupPasids(operation.function).empty()
                 ? -EBUSY
                 : 0;
    case OperationKind::kAttach:
      if (contract.function(operation.function).attached) return -EBUSY;
      return PredictAttach(contract, operation);
    case OperationKind::kReplace:
      if (contract.function(operation.function).group_domain ==
          operation.domain) {
        return 0;
      }
      return PredictAttach(contract, operation);
    case OperationKind::kSetDefault:
      if (contract.function(operation.function).owned) return -EPERM;
      return contract.InReset(operation.function) &&
                     contract.ChangesState(operation)
                 ? -EBUSY
                 : 0;
    case OperationKind::kBind:
      return PredictBind(contract, operation);
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
      return PredictSetPasid(contract, operation);
    case OperationKind::kVdeviceFree:
      return PredictVdeviceFree(contract, operation.function);
    case OperationKind::kGuestFlush:
      return PredictVdeviceFree(contract, operation.function) == 0 ? 0 : -EIO;
    default:
      return 0;
  }
}

void ApplyPrediction(const Operation& operation, Contract* contract) {
  if (contract->AllocatesDomain(operation)) {
    contract->ApplyAllocation(operation.domain, 0);
  }
  contract->Apply(operation, PredictResult(*contract, operation), 0);
}

model::Scenario WithoutImpossible(const model::Scenario& scenario,
                                  const model::Capabilities& capabilities) {
  model::Scenario possible = scenario;
  possible.operations.clear();
  Contract contract(scenario.topology, capabilities);
  for (const Operation& operation : scenario.operations) {
    if (!contract.Allows(operation).ok()) continue;
    ApplyPrediction(operation, &contract);
    possible.operations.push_back(operation);
  }
  return possible;
}

}  // namespace atsfuzz::fuzz
