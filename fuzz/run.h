#ifndef ATSFUZZ_FUZZ_RUN_H_
#define ATSFUZZ_FUZZ_RUN_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/scheduler.h"
#include "model/scenario.h"
#include "model/system.h"
#include "properties/checker.h"
#include "properties/violation.h"

// Runs a scenario on a system under the checker: the one place where scenario,
// system and checker meet. Every engine, replay and the shrinker go through it.
namespace atsfuzz::fuzz {

// What a caller may watch. All calls come from Run, in order.
class RunListener {
 public:
  virtual ~RunListener() = default;
  // After the boot, before the first operation.
  virtual void OnBoot(model::System& system,
                      std::span<const properties::Violation> violations) {}
  // After each kernel entry: an operation, or the implicit allocation of its
  // domain (`implicit`). Events and observation are those of `system` now.
  virtual void OnStep(const model::Operation& operation, size_t index,
                      bool implicit, int result, model::System& system,
                      std::span<const properties::Violation> violations) {}
  // After a `par` block, instead of OnStep for its operations: in the order in
  // which they returned, with their indices.
  virtual void OnBlock(std::span<const properties::SideBySide> operations,
                       std::span<const uint32_t> indices, model::System& system,
                       std::span<const properties::Violation> violations) {}
  virtual void OnShutdown(model::System& system,
                          std::span<const properties::Violation> violations) {}
};

struct RunOptions {
  // Operations that the kernel could not do, or the system has not got, are
  // dropped instead of refused.
  bool drop_impossible = false;
  RunListener* listener = nullptr;
  // Of the `par` block; null: the scenario's schedule.
  Scheduler* scheduler = nullptr;
  TellTurn tell_turn;  // of the `par` block, as it goes; may be null
};

struct RunResult {
  std::vector<properties::Violation> violations;  // in order of appearance
  // Return value of each operation that ran (same indices as `kept`).
  std::vector<int> results;
  // Indices of the scenario's operations that ran; all of them unless dropped.
  // Violation::operation counts in this list.
  std::vector<uint32_t> kept;
  // Indices of the operations of the block for which a domain was allocated
  // before it, in order.
  std::vector<uint32_t> allocated;
  // Operations that returned 0 and changed state: what the contract knows
  // (Contract::ChangesState), or, for a dma, an access that reached memory.
  uint32_t effective = 0;
  // How the `par` block went: as a scenario's schedule, it goes so again.
  model::Schedule schedule;
  uint32_t steps = 0;  // of the block
};

// Boots the machine, runs every operation, shuts down. FailedPrecondition
// ("operation 3, `unclaim v0`: v0's group is not owned ...") if an operation is
// one that the kernel could not do and drop_impossible is off, or if the
// machine does not boot. Unimplemented, before anything ran, if the machine, or
// with drop_impossible off an operation, is beyond the system's capabilities.
absl::StatusOr<RunResult> Run(const model::Scenario& scenario,
                              model::System& system,
                              const RunOptions& options = {});

// `scenario` with only the operations that `result` kept, and the allocations
// that the dropped ones of its block had caused for the others.
model::Scenario Kept(const model::Scenario& scenario, const RunResult& result);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_RUN_H_
