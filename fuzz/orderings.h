#ifndef ATSFUZZ_FUZZ_ORDERINGS_H_
#define ATSFUZZ_FUZZ_ORDERINGS_H_

#include <cstdint>
#include <span>

#include "model/scenario.h"
#include "model/schedule.h"

namespace atsfuzz::fuzz {

// Counts, for coverage, which steps ran between which: for each time that a
// thread of the scenario's block stopped inside of an operation, and each
// stretch of another thread until it went on, one of `counters`, by where the
// one stood and where the other came to. Saturates at 255.
//
// `ran`: how the block went (RunResult::schedule).
void CountOrderings(const model::Scenario& scenario, const model::Schedule& ran,
                    std::span<uint8_t> counters);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_ORDERINGS_H_
