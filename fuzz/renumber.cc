#include "fuzz/renumber.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "fuzz/machine.h"

namespace atsfuzz::fuzz {
namespace {

using model::Domain;
using model::DomainId;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Operation;
using model::Scenario;
using model::SmmuId;

// The id that each old id becomes.
using Permutation = std::array<uint8_t, 16>;

Permutation Identity() {
  Permutation to;
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<uint8_t>(i);
  return to;
}

Permutation Exchange(uint8_t a, uint8_t b) {
  Permutation to = Identity();
  std::swap(to[a], to[b]);
  return to;
}

// `index` becomes the last of `count`, those behind it move down.
Permutation MoveToEnd(uint8_t index, size_t count) {
  Permutation to = Identity();
  for (size_t i = index + 1u; i < count; ++i) {
    to[i] = static_cast<uint8_t>(i - 1);
  }
  to[index] = static_cast<uint8_t>(count - 1);
  return to;
}

template <typename IdType>
void Follow(const Permutation& to, IdType* id) {
  if (id->valid()) *id = IdType(to[id->value]);
}

template <typename Things>
void Reorder(const Permutation& to, Things* things) {
  Things moved = *things;
  for (size_t i = 0; i < things->size(); ++i) {
    moved[to[i]] = std::move((*things)[i]);
  }
  *things = std::move(moved);
}

// A function's ids are those from its default one to the next function's.
uint32_t MovedStream(const Permutation& to, size_t functions, uint32_t stream) {
  const uint32_t owner = stream / 0x100 - 1;
  if (stream < 0x100 || owner >= functions) return stream;
  return stream % 0x100 + 0x100 * (to[owner] + 1u);
}

// Each group is led by its first function.
void Regroup(std::vector<Function>* functions) {
  std::array<uint8_t, 16> leaders;
  for (size_t i = 0; i < functions->size(); ++i) {
    const FunctionId leader = (*functions)[i].leader;
    leaders[i] = leader.valid() ? leader.value : static_cast<uint8_t>(i);
  }
  for (size_t i = 0; i < functions->size(); ++i) {
    size_t first = 0;
    while (leaders[first] != leaders[i]) ++first;
    (*functions)[i].leader =
        first == i ? FunctionId() : FunctionId(static_cast<uint8_t>(first));
  }
}

void PermuteFunctions(const Permutation& to, Scenario* scenario) {
  std::vector<Function>& functions = scenario->topology.functions;
  for (Function& function : functions) {
    Follow(to, &function.pf);
    Follow(to, &function.leader);
    for (uint32_t& stream : function.streams) {
      stream = MovedStream(to, functions.size(), stream);
    }
  }
  Reorder(to, &functions);
  Regroup(&functions);
  for (Operation& operation : scenario->operations) {
    Follow(to, &operation.function);
  }
}

void PermuteDomains(const Permutation& to, Scenario* scenario) {
  for (Domain& domain : scenario->topology.domains) {
    Follow(to, &domain.parent);
  }
  for (Operation& operation : scenario->operations) {
    Follow(to, &operation.domain);
    // A process's PASID goes with it.
    const DomainId process = scenario->topology.ProcessOf(operation.pasid);
    if (process.valid()) operation.pasid = to[process.value] + 1u;
  }
  Reorder(to, &scenario->topology.domains);
}

void PermuteSmmus(const Permutation& to, Scenario* scenario) {
  Reorder(to, &scenario->topology.smmus);
  for (Function& function : scenario->topology.functions) {
    Follow(to, &function.smmu);
  }
  for (Domain& domain : scenario->topology.domains) Follow(to, &domain.smmu);
}

void LeaveGroup(FunctionId id, std::vector<Function>* functions) {
  FunctionId next;
  for (size_t i = 0; i < functions->size(); ++i) {
    Function& function = (*functions)[i];
    if (function.leader != id) continue;
    function.leader = next;
    if (!next.valid()) next = FunctionId(static_cast<uint8_t>(i));
  }
  (*functions)[id.value].leader = FunctionId();
}

}  // namespace

Scenario Without(const Scenario& scenario, FunctionId id) {
  Scenario result = scenario;
  assert(result.topology.functions.size() > 1);
  std::erase_if(result.operations, [id](const Operation& operation) {
    return operation.function == id;
  });
  for (Function& function : result.topology.functions) {
    if (function.pf != id) continue;
    function.pf = FunctionId();
    function.kind = FunctionKind::kPf;
  }
  LeaveGroup(id, &result.topology.functions);
  PermuteFunctions(MoveToEnd(id.value, result.topology.functions.size()),
                   &result);
  result.topology.functions.pop_back();
  return result;
}

Scenario Without(const Scenario& scenario, DomainId id) {
  Scenario result = scenario;
  std::erase_if(result.operations, [id](const Operation& operation) {
    return operation.domain == id;
  });
  for (Domain& domain : result.topology.domains) {
    if (domain.parent == id) domain = {domain.smmu, domain.stage};
  }
  PermuteDomains(MoveToEnd(id.value, result.topology.domains.size()), &result);
  result.topology.domains.pop_back();
  return result;
}

Scenario Without(const Scenario& scenario, SmmuId id) {
  Scenario result = scenario;
  assert(result.topology.smmus.size() > 1);
  PermuteSmmus(MoveToEnd(id.value, result.topology.smmus.size()), &result);
  result.topology.smmus.pop_back();
  const SmmuId gone(static_cast<uint8_t>(result.topology.smmus.size()));
  for (Function& function : result.topology.functions) {
    if (function.smmu == gone) function.smmu = SmmuId();
  }
  for (Domain& domain : result.topology.domains) {
    if (domain.smmu == gone) domain.smmu = SmmuId(0);
  }
  MakeValid(&result.topology);
  return result;
}

Scenario Merged(const Scenario& scenario, FunctionId from, FunctionId to) {
  Scenario result = scenario;
  for (Operation& operation : result.operations) {
    if (operation.function == from) operation.function = to;
  }
  const bool pf = result.topology.at(to).kind == FunctionKind::kPf;
  for (Function& function : result.topology.functions) {
    if (pf && function.pf == from) function.pf = to;
  }
  return Without(result, from);
}

Scenario Merged(const Scenario& scenario, DomainId from, DomainId to) {
  Scenario result = scenario;
  for (Operation& operation : result.operations) {
    if (operation.domain == from) operation.domain = to;
  }
  if (!result.topology.at(to).parent.valid()) {
    for (Domain& domain : result.topology.domains) {
      if (domain.parent == from) domain.parent = to;
    }
    MakeValid(&result.topology);
  }
  return Without(result, from);
}

Scenario Merged(const Scenario& scenario, SmmuId from, SmmuId to) {
  Scenario result = scenario;
  for (Function& function : result.topology.functions) {
    if (function.smmu == from) function.smmu = to;
  }
  for (Domain& domain : result.topology.domains) {
    if (domain.smmu == from) domain.smmu = to;
  }
  return Without(result, from);
}

Scenario Swapped(const Scenario& scenario, FunctionId a, FunctionId b) {
  Scenario result = scenario;
  PermuteFunctions(Exchange(a.value, b.value), &result);
  return result;
}

Scenario Swapped(const Scenario& scenario, DomainId a, DomainId b) {
  Scenario result = scenario;
  PermuteDomains(Exchange(a.value, b.value), &result);
  return result;
}

Scenario Swapped(const Scenario& scenario, SmmuId a, SmmuId b) {
  Scenario result = scenario;
  PermuteSmmus(Exchange(a.value, b.value), &result);
  return result;
}

}  // namespace atsfuzz::fuzz
