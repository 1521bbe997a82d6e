#ifndef ATSFUZZ_FUZZ_BLOCK_RUN_H_
#define ATSFUZZ_FUZZ_BLOCK_RUN_H_

#include <cstdint>
#include <functional>
#include <string>
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
  // Why the operations in flight could not go on; empty: all returned.
  std::string stuck;
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
