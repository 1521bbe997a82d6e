#ifndef ATSFUZZ_PROPERTIES_VIOLATION_H_
#define ATSFUZZ_PROPERTIES_VIOLATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/system.h"

namespace atsfuzz::properties {

// The invariants, in the order in which reports list them.
enum class Invariant : uint8_t {
  kNoWarning,
  kMemorySafe,
  kBeliefMatchesDevice,
  kCountMatchesDevices,
  kArrayCoversAttachments,
  kArrayWellFormed,
  kRepresentationsAgree,
  kTranslationBeforeAts,
  kHitlessWherePromised,
  kNoStaleAtc,
  kNoStaleIotlb,
  kNoDmaAfterUnmap,
  kInvalidationsExact,
  kCommandsInOrder,
  kFailedOperationChangesNothing,
  kAttachmentAsReturned,
  kStreamsResolve,
  kPasidThenAts,
  kStuMatchesGranule,
  kTagsUnique,
  kNoLeak,
  kLockDiscipline,
  kProgress,
  kDataRace,
};
inline constexpr int kInvariants = 24;

// "belief-matches-device".
absl::string_view InvariantName(Invariant invariant);
// What must hold, in one sentence: the gist of what the header of its family
// says in full.
absl::string_view InvariantStatement(Invariant invariant);
std::optional<Invariant> InvariantByName(absl::string_view name);

// One broken promise, as the checker saw it.
struct Violation {
  Invariant invariant = Invariant::kNoWarning;
  // One sentence for a person: "The driver believes that v0's ATS is on. The
  // function says that it is off."
  std::string message;
  std::string expected;  // "belief == function"
  std::string found;     // "on, off"
  // Index of the operation during or after which it was seen; the number of
  // operations if it was the shutdown.
  size_t operation = 0;
  // The event that shows it, as index into that operation's events; -1: the
  // state at rest shows it.
  int event = -1;
  // no-stale-atc, no-stale-iotlb: the stale entry, as index into the `atc` or
  // `iotlb` of the observation that shows it; -1 for others.
  int entry = -1;
  // What it is about. Facts whose last change can be located lead the signature
  // to the line that made it so.
  model::Fact subject;
  // Distinguishes kinds of the same invariant that no location tells apart, in
  // a word or two ("never enabled", "left behind"); part of the signature.
  std::string aspect;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_VIOLATION_H_
