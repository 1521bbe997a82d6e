#ifndef ATSFUZZ_FUZZ_MUTATE_H_
#define ATSFUZZ_FUZZ_MUTATE_H_

#include <cstdint>

#include "model/capabilities.h"
#include "model/scenario.h"

// Structure-aware mutation for coverage-guided engines: insert, delete,
// duplicate, move, swap, splice, change an argument, toggle a fault, change the
// topology. Deterministic in `seed`. Results have a valid topology; operations
// that the kernel could not do are left for Run to drop; what `capabilities`
// lack is removed.
namespace atsfuzz::fuzz {

model::Scenario Mutate(const model::Scenario& scenario, uint64_t seed,
                       uint8_t faults, size_t max_operations,
                       const model::Capabilities& capabilities = {});

// A prefix of `a` continued by a part of `b`, on a's machine; ids of b that a
// lacks are folded into range.
model::Scenario Crossover(const model::Scenario& a, const model::Scenario& b,
                          uint64_t seed, size_t max_operations);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_MUTATE_H_
