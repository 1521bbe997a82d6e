#ifndef ATSFUZZ_MODEL_BLOCK_H_
#define ATSFUZZ_MODEL_BLOCK_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "model/scenario.h"

// The `par` block of a scenario: the operations that threads run side by side.
// A scenario has at most one. Its operations follow each other, ordered by
// thread; threads count from 1 without gaps, and there are at least two.
namespace atsfuzz::model {

// Indices into the scenario's operations; first == end: there is no block.
struct Block {
  size_t first = 0, end = 0;
  int threads = 0;

  bool exists() const { return first != end; }
};
Block BlockOf(const Scenario& scenario);

// Of each thread, from 1 on ([0] is empty), its operations' indices.
std::vector<std::vector<size_t>> ThreadsOf(const Scenario& scenario,
                                           const Block& block);

// Makes a block of whatever threads the operations name: of those that come
// first until one that names none. Turns of actors that are not there go.
void NormalizeThreads(Scenario* scenario);

// The same, and no block at all where what is left may not run side by side.
void MakeThreadsValid(Scenario* scenario);

// OK, or InvalidArgument with the reason why the kernel's callers do not do
// this side by side. What one thread does must not decide what another may do:
//  - the functions of a group, and a PF and its VFs, are one thread's (iommufd
//    and VFIO serialise by group, hotplug by device); a dma is anybody's;
//  - a domain that is allocated or freed in the block is one thread's, and
//    nobody else removes a function that it may be allocated through, or names
//    a domain that is nested in it (iommufd holds the parent);
//  - one page of a domain is mapped and unmapped by one thread, and a domain's
//    queued unmaps and flushes are one thread's;
//  - processes come and go outside;
//  - faults of the hardware, whose numbers count accesses of all, stay outside.
absl::Status ValidateBlock(const Scenario& scenario);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_BLOCK_H_
