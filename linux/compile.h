#ifndef ATSFUZZ_LINUX_COMPILE_H_
#define ATSFUZZ_LINUX_COMPILE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linux/subprocess.h"

namespace atsfuzz::linux_driver {

// What compilers and linkers said, in the order of the commands.
struct CompileLog {
  bool ok = true;
  std::string text;  // each command and its output
};

// Runs all commands, as many at a time as there are processors. Unavailable if
// one cannot be started.
absl::StatusOr<CompileLog> RunAll(const std::vector<Command>& commands);

// The first `count` different errors of compilers and linkers, one a line,
// indented. In each, the text that stands first in a pair of `shorter` is
// replaced by the second. Falls back to the last lines.
std::string FirstErrors(
    const std::string& log, size_t count,
    const std::vector<std::pair<std::string, std::string>>& shorter);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_COMPILE_H_
