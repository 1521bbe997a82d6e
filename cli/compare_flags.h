#ifndef ATSFUZZ_CLI_COMPARE_FLAGS_H_
#define ATSFUZZ_CLI_COMPARE_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "cli/faults_flag.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "fuzz/findings.h"
#include "model/text.h"

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

  // Fills in what both ways are asked for: fuzz::CompareOptions or
  // fuzz::VerdictOptions. Everything that can be wrong with the input is told
  // here, before anything is built.
  template <typename Options>
  absl::Status FillIn(const std::vector<std::string>& paths,
                      Options* options) const;

  // What repeats the comparison on a scenario.
  std::string CommandLine(const std::string& path) const;
};

template <typename Options>
absl::Status CompareFlags::FillIn(const std::vector<std::string>& paths,
                                  Options* options) const {
  const auto classes = ParseFaults(faults);
  if (!classes.ok()) return classes.status();
  options->generate.faults = *classes;
  options->generate.max_operations = static_cast<int>(operations);
  if (!topology.empty()) {
    const auto scenario = model::ReadScenario(topology);
    if (!scenario.ok()) return scenario.status();
    options->generate.topology = scenario->topology;
  }
  for (const std::string& path : paths) {
    auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) return scenario.status();
    options->scenarios.push_back(*std::move(scenario));
  }
  const absl::Status prepared = fuzz::PrepareFolder(output);
  if (!prepared.ok()) return prepared;
  options->generates = paths.empty() || seconds || runs;
  options->seed = seed;
  options->runs = runs;
  if (options->generates && (seconds || !runs)) {
    options->seconds = static_cast<double>(seconds.value_or(60));
  }
  options->interrupted = Interrupted;
  return absl::OkStatus();
}

// `compare --by=verdicts`, with complete flags.
int CompareByVerdicts(const CompareFlags& flags,
                      const std::vector<std::string>& paths);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_COMPARE_FLAGS_H_
