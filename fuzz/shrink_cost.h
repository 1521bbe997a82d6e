#ifndef ATSFUZZ_FUZZ_SHRINK_COST_H_
#define ATSFUZZ_FUZZ_SHRINK_COST_H_

#include <cstdint>

#include "model/scenario.h"

// What makes an operation or a machine simple, in numbers. The order of
// Simpler (fuzz/shrink.h) is made of these.
namespace atsfuzz::fuzz {

// The place of a kind in the canonical order: what a reader expects first, and
// what needs the least before it, ranks lowest.
int RankOf(model::OperationKind kind);

// The canonical order of operations: by rank, then by arguments.
bool ComesFirst(const model::Operation& a, const model::Operation& b);

// Fault bits set.
int CountFaults(const model::Faults& faults);

// Arguments: 0 for the simplest operation, more for each argument by its
// distance from the simplest (stream 0, page 0, one page, strict, dma). A
// fault by number is simpler than one by site, a lower number than a higher.
uint64_t CostOf(const model::Operation& operation);

// Attributes: 0 for PFs without capabilities behind no SMMU.
uint64_t CostOf(const model::Topology& topology);

// Of one stream id at `position` of a function's list: its own default id and
// those behind it first, then repeats, other functions' ids, the first id out
// of range, anything else.
uint64_t StreamCost(const model::Topology& topology, model::FunctionId function,
                    size_t position);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SHRINK_COST_H_
