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
  // PreemptionSearch: all schedules with few preemptions, one after another, up
  // to the first that fails.
  kBounded,
};

struct StrategyOptions {
  Strategy strategy = Strategy::kMixed;
  int depth = 3;        // of kPct: 1 to 8
  int preemptions = 1;  // of kBounded: 0 to 8
  // Turns may be weak ones; of kBounded all, after all schedules without.
  bool weak = false;
  bool plain_stops = false;  // turns may end at plain accesses; not of kBounded
};

// "mixed", "random", "pct", "pos", "bytes", "bounded". InvalidArgument
// otherwise.
absl::StatusOr<Strategy> ParseStrategy(absl::string_view name);

// The schedules of one run's block, one after another.
class Schedules {
 public:
  virtual ~Schedules() = default;
  // Null: these were all. The first is never null. REQUIRES: the block was run
  // to its end with the one before.
  virtual Scheduler* Next() = 0;
};

// Those of a run. `own`: the scenario's, which must outlive it.
std::unique_ptr<Schedules> SchedulesFor(const StrategyOptions& options,
                                        uint64_t seed,
                                        const model::Schedule& own);

// Whether fewer schedules, where the system tells what it touches, outweigh
// that each takes some seven times as long (fuzz/preemptions.h).
bool ReductionPays(const StrategyOptions& options);

// Of kBounded, at most that many of one block.
inline constexpr uint64_t kMostSchedules = 50000;

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_STRATEGY_H_
