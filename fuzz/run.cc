#include "fuzz/run.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzz/block_run.h"
#include "model/address.h"
#include "properties/checker.h"

namespace atsfuzz::fuzz {
namespace {

using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Scenario;
using properties::Violation;

absl::Status Refused(const Scenario& scenario, size_t index,
                     absl::string_view reason) {
  return absl::FailedPreconditionError(
      absl::StrCat("operation ", index + 1, ", `",
                   model::ToText(scenario.topology, scenario.operations[index]),
                   "`: ", reason));
}

// The domain-new of what `operation` uses.
Operation AllocationFor(const Operation& operation) {
  Operation allocation;
  allocation.kind = OperationKind::kDomainNew;
  allocation.domain = operation.domain;
  return allocation;
}

// One run: the scenario's machine on the system, and the checker beside it.
class Runner {
 public:
  Runner(const Scenario& scenario, model::System& system,
         const RunOptions& options)
      : scenario_(scenario),
        system_(system),
        options_(options),
        checker_(scenario.topology, system.capabilities()) {
    result_.results.reserve(scenario.operations.size());
    result_.kept.reserve(scenario.operations.size());
  }

  absl::StatusOr<RunResult> Run() {
    if (absl::Status status = FitsSystem(); !status.ok()) return status;
    if (absl::Status status = system_.Boot(scenario_.topology); !status.ok()) {
      return status;
    }
    Report(checker_.Boot(system_.Events(), system_.Observe()),
           [&](std::span<const Violation> violations) {
             options_.listener->OnBoot(system_, violations);
           });
    const model::Block block = BlockOf(scenario_);
    for (size_t i = 0; i < scenario_.operations.size() && !ended_; ++i) {
      const bool in_block = block.exists() && i == block.first;
      absl::Status status = in_block ? RunBlock(block) : Step(i);
      if (in_block) i = block.end - 1;
      if (status.ok() || options_.drop_impossible) continue;
      system_.Shutdown();
      return status;
    }
    system_.Shutdown();
    Report(checker_.Shutdown(system_.Events(), system_.Observe()),
           [&](std::span<const Violation> violations) {
             options_.listener->OnShutdown(system_, violations);
           });
    return std::move(result_);
  }

 private:
  absl::Status FitsSystem() const {
    absl::Status status =
        model::Fits(system_.capabilities(), system_.name(), scenario_.topology);
    if (options_.drop_impossible) return status;
    if (status.ok()) {
      status = model::Fits(system_.capabilities(), system_.name(),
                           scenario_.schedule);
    }
    for (size_t i = 0; i < scenario_.operations.size() && status.ok(); ++i) {
      status = FitsSystem(i);
    }
    return status;
  }

  absl::Status FitsSystem(size_t index) const {
    const absl::Status status =
        model::Fits(system_.capabilities(), system_.name(), scenario_.topology,
                    scenario_.operations[index]);
    if (status.ok()) return status;
    return absl::UnimplementedError(absl::StrCat(
        "operation ", index + 1, ", ", absl::string_view(status.message())));
  }

  // Runs operation `index`. FailedPrecondition if the kernel could not do it.
  absl::Status Step(size_t index) {
    const Operation& operation = scenario_.operations[index];
    model::Contract& contract = checker_.contract();
    if (absl::Status status = FitsSystem(index); !status.ok()) return status;
    if (absl::Status status = contract.Allows(operation); !status.ok()) {
      return Refused(scenario_, index, absl::string_view(status.message()));
    }
    if (contract.AllocatesDomain(operation) && !Allocate(operation, index)) {
      return Refused(scenario_, index,
                     "the allocation of its domain before it fails");
    }
    FunctionId through;
    if (operation.kind == OperationKind::kDomainNew) {
      through = contract.AllocatesThrough(operation);
    }
    const uint64_t physical = NextPhysical(operation);
    const bool changes = contract.ChangesState(operation);
    const int result = Enter(operation, through, physical, index, false);
    result_.results.push_back(result);
    result_.kept.push_back(static_cast<uint32_t>(index));
    if (result == 0 && (changes || ReachesMemory(operation))) {
      ++result_.effective;
    }
    return absl::OkStatus();
  }

  // Where a map goes; 0 for others.
  uint64_t NextPhysical(const Operation& operation) {
    if (operation.kind != OperationKind::kMap) return 0;
    return model::PhysicalOf(
        scenario_.topology.at(scenario_.topology.at(operation.domain).smmu),
        operation.page, maps_++);
  }

