#ifndef ATSFUZZ_FUZZ_PLAN_H_
#define ATSFUZZ_FUZZ_PLAN_H_

#include <cstdint>
#include <vector>

#include "fuzz/round.h"
#include "model/scenario.h"

namespace atsfuzz::fuzz {

// What a campaign runs instead of random scenarios: rounds that are planned,
// each from what the one before it showed.
class Plan {
 public:
  virtual ~Plan() = default;

  // The runs of the next round; none: the plan is done.
  virtual std::vector<model::Scenario> NextRound() = 0;

  // What they showed. The round's first run has the number `first`; `reports`
  // is in run order and has one for each run that was done, with its tallies or
  // its death.
  virtual void RoundDone(uint64_t first,
                         const std::vector<RunReport>& reports) = 0;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PLAN_H_
