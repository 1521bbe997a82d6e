#ifndef ATSFUZZ_LINUX_SUBPROCESS_H_
#define ATSFUZZ_LINUX_SUBPROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace atsfuzz::linux_driver {

// A program to run, without a shell. It runs in the C locale, so that its
// messages can be read by programs and are the same everywhere.
struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::string folder;             // working folder; empty: the caller's
};

struct CommandResult {
  int status = 0;      // exit status; 128 + signal if a signal ended it
  std::string output;  // stdout and stderr, as they were interleaved
};

// Runs a command to its end, with no standard input. Unavailable if it cannot
// be started; that it failed is told by `status` alone.
absl::StatusOr<CommandResult> Run(const Command& command);

// The last `lines` lines of a text that are not blank, joined by newlines.
std::string LastLines(const std::string& text, size_t lines);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_SUBPROCESS_H_
