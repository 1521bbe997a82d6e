#ifndef ATSFUZZ_LINUX_BUILD_H_
#define ATSFUZZ_LINUX_BUILD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
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
  kLinked,        // objects for one program: BuildForLinking
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

// The compiler of a program, clang or one that takes its arguments, and the
// flags that say how its sources are checked and instrumented.
struct Toolchain {
  std::string compiler;
  std::vector<std::string> flags;
};

// Compiles the driver as a part of one program, for fuzzing services, whose
// targets are single files: kernel units with all of the toolchain's flags,
// what stands around them without the instrumentation of -fsanitize=fuzzer.
// Such a driver takes no snapshots, and there is room for one in a program,
// which finds its table as `atsfuzz_module`; with `suite`, what BuildSuite
// adds, too.
//
// Makes `folder`, an absolute path, anew, and fills it: the objects, and
// `link.rsp`, which the program's link command takes as "@FOLDER/link.rsp".
// Nothing is cached. Errors as above.
absl::Status BuildForLinking(const Tree& tree, bool suite,
                             const Toolchain& toolchain,
                             const std::string& folder,
                             const Progress& progress);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_BUILD_H_
