#ifndef ATSFUZZ_FUZZ_BLOCK_RUN_H_
#define ATSFUZZ_FUZZ_BLOCK_RUN_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "fuzz/scheduler.h"
#include "model/block.h"
#include "model/contract.h"
#include "model/scenario.h"
#include "model/system.h"
#include "properties/checker.h"

// Runs the `par` block of a scenario: the part of fuzz/run.h where several
// operations are in flight.
namespace atsfuzz::fuzz {

struct BlockResult {
  // In the order in which they returned; those that never did last.
  std::vector<properties::SideBySide> operations;
  // Of each, its index in the scenario.
  std::vector<uint32_t> indices;
  // Who moved when: following it gives the same run.
  model::Schedule schedule;
  properties::Stuck stuck;
  uint32_t steps = 0;
};

struct BlockOptions {
  // Operations that the kernel could not do when their turn comes are left out;
  // otherwise FailedPrecondition.
  bool drop_impossible = false;
  Scheduler* scheduler = nullptr;  // must be set
  // Told each turn when it begins, as what it may become, and when it is over:
  // the `index`-th of the schedule so far. May be null.
  TellTurn tell;
};

// No operation takes more steps between its beginning, another one's return,
// and the time that passes: a map or an unmap of 512 pages takes up to 12,000,
// and no other as many. A turn can say more (model::Turn::step).
inline constexpr uint32_t kMostSteps = 60'000;
// Nor does as much time pass between two returns, in milliseconds: a CMD_SYNC
// times out after a second.
inline constexpr uint32_t kMostTime = 100'000;

// Where one does, it may be the scheduler's fault: who waits in a loop, without
// telling, needs the others to move. So all take fair turns, of lengths from 1
// to 1,024 steps, each of whom is ready in turn, until an operation returns;
// and time passes while they wait. They are no part of the schedule, after
// which they follow again. If there were kFairTurns of them, the operations in
// flight are stuck.
inline constexpr uint32_t kFairTurns = 8'192;

// REQUIRES: the system is booted, runs threads, and `contract` says what holds
// before the block. `physical`: by operation of the block, where a map goes.
absl::StatusOr<BlockResult> RunBlock(const model::Scenario& scenario,
                                     const model::Block& block,
                                     const std::vector<uint64_t>& physical,
                                     model::Contract contract,
                                     model::System& system,
                                     const BlockOptions& options);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_BLOCK_RUN_H_
