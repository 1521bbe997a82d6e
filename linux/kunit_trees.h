#ifndef ATSFUZZ_LINUX_KUNIT_TREES_H_
#define ATSFUZZ_LINUX_KUNIT_TREES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linux/kunit.h"
#include "linux/temporary_folder.h"
#include "linux/tree.h"

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

// While it lives, what is obtained and built goes to a cache below `folder`, so
// that a spoilt tree leaves nothing behind. No others may run meanwhile.
class OwnCache {
 public:
  explicit OwnCache(const TemporaryFolder& folder);
  ~OwnCache();
  OwnCache(const OwnCache&) = delete;
  OwnCache& operator=(const OwnCache&) = delete;

 private:
  std::optional<std::string> before_;
};

// A copy of `tree` below `folder` with the plant in its arm-smmu-v3.c, which
// must hold `from` exactly once (InvalidArgument). To be called and used under
// an OwnCache.
absl::StatusOr<Tree> SpoiltTree(const TemporaryFolder& folder, const Tree& tree,
                                const Plant& plant);

// Loads the module of a tree that has been spoilt.
absl::StatusOr<std::unique_ptr<Suite>> SpoiltSuite(
    const TemporaryFolder& folder, const Tree& tree, const Plant& plant);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_KUNIT_TREES_H_
