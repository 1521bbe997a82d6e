#ifndef ATSFUZZ_FUZZ_STRATEGY_H_
#define ATSFUZZ_FUZZ_STRATEGY_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzz/scheduler.h"
#include "model/schedule.h"

// Which scheduler a run's `par` block gets.
namespace atsfuzz::fuzz {

enum class Strategy : uint8_t {
  kMixed,   // any of the others, by the run's seed
  kRandom,  // RandomWalk
  kPct,     // Pct
  kPos,     // PartialOrderSampling
  // The scenario's own schedule, which the generator drew and mutators change:
  // coverage chooses.
  kBytes,
};

struct StrategyOptions {
  Strategy strategy = Strategy::kMixed;
  int depth = 3;  // of kPct: 1 to 8
};

// "mixed", "random", "pct", "pos", "bytes". InvalidArgument otherwise.
absl::StatusOr<Strategy> ParseStrategy(absl::string_view name);

// The scheduler of a run; null: the scenario's own schedule.
std::unique_ptr<Scheduler> SchedulerFor(const StrategyOptions& options,
                                        uint64_t seed);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_STRATEGY_H_
