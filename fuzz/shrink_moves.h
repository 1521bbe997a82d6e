#ifndef ATSFUZZ_FUZZ_SHRINK_MOVES_H_
#define ATSFUZZ_FUZZ_SHRINK_MOVES_H_

#include <functional>
#include <vector>

#include "model/capabilities.h"
#include "model/scenario.h"

// The moves that the shrinker makes. Each proposes scenarios near the one it is
// given, in a fixed order, until one is accepted. A move need not care whether
// its proposals are simpler, valid or possible: the shrinker does
// (fuzz/shrink.cc).
namespace atsfuzz::fuzz {

// True if the proposal was accepted; the move then returns true at once.
using Attempt = std::function<bool(const model::Scenario&)>;
using Move = bool (*)(const model::Scenario&, const Attempt&);

// shrink_operations.cc: fewer operations.
bool DropChunks(const model::Scenario& scenario, const Attempt& attempt);
bool DropPairs(const model::Scenario& scenario, const Attempt& attempt);
// A set-default becomes the function's first default domain.
bool FoldSetDefault(const model::Scenario& scenario, const Attempt& attempt);
// Another operation in the place of one.
bool ReplaceOperations(const model::Scenario& scenario, const Attempt& attempt);
// Another order.
bool MoveOperations(const model::Scenario& scenario, const Attempt& attempt);

// shrink_arguments.cc: fewer and simpler faults, simpler arguments. Pages are
// also changed in all operations at once.
bool DropFaults(const model::Scenario& scenario, const Attempt& attempt);
bool SimplifyFaults(const model::Scenario& scenario, const Attempt& attempt);
bool SimplifyArguments(const model::Scenario& scenario, const Attempt& attempt);
bool SimplifyPages(const model::Scenario& scenario, const Attempt& attempt);
// Lower numbers for PASIDs, everywhere at once.
bool SimplifyPasids(const model::Scenario& scenario, const Attempt& attempt);

// shrink_machine.cc: a smaller machine, simpler attributes, canonical ids.
bool DropThings(const model::Scenario& scenario, const Attempt& attempt);
bool MergeThings(const model::Scenario& scenario, const Attempt& attempt);
bool SwapThings(const model::Scenario& scenario, const Attempt& attempt);
bool SimplifyAttributes(const model::Scenario& scenario,
                        const Attempt& attempt);
bool SimplifyStreams(const model::Scenario& scenario, const Attempt& attempt);

// shrink_threads.cc: fewer threads, fewer and simpler turns.
bool DropThreads(const model::Scenario& scenario, const Attempt& attempt);
bool DropTurns(const model::Scenario& scenario, const Attempt& attempt);
bool SimplifyTurns(const model::Scenario& scenario, const Attempt& attempt);
// One turn of a thread instead of several between which only SMMUs move: who
// waits lets them move anyway, and takes some more steps for it.
bool MergeTurns(const model::Scenario& scenario, const Attempt& attempt);
// One or two turns in the place of all: to drop a turn shifts the steps of
// those behind it, so that no single one may go.
bool ReplaceTurns(const model::Scenario& scenario, const Attempt& attempt);

// shrink_enumerate.cc: all short sequences on this machine and on those that
// differ in default domains, shortest first, up to a fixed number. What no
// single step reaches, this finds.
bool EnumerateShort(const model::Scenario& scenario,
                    const model::Capabilities& capabilities,
                    const Attempt& attempt);

// Every operation that can be said on a machine, with the page ranges that
// `ranges` mentions and page 0, the PASIDs that it mentions, and resets if it
// mentions one; without faults, simplest kinds first.
std::vector<model::Operation> Alphabet(const model::Scenario& ranges);

// Smaller numbers to try instead of `number`, most ambitious first: `low`,
// then in halving steps back up to number - 1.
std::vector<uint32_t> Towards(uint32_t low, uint32_t number);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SHRINK_MOVES_H_
