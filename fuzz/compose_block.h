#ifndef ATSFUZZ_FUZZ_COMPOSE_BLOCK_H_
#define ATSFUZZ_FUZZ_COMPOSE_BLOCK_H_

#include <cstdint>

#include "fuzz/dice.h"
#include "model/capabilities.h"
#include "model/scenario.h"

namespace atsfuzz::fuzz {

struct BlockLimits {
  int threads = 2;  // 2 to ATSFUZZ_MAX_THREADS, at most
  uint8_t faults = 0;
  model::Capabilities capabilities;
};

// Appends a `par` block to a scenario that has none: two or more threads of a
// few operations each that its machine can do after what is there, and a
// schedule. One thread at least changes what functions are attached to; others
// unmap and flush, or are devices. Nothing is appended where nothing fits.
void AppendBlock(const BlockLimits& limits, Dice& dice,
                 model::Scenario* scenario);

// A turn of any thread or SMMU of a scenario that has a block.
model::Turn DrawTurn(const model::Scenario& scenario, Dice& dice,
                     const model::Capabilities& capabilities);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_COMPOSE_BLOCK_H_
