#include "fuzz/strategy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzz/preemptions.h"
#include "fuzz/seed.h"

namespace atsfuzz::fuzz {
namespace {

// How long a block is, is not known before it ran; short ones and long ones get
// their chance.
uint32_t LengthFor(uint64_t seed) {
  return 32u << SeedOf(seed, 3) % 6;  // 32 to 1024
}

Strategy Concrete(Strategy strategy, uint64_t seed) {
  if (strategy != Strategy::kMixed) return strategy;
  // It takes as long as some hundred of the others.
  if (SeedOf(seed, 4) % 512 == 0) return Strategy::kBounded;
  constexpr Strategy kOneOf[] = {Strategy::kPct,    Strategy::kPct,
                                 Strategy::kRandom, Strategy::kPos,
                                 Strategy::kBytes,  Strategy::kBytes};
  return kOneOf[SeedOf(seed, 1) % std::size(kOneOf)];
}

class One : public Schedules {
 public:
  explicit One(std::unique_ptr<Scheduler> scheduler)
      : scheduler_(std::move(scheduler)) {}
  Scheduler* Next() override {
    return std::exchange(given_, true) ? nullptr : scheduler_.get();
  }

 private:
  const std::unique_ptr<Scheduler> scheduler_;
  bool given_ = false;
};

class Bounded : public Schedules {
 public:
  explicit Bounded(int most) : search_(most) {}
  Scheduler* Next() override {
    return count_++ < kMostSchedules ? search_.Next() : nullptr;
  }

 private:
  PreemptionSearch search_;
  uint64_t count_ = 0;
};

std::unique_ptr<Scheduler> SchedulerFor(Strategy strategy, int depth,
                                        uint64_t seed,
                                        const model::Schedule& own) {
  switch (strategy) {
    case Strategy::kRandom:
      return std::make_unique<RandomWalk>(SeedOf(seed, 2));
    case Strategy::kPct:
      return std::make_unique<Pct>(SeedOf(seed, 2), depth, LengthFor(seed));
    case Strategy::kPos:
      return std::make_unique<PartialOrderSampling>(SeedOf(seed, 2));
    case Strategy::kMixed:
    case Strategy::kBytes:
    case Strategy::kBounded:
      break;
  }
  return std::make_unique<Replay>(own);
}

}  // namespace

absl::StatusOr<Strategy> ParseStrategy(absl::string_view name) {
  constexpr std::pair<absl::string_view, Strategy> kNames[] = {
      {"mixed", Strategy::kMixed}, {"random", Strategy::kRandom},
      {"pct", Strategy::kPct},     {"pos", Strategy::kPos},
      {"bytes", Strategy::kBytes}, {"bounded", Strategy::kBounded},
  };
  for (const auto& [known, strategy] : kNames) {
    if (known == name) return strategy;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "found ", name, ", expected mixed, random, pct, pos, bytes or bounded"));
}

std::unique_ptr<Schedules> SchedulesFor(const StrategyOptions& options,
                                        uint64_t seed,
                                        const model::Schedule& own) {
  const Strategy strategy = Concrete(options.strategy, seed);
  if (strategy == Strategy::kBounded) {
    return std::make_unique<Bounded>(options.preemptions);
  }
  return std::make_unique<One>(
      SchedulerFor(strategy, options.depth, seed, own));
}

}  // namespace atsfuzz::fuzz
