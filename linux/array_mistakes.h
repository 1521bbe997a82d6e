#ifndef ATSFUZZ_LINUX_ARRAY_MISTAKES_H_
#define ATSFUZZ_LINUX_ARRAY_MISTAKES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linux/kunit_trees.h"

// For tests: mistakes that somebody could make in the functions of invalidation
// arrays.
namespace atsfuzz::linux_driver {

struct ArrayMistake {
  Plant plant;
  // What a comparison with a multiset says (linux/kunit/invs_table.h).
  std::string error;
  // How it shows in calls of the functions alone, without a reader beside them
  // and without a want of memory.
  enum Alone { kNot, kByAWarning, kByTheArray } alone = kNot;
};
std::vector<ArrayMistake> ArrayMistakes();

// The first kernel that has arrays; Unavailable if none can be had.
absl::StatusOr<Tree> AKernelWithArrays();

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_ARRAY_MISTAKES_H_
