#ifndef ATSFUZZ_REPRODUCE_KUNIT_CASE_H_
#define ATSFUZZ_REPRODUCE_KUNIT_CASE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linux/tree.h"
#include "reproduce/array_story.h"

// A KUnit case of the driver's invalidation arrays: the functions themselves
// (arm_smmu_invs_merge, _unref, _purge), called as a story says, with what they
// must leave in the array after each call. As a source of its own that stands
// beside arm-smmu-v3-test.c, or whose functions are pasted into it.
namespace atsfuzz::reproduce {

struct KunitCase {
  const std::vector<StoryStep>& story;
  // Makes the case's name: "array-covers-attachments".
  std::string invariant;
  // Lines of the comment at the top, without its stars.
  std::vector<std::string> about;
};

// The source. REQUIRES: the story is not empty.
std::string TextOf(const KunitCase& test);

// What a KUnit case cannot do: the story's steps that are left out or weaker;
// empty: nothing. "operation 3: a merge fails for want of memory, ..."
std::vector<std::string> LimitsOf(const std::vector<StoryStep>& story);

struct KunitVerdict {
  bool passed = false;
  std::string failure;  // "cases.c:40: invs->num_invs == count, ..."
  int warnings = 0;     // WARN_ONs, which fail no case
};

// Compiles a source of one case with the driver of `tree` in the harness that
// runs the kernel's own tests (linux/kunit.h), and runs the case in a child
// process. FailedPrecondition if it does not compile.
absl::StatusOr<KunitVerdict> RunCase(const std::string& source,
                                     const linux_driver::Tree& tree,
                                     const linux_driver::Progress& progress);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_KUNIT_CASE_H_
