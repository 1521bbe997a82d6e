#ifndef ATSFUZZ_LINUX_KUNIT_H_
#define ATSFUZZ_LINUX_KUNIT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "linux/build.h"
#include "linux/kunit/table.h"

// The kernel's own tests of the driver, arm-smmu-v3-test.c of the same tree,
// compiled with it against our stub headers and run on our runtime. They show
// that the harness is faithful, and nobody here wrote them.
namespace atsfuzz::linux_driver {

struct SuiteCase {
  std::string name;  // "arm_smmu_v3_write_ste_test_bypass_to_abort"
  bool passed = false;
  // The first expectation that does not hold, "FILE:LINE: EXPRESSION, ...".
  std::string failure;
  int warnings = 0;  // WARN_ON and memory errors, which fail no case
  int leaked = 0;    // allocations left behind
};

class Suite {
 public:
  // Loads what BuildSuite built. Unavailable with the loader's message, or
  // FailedPrecondition if its ABI is another one.
  static absl::StatusOr<std::unique_ptr<Suite>> Load(const std::string& path);
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;
  ~Suite();

  // In the source's order; empty if the kernel has no such tests (6.1).
  const std::vector<std::string>& names() const { return names_; }
  // Runs the case of this name, which must be one of names(), in a machine of
  // its own.
  SuiteCase Run(const std::string& name) const;
  // A further table of the module, by its symbol; nullptr if it has none.
  const void* Symbol(const char* name) const;

 private:
  Suite(void* library, const atsfuzz_kunit* table);

  void* library_;
  const atsfuzz_kunit* table_;
  std::vector<std::string> names_;
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_KUNIT_H_
