#ifndef ATSFUZZ_CLI_COMMAND_H_
#define ATSFUZZ_CLI_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace atsfuzz::cli {

// Exit statuses: a promise to scripts.
enum ExitStatus {
  kClean = 0,      // no violation
  kViolation = 1,  // a violation was found, or an expectation was missed
  kUsage = 2,      // bad usage or bad input
  kCannotRun = 3,  // something is missing; the message says what
};

// A command of the program. Each has its own file.
struct Command {
  absl::string_view name, summary;
  // Runs with the arguments behind the command's name; returns an ExitStatus.
  int (*run)(const std::vector<std::string>& arguments);
};

int Fuzz(const std::vector<std::string>& arguments);
int Sweep(const std::vector<std::string>& arguments);
int Replay(const std::vector<std::string>& arguments);
int Shrink(const std::vector<std::string>& arguments);
int Reproduce(const std::vector<std::string>& arguments);
int Compare(const std::vector<std::string>& arguments);
int Design(const std::vector<std::string>& arguments);
int Coverage(const std::vector<std::string>& arguments);
int Distil(const std::vector<std::string>& arguments);
int Report(const std::vector<std::string>& arguments);
int Nightly(const std::vector<std::string>& arguments);
int Drivers(const std::vector<std::string>& arguments);
int Manual(const std::vector<std::string>& arguments);
int Completion(const std::vector<std::string>& arguments);
// Not for people: what a campaign talks to in the sanitized program
// (fuzz/sanitized.h).
int Worker(const std::vector<std::string>& arguments);

// Prints "atsfuzz: <message>" on stderr and returns the exit status that fits:
// what the user can correct is bad input, what the machine lacks is not.
int Fail(const absl::Status& status);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_COMMAND_H_
