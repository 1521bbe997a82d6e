#ifndef ATSFUZZ_LINUX_KUNIT_TREES_H_
#define ATSFUZZ_LINUX_KUNIT_TREES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linux/kunit.h"
#include "linux/temporary_folder.h"

// For tests: the kernels whose own tests are run, and spoilt copies of them.
namespace atsfuzz::linux_driver {

// Debian's kernels, and the trees that ATSFUZZ_TEST_TREES names (PATH:PATH), as
// ObtainTree takes them.
std::vector<std::string> TestedKernels();

// The kind of module that this program can load: sanitized if it is.
BuildKind TestedKind();

// "Linux_6_12": a kernel's name as a part of a test's.
std::string TestName(const std::string& kernel);

// One text of a driver that is replaced.
struct Plant {
  std::string name;
  std::string from, to;
};

// Loads the module of `tree` with the plant in a copy of its arm-smmu-v3.c,
// which must hold `from` exactly once (InvalidArgument). Everything is written
// below `folder`.
absl::StatusOr<std::unique_ptr<Suite>> SpoiltSuite(
    const TemporaryFolder& folder, const Tree& tree, const Plant& plant);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_KUNIT_TREES_H_
