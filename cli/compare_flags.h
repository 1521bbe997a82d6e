#ifndef ATSFUZZ_CLI_COMPARE_FLAGS_H_
#define ATSFUZZ_CLI_COMPARE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/flags.h"

namespace atsfuzz::cli {

// The flags of `compare`, in both of its ways.
struct CompareFlags {
  std::vector<std::string> drivers, patches;
  std::string faults = "all", output = "differences", topology, by;
  uint64_t seed = 1, operations = 32, jobs = 2;
  std::optional<uint64_t> seconds, runs;
  bool keep_going = false, json = false;

  void AddTo(Flags* flags);

  // Gives one kernel tree with patches its partner, the same tree without, and
  // decides what is compared if --by does not. InvalidArgument if there are not
  // two drivers, or if --by is neither steps nor verdicts.
  absl::Status Complete();

  // What repeats the comparison on a scenario.
  std::string CommandLine(const std::string& path) const;
};

// `compare --by=verdicts`, with complete flags.
int CompareByVerdicts(const CompareFlags& flags,
                      const std::vector<std::string>& paths);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_COMPARE_FLAGS_H_
