#include "fuzz/predict.h"

#include <algorithm>
#include <cerrno>

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

bool OtherSmmu(const Contract& contract, const Operation& operation) {
  const Topology& topology = contract.topology();
  return topology.at(operation.function).smmu !=
         topology.at(operation.domain).smmu;
}

}  // namespace

int PredictResult(const Contract& contract, const Operation& operation) {
  // The first allocations are those that every path of an operation makes.
  if ((operation.faults.alloc_numbers & 3) != 0) return -ENOMEM;
  switch (operation.kind) {
    case OperationKind::kProbe:
      return operation.faults.alloc_sites != 0
                 ? -ENOMEM
                 : PredictProbe(contract, operation.function);
    case OperationKind::kClaim:
      if (contract.function(operation.function).owned) return -EPERM;
      return contract.function(operation.function).attached ? -EBUSY : 0;
    case OperationKind::kAttach:
      if (contract.function(operation.function).attached) return -EBUSY;
      return OtherSmmu(contract, operation) ? -EINVAL : 0;
    case OperationKind::kReplace:
      return OtherSmmu(contract, operation) ? -EINVAL : 0;
    case OperationKind::kSetDefault:
      return contract.function(operation.function).owned ? -EPERM : 0;
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

model::Scenario WithoutImpossible(const model::Scenario& scenario) {
  model::Scenario possible = scenario;
  possible.operations.clear();
  Contract contract(scenario.topology);
  for (const Operation& operation : scenario.operations) {
    if (!contract.Allows(operation).ok()) continue;
    ApplyPrediction(operation, &contract);
    possible.operations.push_back(operation);
  }
  return possible;
}

}  // namespace atsfuzz::fuzz
