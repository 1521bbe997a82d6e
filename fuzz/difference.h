#ifndef ATSFUZZ_FUZZ_DIFFERENCE_H_
#define ATSFUZZ_FUZZ_DIFFERENCE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzz/allowed_differences.h"
#include "fuzz/observed.h"
#include "fuzz/observed_events.h"
#include "model/scenario.h"
#include "model/system.h"

// How two observations differ.
namespace atsfuzz::fuzz {

enum class Side : uint8_t { kLeft, kRight };

// The first thing that two systems show differently.
struct Difference {
  std::string kind;     // "belief", "return", "command": ObservedKindName
  std::string subject;  // "v0 driver's belief"
  std::string left, right;
  // Kind and subject kind, "belief-function", "return-attach": what the
  // shrinker keeps.
  std::string signature;
  // Index of the operation that showed it, in what ran; their number if it was
  // the shutdown. It showed in the implicit allocation of its domain.
  size_t operation = 0;
  bool at_boot = false, implicit = false;
  // Call stacks of where each side's value came from, innermost first; empty
  // where nobody recorded them.
  std::vector<model::Location> left_stack, right_stack;
};

// What one side showed of a kernel entry.
struct Shown {
  int result = 0;
  Observations state;
  ObservedEvents events;
};

// The first difference in what both sides showed of `operation` (null: boot or
// shutdown) that is not allowed; those that are, are counted. Sets everything
// but `operation`, `at_boot` and `implicit`.
// REQUIRES: CompareEnds found none.
std::optional<Difference> Compare(const model::Topology& topology,
                                  const model::Operation* operation,
                                  const Shown& left, model::System& left_system,
                                  const Shown& right,
                                  model::System& right_system,
                                  AllowedCounts* allowed);

// The same for return value and death alone: what decides whether the states
// can be compared at all.
std::optional<Difference> CompareEnds(const model::Operation* operation,
                                      const Shown& left,
                                      model::System& left_system,
                                      const Shown& right,
                                      model::System& right_system);

// A difference of which neither side can be asked any more.
Difference MakeDifference(ObservedKind kind, const model::Operation* operation,
                          absl::string_view subject, absl::string_view left,
                          absl::string_view right);

// One line each way, for processes.
std::string Serialize(const Difference& difference);
Difference ParseDifference(absl::string_view line);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_DIFFERENCE_H_
