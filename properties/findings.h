#ifndef ATSFUZZ_PROPERTIES_FINDINGS_H_
#define ATSFUZZ_PROPERTIES_FINDINGS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "properties/violation.h"

namespace atsfuzz::properties {

// What a run has violated so far. Each (invariant, subject) is reported once: a
// state that stays wrong is found at every step and told at the first.
class Findings {
 public:
  void BeginStep(size_t operation) { operation_ = operation; }

  // A new violation to be filled in, with invariant and operation set; null if
  // this invariant was already reported for this subject. `subject` is any
  // number that tells the invariant's subjects apart. Valid until the next
  // Report.
  Violation* Report(Invariant invariant, uint64_t subject);

  // What the step found, in order of detection.
  std::vector<Violation> Take() { return std::exchange(new_, {}); }

 private:
  size_t operation_ = 0;
  std::vector<std::pair<Invariant, uint64_t>> seen_;
  std::vector<Violation> new_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_FINDINGS_H_
