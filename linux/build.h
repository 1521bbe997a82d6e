#ifndef ATSFUZZ_LINUX_BUILD_H_
#define ATSFUZZ_LINUX_BUILD_H_

#include <string>

#include "absl/status/statusor.h"
#include "linux/tree.h"

// Compiles the driver of a kernel tree into a module (linux/module.h), cached
// by content: tree, patches, our kernel-side sources, flags and compiler.
namespace atsfuzz::linux_driver {

// This project's checkout, whose sources modules are made of:
// $ATSFUZZ_SOURCE_DIR, else where this program was built from.
std::string SourcesFolder();

enum class BuildKind {
  kPlain,         // -O2, edge counters: for speed, in process
  kSanitized,     // ASan and UBSan: needs a program that has their runtime
  kInstrumented,  // records call stacks and last writers; for replay,
                  // signatures
  kCovered,       // LLVM's source-based coverage (linux/coverage.h)
};
const char* BuildKindName(BuildKind kind);

// The module's path. FailedPrecondition if the tree does not compile: the
// compiler's first errors, the whole log's path, and what to report.
absl::StatusOr<std::string> BuildModule(const Tree& tree, BuildKind kind,
                                        const Progress& progress);

// The module with the kernel's own tests in it (linux/kunit.h). Errors as
// above.
absl::StatusOr<std::string> BuildSuite(const Tree& tree, BuildKind kind,
                                       const Progress& progress);

// The same with the KUnit cases of a source text in place of the kernel's own.
// It includes <kunit/test.h> and "arm-smmu-v3.h" as arm-smmu-v3-test.c does,
// and names its suites in kunit_test_suites.
absl::StatusOr<std::string> BuildCases(const Tree& tree, BuildKind kind,
                                       const std::string& source,
                                       const Progress& progress);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_BUILD_H_
