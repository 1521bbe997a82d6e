#include "fuzz/lockstep.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/address.h"
#include "model/contract.h"

namespace atsfuzz::fuzz {
namespace {

using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Scenario;

absl::Status Refused(const Scenario& scenario, size_t index,
                     absl::string_view reason) {
  return absl::FailedPreconditionError(
      absl::StrCat("operation ", index + 1, ", `",
                   model::ToText(scenario.topology, scenario.operations[index]),
                   "`: ", reason));
}

// What an operation needs beside itself to be run.
struct Entry {
  Operation operation;
  FunctionId through;
  uint64_t physical = 0;
};

// The kernel entries of a scenario, one after the other, as a contract allows
// them.
class Script {
 public:
  Script(const Scenario& scenario, const model::Capabilities& capabilities)
      : contract(scenario.topology, capabilities), scenario_(scenario) {}

  model::Contract contract;

  Entry Allocation(const Operation& operation) const {
    Entry entry;
    entry.operation.kind = OperationKind::kDomainNew;
    entry.operation.domain = operation.domain;
    entry.through = contract.AllocatesThrough(operation);
    return entry;
  }

  Entry EntryOf(const Operation& operation) {
    Entry entry{operation, {}, 0};
    if (operation.kind == OperationKind::kDomainNew) {
      entry.through = contract.AllocatesThrough(operation);
    } else if (operation.kind == OperationKind::kMap) {
      const model::Topology& topology = scenario_.topology;
      entry.physical =
          model::PhysicalOf(topology.at(topology.at(operation.domain).smmu),
                            operation.page, maps_++);
    }
    return entry;
  }

 private:
  const Scenario& scenario_;
  uint32_t maps_ = 0;
};

// A system, and what it showed last.
struct Party {
  model::System& system;
  Side side;
  TagOwners owners;
  Shown shown;
};

class Lockstep {
 public:
  Lockstep(const Scenario& scenario, model::System& left, model::System& right,
           const LockstepOptions& options)
      : scenario_(scenario),
        options_(options),
        left_{left, Side::kLeft, {}, {}},
        right_{right, Side::kRight, {}, {}},
        script_(scenario, Meet(left.capabilities(), right.capabilities())) {
    result_.allowed.resize(AllowedDifferences().size());
  }

  absl::StatusOr<LockstepResult> Run() {
    if (absl::Status status = Boot(); !status.ok()) return status;
    for (size_t i = 0; i < scenario_.operations.size() && !IsOver(); ++i) {
      absl::Status status = Step(i);
      if (!status.ok() && !options_.drop_impossible) return status;
    }
    // A boot starts from nothing: only a whole run needs its end.
    if (!IsOver()) Shutdown();
    return std::move(result_);
  }

 private:
  bool IsOver() const { return result_.difference || result_.died; }

  void Enter(const Party& party, uint64_t turn) {
    if (options_.entering) options_.entering(turn, party.side);
  }

  absl::Status Boot() {
    Enter(left_, 0);
    const absl::Status left = left_.system.Boot(scenario_.topology);
    Enter(right_, 0);
    const absl::Status right = right_.system.Boot(scenario_.topology);
    if (!left.ok() && !right.ok()) return left;
    if (!left.ok() || !right.ok()) {
      const auto text = [](const absl::Status& status) {
        return status.ok() ? std::string("came up")
                           : std::string(status.message());
      };
      result_.difference = MakeDifference(ObservedKind::kBoot, nullptr, "boot",
                                          text(left), text(right));
      result_.difference->at_boot = true;
      return absl::OkStatus();
    }
    ReadState();
    Keep(Compare(scenario_.topology, nullptr, left_.shown, left_.system,
                 right_.shown, right_.system, &result_.allowed),
         0, false);
    if (result_.difference) result_.difference->at_boot = true;
    return absl::OkStatus();
  }

