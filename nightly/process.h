#ifndef ATSFUZZ_NIGHTLY_PROCESS_H_
#define ATSFUZZ_NIGHTLY_PROCESS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

// A program that may hang, eat memory or crash, and does not outlive this one.
namespace atsfuzz::nightly {

struct Job {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours
  std::string output, errors;  // files that its stdout and stderr go to
  // It is asked to end (SIGINT) after this long, and killed if it takes
  // `grace_seconds` more.
  double seconds = 60, grace_seconds = 60;
  // It is killed if it and all that it started need more together.
  uint64_t memory_megabytes = 8192;
  // True: ask it to end, as when the time is up. Asked ten times a second.
  std::function<bool()> interrupted;
};

struct JobEnd {
  int exit_status = -1;  // -1: a signal ended it
  int signal = 0;
  bool timed_out = false;      // it was killed, after the time and the grace
  bool out_of_memory = false;  // it was killed for that
  bool interrupted = false;
  double seconds = 0;
  uint64_t peak_megabytes = 0;  // of all its processes at the same time

  // How it ended, in a few words: "killed after 180 s".
  std::string Describe() const;
};

// Runs it to its end. Its processes are a group of their own, which a Ctrl-C of
// the terminal does not reach and of which none is left afterwards; if this
// process is killed, the program is, too. Unavailable if it cannot be started
// or its output cannot be written.
absl::StatusOr<JobEnd> RunJob(const Job& job);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_PROCESS_H_
