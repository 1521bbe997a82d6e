#ifndef ATSFUZZ_REPRODUCE_RECORDED_ARRAYS_H_
#define ATSFUZZ_REPRODUCE_RECORDED_ARRAYS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/scenario.h"
#include "properties/violation.h"
#include "reproduce/array_story.h"

// The calls of the real functions of invalidation arrays, written down while
// the driver runs (linux/kunit/calls_table.h).
namespace atsfuzz::reproduce {

struct ShownArray {
  properties::Violation violation;  // without event, entry and subject
  // The array that it is about, and how many calls there had been by then; 0:
  // it is about none.
  uint32_t array = 0;
  size_t calls = 0;
};

struct RecordedArrays {
  std::vector<ArrayCall> calls;
  std::vector<ShownArray> shown;  // in order of appearance
};

// Runs a scenario in a child process, on a module that linux_driver::BuildSuite
// has built. FailedPrecondition if the kernel has no such arrays, could not do
// one of the operations, or dies of them.
absl::StatusOr<RecordedArrays> RecordArrays(const std::string& suite,
                                            const std::string& name,
                                            const model::Scenario& scenario);

// The same of an input of the arrays' own table (linux/kunit/invs_table.h):
// `shown` has what it disagrees with the multiset in, if it does.
absl::StatusOr<RecordedArrays> RecordArrays(const std::string& suite,
                                            const std::string& bytes);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_RECORDED_ARRAYS_H_
