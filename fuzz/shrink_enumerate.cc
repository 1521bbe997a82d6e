#include <algorithm>
#include <set>
#include <utility>

#include "fuzz/machine.h"
#include "fuzz/predict.h"
#include "fuzz/shrink_cost.h"
#include "fuzz/shrink_moves.h"

// All short sequences.
namespace atsfuzz::fuzz {

using model::Contract;
using model::DefaultDomain;
using model::DomainId;
using model::Faults;
using model::Function;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::OperationShape;
using model::Scenario;
using model::Topology;

namespace {

// Sequences that one call looks at. Fixed, so that a shrunk scenario shrinks to
// itself.
constexpr int kMostSequences = 3000;
constexpr size_t kLongest = 5;

// What a scenario mentions, to be said again.
struct Mentioned {
  std::set<std::pair<uint16_t, uint16_t>> ranges = {{0, 1}};
  std::set<uint32_t> pasids;  // 0, traffic without one, is among them
  bool resets = false;
  bool processes = false;
};

Mentioned MentionedIn(const Scenario& scenario) {
  Mentioned mentioned;
  mentioned.pasids.insert(0);
  for (const Operation& operation : scenario.operations) {
    if (model::ShapeOf(operation.kind).page) {
      mentioned.ranges.emplace(operation.page, operation.pages);
    }
    mentioned.pasids.insert(operation.pasid);
    mentioned.processes |= operation.kind == OperationKind::kBind;
    mentioned.resets |= operation.kind == OperationKind::kResetBegin;
  }
  return mentioned;
}

bool HasNested(const model::Topology& topology) {
  return std::any_of(topology.domains.begin(), topology.domains.end(),
                     [](const auto& domain) { return domain.parent.valid(); });
}

// Adds `operation` once for each of the PASIDs that its kind can name.
void SpellPasids(Operation operation, const Mentioned& mentioned,
                 std::vector<Operation>* alphabet) {
  const OperationShape& shape = model::ShapeOf(operation.kind);
  for (uint32_t pasid : mentioned.pasids) {
    if (pasid == 0 ? shape.pasid : !shape.pasid && !shape.stream) continue;
    operation.pasid = pasid;
    alphabet->push_back(operation);
  }
}

// Adds `operation` once for each combination of things its kind names.
void Spell(const Scenario& scenario, Operation operation,
           const Mentioned& mentioned, std::vector<Operation>* alphabet) {
  const OperationShape& shape = model::ShapeOf(operation.kind);
  if ((operation.kind == OperationKind::kResetBegin ||
       operation.kind == OperationKind::kResetEnd) &&
      !mentioned.resets) {
    return;
  }
  if ((operation.kind == OperationKind::kVdeviceFree ||
       operation.kind == OperationKind::kGuestFlush) &&
      !HasNested(scenario.topology)) {
    return;
  }
  if ((operation.kind == OperationKind::kBind ||
       operation.kind == OperationKind::kUnbind ||
       operation.kind == OperationKind::kExit) &&
      !mentioned.processes) {
    return;
  }
  const size_t functions =
      shape.function ? scenario.topology.functions.size() : 1;
  const size_t domains = shape.domain ? scenario.topology.domains.size() : 1;
  for (size_t f = 0; f < functions; ++f) {
    if (shape.function)
      operation.function = FunctionId(static_cast<uint8_t>(f));
    for (size_t d = 0; d < domains; ++d) {
      if (shape.domain) operation.domain = DomainId(static_cast<uint8_t>(d));
      if (!shape.page) {
        SpellPasids(operation, mentioned, alphabet);
        continue;
      }
      for (const auto& [page, pages] : mentioned.ranges) {
        operation.page = page;
        operation.pages = shape.range ? pages : 1;
        SpellPasids(operation, mentioned, alphabet);
      }
    }
  }
}

// The machine, and those that differ from it in default domains.
std::vector<Topology> Variants(const Topology& topology) {
  std::vector<Topology> variants = {topology};
  for (DefaultDomain kind : {DefaultDomain::kDma, DefaultDomain::kIdentity}) {
    Topology all = topology;
    for (Function& function : all.functions) function.default_domain = kind;
    variants.push_back(all);
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    if (topology.functions[i].leader.valid()) continue;
    Topology one = topology;
    DefaultDomain& kind = one.functions[i].default_domain;
    kind = kind == DefaultDomain::kDma ? DefaultDomain::kIdentity
                                       : DefaultDomain::kDma;
    MakeValid(&one);
    variants.push_back(one);
  }
  return variants;
}

class Enumeration {
 public:
  Enumeration(const Scenario& scenario, const model::Capabilities& capabilities,
              const Attempt& attempt)
      : capabilities_(capabilities),
        attempt_(attempt),
        alphabet_(Alphabet(scenario)) {
    for (const Operation& operation : scenario.operations) {
      if (operation.faults.any()) faults_.push_back(operation.faults);
    }
    for (const Topology& topology : Variants(scenario.topology)) {
      Scenario start = scenario;
      start.topology = topology;
      start.operations.clear();
      machines_.push_back(start);
    }
  }

