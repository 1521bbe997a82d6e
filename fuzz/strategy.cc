#include "fuzz/strategy.h"

#include <algorithm>
#include <optional>
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

// What another scheduler chooses, all of it weak.
class AllWeak : public Scheduler {
 public:
  Scheduler* Around(Scheduler* chooser) {
    chooser_ = chooser;
    return chooser == nullptr ? nullptr : this;
  }
  void Begin(const Situation& situation) override {
    chooser_->Begin(situation);
  }
  Choice Next(const Situation& situation) override {
    Choice choice = chooser_->Next(situation);
    choice.weak = choice.actor.is_thread();
    return choice;
  }
  void Moved(model::Actor actor, const model::Touched& touched) override {
    chooser_->Moved(actor, touched);
  }

 private:
  Scheduler* chooser_ = nullptr;
};

class Bounded : public Schedules {
 public:
  Bounded(int most, bool weak) : strong_(most) {
    if (weak) weak_.emplace(most);
  }
  Scheduler* Next() override {
    if (count_++ >= kMostSchedules) return nullptr;
    Scheduler* next = strong_.Next();
    return next == nullptr && weak_ ? all_weak_.Around(weak_->Next()) : next;
  }

 private:
  PreemptionSearch strong_;
  std::optional<PreemptionSearch> weak_;
  AllWeak all_weak_;
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

bool ReductionPays(const StrategyOptions& options) {
  return options.strategy == Strategy::kBounded && options.preemptions > 1;
}

std::unique_ptr<Schedules> SchedulesFor(const StrategyOptions& options,
                                        uint64_t seed,
                                        const model::Schedule& own) {
  const Strategy strategy = Concrete(options.strategy, seed);
  if (strategy == Strategy::kBounded) {
    return std::make_unique<Bounded>(options.preemptions, options.weak);
  }
  auto scheduler = SchedulerFor(strategy, options.depth, seed, own);
  const Refined::How how = {options.weak, options.plain_stops};
  if ((how.weak || how.plain_stops) && strategy != Strategy::kBytes) {
    scheduler =
        std::make_unique<Refined>(SeedOf(seed, 5), how, std::move(scheduler));
  }
  return std::make_unique<One>(std::move(scheduler));
}

}  // namespace atsfuzz::fuzz
