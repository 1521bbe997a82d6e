#include "fuzz/strategy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
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
  constexpr Strategy kOneOf[] = {Strategy::kPct,    Strategy::kPct,
                                 Strategy::kRandom, Strategy::kPos,
                                 Strategy::kBytes,  Strategy::kBytes};
  return kOneOf[SeedOf(seed, 1) % std::size(kOneOf)];
}

}  // namespace

absl::StatusOr<Strategy> ParseStrategy(absl::string_view name) {
  constexpr std::pair<absl::string_view, Strategy> kNames[] = {
      {"mixed", Strategy::kMixed}, {"random", Strategy::kRandom},
      {"pct", Strategy::kPct},     {"pos", Strategy::kPos},
      {"bytes", Strategy::kBytes},
  };
  for (const auto& [known, strategy] : kNames) {
    if (known == name) return strategy;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "found ", name, ", expected mixed, random, pct, pos or bytes"));
}

std::unique_ptr<Scheduler> SchedulerFor(const StrategyOptions& options,
                                        uint64_t seed) {
  const uint64_t own = SeedOf(seed, 2);
  switch (Concrete(options.strategy, seed)) {
    case Strategy::kRandom:
      return std::make_unique<RandomWalk>(own);
    case Strategy::kPct:
      return std::make_unique<Pct>(own, options.depth, LengthFor(seed));
    case Strategy::kPos:
      return std::make_unique<PartialOrderSampling>(own);
    case Strategy::kMixed:
    case Strategy::kBytes:
      break;
  }
  return nullptr;
}

}  // namespace atsfuzz::fuzz
