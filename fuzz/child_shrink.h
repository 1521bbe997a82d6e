#ifndef ATSFUZZ_FUZZ_CHILD_SHRINK_H_
#define ATSFUZZ_FUZZ_CHILD_SHRINK_H_

#include <cstdint>
#include <functional>

#include "fuzz/shrink.h"
#include "model/scenario.h"

// The shrinker around what may crash: attempts run in a child process, and one
// that kills it is not tried again.
namespace atsfuzz::fuzz {

struct ChildShrink {
  model::Scenario scenario;
  uint64_t attempts = 0;
  bool minimal = true;  // false: interrupted
};

// `make` loads what is needed and returns the predicate; it is called in the
// child. A predicate that is empty shrinks nothing. The result uses the fewest
// fault classes that suffice. `stop` is asked now and then, in this process.
// `capabilities` as for Shrink.
ChildShrink ShrinkInChild(const model::Scenario& scenario,
                          const std::function<Predicate()>& make,
                          const std::function<bool()>& stop,
                          const model::Capabilities& capabilities);

// The same where each attempt runs in a process of its own anyway.
ChildShrink ShrinkHere(const model::Scenario& scenario, const Predicate& fails,
                       const std::function<bool()>& stop,
                       const model::Capabilities& capabilities);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_CHILD_SHRINK_H_
