#ifndef ATSFUZZ_REPRODUCE_RUN_PROGRAM_H_
#define ATSFUZZ_REPRODUCE_RUN_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "linux/build.h"
#include "linux/subprocess.h"

namespace atsfuzz::reproduce {

// Compiles the text of a reproducing program (reproduce/program.h), warnings
// being errors, and runs it on the module at `module`, a build of kind `build`.
// `compiler` is "clang" or "gcc". The result is the program's: its exit status,
// and what it printed. Internal with the compiler's first errors if it does not
// compile; Unavailable if something cannot be started or written.
absl::StatusOr<linux_driver::CommandResult> RunProgram(
    const std::string& text, const std::string& compiler,
    linux_driver::BuildKind build, const std::string& module);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_RUN_PROGRAM_H_
