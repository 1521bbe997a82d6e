#ifndef ATSFUZZ_FUZZ_ROUND_H_
#define ATSFUZZ_FUZZ_ROUND_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/coverage.h"
#include "fuzz/crash.h"
#include "fuzz/strategy.h"
#include "fuzz/tally.h"
#include "model/scenario.h"
#include "model/system.h"

// One round of a campaign: a fixed range of runs, split among forked processes.
// What it returns depends on the runs alone, not on how many processes shared
// them or which was faster.
namespace atsfuzz::fuzz {

// Makes a system; called in child processes only.
using LoadSystem =
    std::function<absl::StatusOr<std::unique_ptr<model::System>>()>;

// How long one run may take before the process is ended and the run is a hang.
inline constexpr int kRunTimeoutMs = 10000;

struct Round {
  uint64_t first = 0, count = 0;  // runs first .. first + count - 1
  int jobs = 1;
  // The scenario of a run; called in the children.
  std::function<model::Scenario(uint64_t run)> scenario;
  // The schedules of a run's `par` block; null: the scenario's own. Called in
  // the children.
  std::function<std::unique_ptr<Schedules>(uint64_t run,
                                           const model::Schedule& own)>
      schedules;
  LoadSystem load;
  const Coverage* known = nullptr;  // at the start of the round
  // Asked every few milliseconds; true ends the round early, at run boundaries.
  // Told the operations done so far in this round.
  std::function<bool(uint64_t runs, uint64_t operations)> stop;
  // Every run is reported, with its tallies.
  bool tallies = false;
  // The runs that are reported whatever they show, for their schedules.
  std::function<bool(uint64_t run)> wanted;
};

// A run that showed something, or any run if tallies are wanted. A run in
// several schedules has a report for each that shows what none before it has.
struct RunReport {
  uint64_t run = 0;
  // Coarse identities of its violations (no call stacks here), each once.
  std::vector<std::string> keys;
  // Features that were new at the start of the round and that no earlier run of
  // the same process had.
  std::vector<uint32_t> features;
  std::optional<Death> death;
  // How many operations were done when it died.
  uint64_t part = 0;
  // How its `par` block went.
  model::Schedule schedule;
  // If asked for: of each kernel entry, in order; in a scenario with faults
  // only of the operations that have one.
  std::vector<OperationTally> tallies;
};

struct RoundResult {
  std::vector<RunReport> reports;  // in run order
  uint64_t runs = 0, operations = 0, effective = 0;
  // Edges that the code under test has.
  uint64_t edges = 0;
  // Runs whose machine did not come up, the first of them and its reason.
  uint64_t not_booted = 0, first_not_booted = 0;
  std::string not_booted_why;
  bool stopped = false;
};

// Fails as `load` fails.
absl::StatusOr<RoundResult> RunRound(const Round& round);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_ROUND_H_