  // Runs operation `index`. FailedPrecondition if the kernel could not do it.
  absl::Status Step(size_t index) {
    const Operation& operation = scenario_.operations[index];
    if (absl::Status status = script_.contract.Allows(operation);
        !status.ok()) {
      return Refused(scenario_, index, absl::string_view(status.message()));
    }
    if (script_.contract.AllocatesDomain(operation)) {
      const int result =
          RunEntry(script_.Allocation(operation), index, /*implicit=*/true);
      if (IsOver()) {
        result_.kept.push_back(static_cast<uint32_t>(index));
        return absl::OkStatus();
      }
      if (result != 0) {
        return Refused(scenario_, index,
                       "the allocation of its domain before it fails");
      }
    }
    const bool changes = script_.contract.ChangesState(operation);
    const int result = RunEntry(script_.EntryOf(operation), index, false);
    result_.kept.push_back(static_cast<uint32_t>(index));
    if (result == 0 && changes) ++result_.effective;
    return absl::OkStatus();
  }

  int RunEntry(const Entry& entry, size_t index, bool implicit) {
    for (Party* party : {&left_, &right_}) {
      Enter(*party, index + 1);
      party->shown.state.clear();
      party->shown.events.Clear();
      party->shown.result =
          party->system.Operate(entry.operation, entry.through, entry.physical);
      party->owners.Advance(party->system.Observe());
    }
    if (left_.system.Undefined() || right_.system.Undefined()) {
      result_.died = true;
      ++result_.allowed[kUndefined];
      return left_.shown.result;
    }
    // Deaths and return values first: unless they are equal, the contract does
    // not know what the states mean.
    for (Party* party : {&left_, &right_}) {
      AppendEvents(script_.contract, party->owners, party->system.Events(),
                   &party->shown.events);
    }
    Keep(CompareEnds(&entry.operation, left_.shown, left_.system, right_.shown,
                     right_.system),
         index, implicit);
    if (result_.difference) return left_.shown.result;
    result_.died = left_.shown.events.death >= 0;
    if (result_.died) return left_.shown.result;
    script_.contract.Apply(entry.operation, left_.shown.result, entry.physical);
    ReadState();
    Keep(Compare(scenario_.topology, &entry.operation, left_.shown,
                 left_.system, right_.shown, right_.system, &result_.allowed),
         index, implicit);
    return left_.shown.result;
  }

  void ReadState() {
    const Lacks lacks =
        LacksOf(left_.system.Observe()) | LacksOf(right_.system.Observe());
    for (Party* party : {&left_, &right_}) {
      AppendState(script_.contract, party->owners, party->system.Observe(),
                  lacks, &party->shown.state);
    }
  }

  void Keep(std::optional<Difference> difference, size_t index, bool implicit) {
    if (!difference) return;
    difference->operation = result_.kept.size();
    difference->implicit = implicit;
    result_.difference = std::move(difference);
  }

  void Shutdown() {
    for (Party* party : {&left_, &right_}) {
      Enter(*party, scenario_.operations.size() + 1);
      party->system.Shutdown();
    }
  }

  const Scenario& scenario_;
  const LockstepOptions& options_;
  Party left_, right_;
  Script script_;
  LockstepResult result_;
};

}  // namespace

absl::StatusOr<LockstepResult> RunLockstep(const Scenario& scenario,
                                           model::System& left,
                                           model::System& right,
                                           const LockstepOptions& options) {
  return Lockstep(scenario, left, right, options).Run();
}

bool DiesAlone(const Scenario& scenario, size_t operations,
               const model::Capabilities& capabilities, model::System& system,
               const std::function<void(uint64_t turn)>& entering) {
  Script script(scenario, capabilities);
  const auto enter = [&](const Entry& entry) {
    const int result =
        system.Operate(entry.operation, entry.through, entry.physical);
    script.contract.Apply(entry.operation, result, entry.physical);
    return result;
  };
  entering(0);
  if (!system.Boot(scenario.topology).ok()) return false;
  for (size_t i = 0; i < operations && i < scenario.operations.size(); ++i) {
    const Operation& operation = scenario.operations[i];
    if (!script.contract.Allows(operation).ok()) continue;
    entering(i + 1);
    if (script.contract.AllocatesDomain(operation) &&
        enter(script.Allocation(operation)) != 0) {
      continue;
    }
    enter(script.EntryOf(operation));
    ObservedEvents events;
    AppendEvents(script.contract, TagOwners(), system.Events(), &events);
    if (events.death >= 0 || system.Undefined()) return i + 1 == operations;
  }
  // A scenario that ends where the other side died in its shutdown.
  if (operations > scenario.operations.size()) {
    entering(operations);
    system.Shutdown();
  }
  return false;
}

}  // namespace atsfuzz::fuzz