  // Sequences with several faulty operations are too many to look at.
  bool feasible() const { return faults_.size() <= 1; }

  bool OfLength(size_t length) {
    for (const Scenario& machine : machines_) {
      if (Extend(machine, Contract(machine.topology, capabilities_), length))
        return true;
    }
    return false;
  }

 private:
  bool Extend(const Scenario& prefix, const Contract& contract, size_t left) {
    for (const Operation& operation : alphabet_) {
      if (sequences_ >= kMostSequences) return false;
      // An operation that changes nothing leads nowhere, but may itself fail.
      if (left > 1 && !Leads(contract, operation)) continue;
      if (!contract.Allows(operation).ok()) continue;
      Scenario longer = prefix;
      longer.operations.push_back(operation);
      if (left == 1) {
        if (Propose(longer)) return true;
        continue;
      }
      Contract after = contract;
      ApplyPrediction(operation, &after);
      if (Extend(longer, after, left - 1)) return true;
    }
    return false;
  }

  static bool Leads(const Contract& contract, const Operation& operation) {
    return operation.kind == OperationKind::kDma ||
           contract.ChangesState(operation);
  }

  bool Propose(const Scenario& scenario) {
    ++sequences_;
    if (faults_.empty()) return attempt_(scenario);
    for (size_t i = scenario.operations.size(); i-- > 0;) {
      Scenario faulty = scenario;
      faulty.operations[i].faults = faults_[0];
      if (attempt_(faulty)) return true;
    }
    return false;
  }

  const model::Capabilities& capabilities_;
  const Attempt& attempt_;
  std::vector<Operation> alphabet_;
  std::vector<Faults> faults_;
  std::vector<Scenario> machines_;
  int sequences_ = 0;
};

}  // namespace

std::vector<Operation> Alphabet(const Scenario& scenario) {
  const Mentioned mentioned = MentionedIn(scenario);
  std::vector<Operation> alphabet;
  for (int kind = 0; kind < model::kOperationKinds; ++kind) {
    Operation operation;
    operation.kind = static_cast<OperationKind>(kind);
    Spell(scenario, operation, mentioned, &alphabet);
    const OperationShape& shape = model::ShapeOf(operation.kind);
    if (shape.queued || shape.default_domain) {
      operation.queued = shape.queued;
      if (shape.default_domain) {
        operation.default_domain = DefaultDomain::kIdentity;
      }
      Spell(scenario, operation, mentioned, &alphabet);
    }
  }
  std::stable_sort(alphabet.begin(), alphabet.end(),
                   [](const Operation& a, const Operation& b) {
                     return CostOf(a) < CostOf(b);
                   });
  return alphabet;
}

bool EnumerateShort(const Scenario& scenario,
                    const model::Capabilities& capabilities,
                    const Attempt& attempt) {
  Enumeration enumeration(scenario, capabilities, attempt);
  if (!enumeration.feasible()) return false;
  const size_t longest = std::min(scenario.operations.size(), kLongest);
  for (size_t length = 1; length <= longest; ++length) {
    if (enumeration.OfLength(length)) return true;
  }
  return false;
}

}  // namespace atsfuzz::fuzz
