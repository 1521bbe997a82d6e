#ifndef ATSFUZZ_MODEL_SCENARIO_H_
#define ATSFUZZ_MODEL_SCENARIO_H_

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "model/operation.h"
#include "model/schedule.h"
#include "model/topology.h"

namespace atsfuzz::model {

// An `expect` line: what a replay must find.
struct Expectation {
  // Name of the invariant that must be violated; empty: `expect none`.
  std::string invariant;
  // Drivers that it is about, by how their names begin: "linux:7" is about
  // linux:7.2, "linux:6.1" is not about linux:6.12. Empty: every driver.
  std::string driver;

  bool operator==(const Expectation&) const = default;
};

inline bool IsAbout(const Expectation& expectation, absl::string_view name) {
  const size_t length = expectation.driver.size();
  return absl::StartsWith(name, expectation.driver) &&
         (length == 0 || length == name.size() ||
          !absl::ascii_isdigit(static_cast<unsigned char>(name[length])));
}

// The one replayable artefact: a machine, what happens on it in order, with the
// faults of each operation, and what is expected of it. Same scenario and same
// driver build: same run, to the byte.
struct Scenario {
  // Leading `#` lines without the `# `: the story. Kept by the text round trip.
  std::vector<std::string> story;
  Topology topology;
  std::vector<Operation> operations;
  // Of the operations that name a thread (model/block.h).
  Schedule schedule;
  std::vector<Expectation> expectations;

  bool operator==(const Scenario&) const = default;
};

// Those of a scenario's expectations that are about a driver. What is said of
// its very switches ("on model:7.3,vf-stu-check=off") goes before what is said
// of the kernel whose switches they change.
inline std::vector<Expectation> ExpectationsOf(const Scenario& scenario,
                                               absl::string_view name) {
  std::vector<Expectation> about, exact;
  for (const Expectation& expectation : scenario.expectations) {
    if (!IsAbout(expectation, name)) continue;
    about.push_back(expectation);
    if (absl::StrContains(expectation.driver, ',')) {
      exact.push_back(expectation);
    }
  }
  return exact.empty() ? about : exact;
}

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_SCENARIO_H_
