#ifndef ATSFUZZ_PROPERTIES_AT_REST_H_
#define ATSFUZZ_PROPERTIES_AT_REST_H_

#include <cstdint>

#include "model/machine/machine.h"
#include "model/machine/promises.h"
#include "model/machine/state.h"
#include "properties/violation.h"

// The at-rest invariants, judged on the abstract machine's own state: what the
// reference checker (properties/checker.h) says of its observation, millions of
// times a second. A test holds the two together. Each rule and its source
// stand with the checker's family: ats_state.h, arrays.h, staleness.h,
// attachment.h.
namespace atsfuzz::properties {

// A set of invariants: bit of Invariant.
using InvariantSet = uint32_t;
constexpr InvariantSet Only(Invariant invariant) {
  return InvariantSet{1} << static_cast<int>(invariant);
}

// What JudgeAtRest can find.
inline constexpr InvariantSet kAtRest =
    Only(Invariant::kBeliefMatchesDevice) |
    Only(Invariant::kCountMatchesDevices) |
    Only(Invariant::kArrayCoversAttachments) |
    Only(Invariant::kArrayWellFormed) | Only(Invariant::kRepresentationsAgree) |
    Only(Invariant::kTranslationBeforeAts) | Only(Invariant::kNoStaleAtc) |
    Only(Invariant::kNoStaleIotlb) | Only(Invariant::kAttachmentAsReturned) |
    Only(Invariant::kStreamsResolve) | Only(Invariant::kStuMatchesGranule) |
    Only(Invariant::kTagsUnique);

// The invariants that `state` violates now that no operation is in flight and
// the operations' results have promised `promises`. A state that was violated
// before is violated still. representations-agree is not judged once two
// masters have shared a stream id, as with the checker.
//
// REQUIRES: the kernel lives (no Thread::oops), and nothing names a freed
// domain (a memory error that the log has told).
InvariantSet JudgeAtRest(const machine::Machine& machine,
                         const machine::State& state,
                         const machine::Promises& promises);

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_AT_REST_H_