  // Runs the operations of the block. Their domains are allocated before it.
  absl::Status RunBlock(const model::Block& block) {
    std::vector<uint64_t> physical;
    for (size_t i = block.first; i < block.end; ++i) {
      const Operation& operation = scenario_.operations[i];
      model::Contract& contract = checker_.contract();
      if (!ended_ && FitsSystem(i).ok() &&
          contract.AllocatesDomain(operation) &&
          contract.Allows(AllocationFor(operation)).ok()) {
        Allocate(operation, i);
        result_.allocated.push_back(static_cast<uint32_t>(i));
      }
      physical.push_back(NextPhysical(operation));
    }
    if (ended_) return absl::OkStatus();
    Replay replay(scenario_.schedule);
    absl::StatusOr<BlockResult> ran = fuzz::RunBlock(
        scenario_, block, physical, checker_.contract(), system_,
        {.drop_impossible = options_.drop_impossible,
         .scheduler = options_.scheduler ? options_.scheduler : &replay,
         .tell = options_.tell_turn});
    if (!ran.ok()) return ran.status();
    Keep(*ran);
    ended_ = HasEnded();
    Report(
        checker_.Block(ran->operations, ran->stuck, system_.Events(),
                       system_.Observe()),
        [&](std::span<const Violation> violations) {
          options_.listener->OnBlock(ran->operations, ran->indices, system_,
                                     violations);
        },
        true);
    ended_ |= ran->stuck.kind != properties::Stuck::kNot;
    return absl::OkStatus();
  }

  // Notes results in the scenario's order.
  void Keep(const BlockResult& ran) {
    std::vector<size_t> order(ran.indices.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return ran.indices[a] < ran.indices[b];
    });
    for (size_t i : order) {
      result_.results.push_back(ran.operations[i].result);
      result_.kept.push_back(ran.indices[i]);
      if (ran.operations[i].returned && ran.operations[i].result == 0) {
        ++result_.effective;
      }
    }
    result_.schedule = ran.schedule;
    result_.steps = ran.steps;
  }

  // The domain-new that `operation` needs first. False if it fails.
  bool Allocate(const Operation& operation, size_t index) {
    const FunctionId through = checker_.contract().AllocatesThrough(operation);
    assert(through.valid());
    return Enter(AllocationFor(operation), through, 0, index, true) == 0;
  }

  int Enter(const Operation& operation, FunctionId through, uint64_t physical,
            size_t index, bool implicit) {
    const int result = system_.Operate(operation, through, physical);
    ended_ = HasEnded();
    Report(checker_.Step(operation, result, physical, system_.Events(),
                         system_.Observe()),
           [&](std::span<const Violation> violations) {
             options_.listener->OnStep(operation, index, implicit, result,
                                       system_, violations);
           });
    return result;
  }

  // The kernel died, or does what depends on memory that it has freed: nothing
  // that it shows from here on means anything.
  bool HasEnded() {
    for (const atsfuzz_event& event : system_.Events()) {
      if (event.kind == ATSFUZZ_EVENT_MEMORY_ERROR && event.a == 1) return true;
    }
    return system_.Undefined();
  }

  // A device access counts as effective when it got somewhere.
  bool ReachesMemory(const Operation& operation) {
    if (operation.kind != OperationKind::kDma) return false;
    for (const atsfuzz_event& event : system_.Events()) {
      if (event.kind == ATSFUZZ_EVENT_DMA && event.b != ~uint64_t{0}) {
        return true;
      }
    }
    return false;
  }

  template <typename Tell>
  void Report(std::vector<Violation> violations, const Tell& tell,
              bool in_block = false) {
    if (ended_) {
      std::erase_if(violations, [](const Violation& violation) {
        return violation.invariant != properties::Invariant::kMemorySafe;
      });
    }
    for (Violation& violation : violations) {
      violation.operation = result_.kept.size() - (in_block ? 1 : 0);
    }
    if (options_.listener != nullptr) tell(violations);
    for (Violation& violation : violations) {
      result_.violations.push_back(std::move(violation));
    }
  }

  const Scenario& scenario_;
  model::System& system_;
  const RunOptions& options_;
  properties::Checker checker_;
  RunResult result_;
  uint32_t maps_ = 0;
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<RunResult> Run(const Scenario& scenario, model::System& system,
                              const RunOptions& options) {
  return Runner(scenario, system, options).Run();
}

Scenario Kept(const Scenario& scenario, const RunResult& result) {
  const auto was_kept = [&](size_t index) {
    return std::binary_search(result.kept.begin(), result.kept.end(),
                              static_cast<uint32_t>(index));
  };
  const model::Block block = BlockOf(scenario);
  Scenario kept = scenario;
  kept.operations.clear();
  // A domain that was allocated for what was dropped may be used by the rest.
  const bool allocates =
      !std::all_of(result.allocated.begin(), result.allocated.end(), was_kept);
  for (size_t i = 0; i < scenario.operations.size(); ++i) {
    if (allocates && i == block.first) {
      for (uint32_t index : result.allocated) {
        kept.operations.push_back(AllocationFor(scenario.operations[index]));
      }
    }
    if (was_kept(i)) kept.operations.push_back(scenario.operations[i]);
  }
  // What was dropped from a thread does not count in its turns any more.
  const auto threads = ThreadsOf(scenario, block);
  for (model::Turn& turn : kept.schedule) {
    if (!turn.actor.is_thread() || turn.actor.thread() > block.threads) {
      continue;
    }
    const std::vector<size_t>& own = threads[turn.actor.thread()];
    uint8_t dropped = 0;
    for (size_t i = 0; i < std::min<size_t>(turn.operation, own.size()); ++i) {
      dropped += !was_kept(own[i]);
    }
    turn.operation -= dropped;
  }
  model::MakeThreadsValid(&kept);
  return kept;
}

}  // namespace atsfuzz::fuzz
