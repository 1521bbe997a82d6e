#ifndef ATSFUZZ_FUZZ_CAMPAIGN_H_
#define ATSFUZZ_FUZZ_CAMPAIGN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/findings.h"
#include "fuzz/generate.h"
#include "fuzz/known.h"
#include "fuzz/plan.h"
#include "fuzz/round.h"
#include "fuzz/strategy.h"
#include "model/scenario.h"

// A fuzzing campaign: runs numbered from 0, in rounds.
//
//  - What run i does depends on the seed, on i and on the corpus at the start
//    of its round: a fresh scenario, or a mutation or crossover of corpus
//    entries. The first runs are the entries that the campaign started with.
//  - A run that covers something new joins the corpus at the end of its round,
//    in run order.
//  - Every 16th run is repeated under sanitizers.
//  - What showed up in a round is examined, shrunk and confirmed at its end.
//
// So equal options give equal findings however many processes work, unless time
// or the user ends the campaign.
namespace atsfuzz::fuzz {

struct CampaignProgress {
  uint64_t runs = 0, operations = 0;
  double seconds = 0;
  uint64_t edges = 0, edges_covered = 0;
  size_t findings = 0;
  bool shrinking = false;
};

struct CampaignOptions {
  LoadSystem plain, instrumented;  // called in child processes only
  // The sanitized program with its arguments; empty: there is none.
  std::vector<std::string> sanitized;
  GenerateOptions generate;
  uint64_t seed = 1;
  std::optional<uint64_t> runs;  // at most that many
  // At most that long; what was found by then is still shrunk.
  std::optional<double> seconds;
  int jobs = 2;
  // Goes on after a round that had a new finding.
  bool keep_going = false;
  std::vector<model::Scenario> corpus;
  Known known;
  // Signatures of findings that are kept elsewhere: met again, they are counted
  // among CampaignResult::seen, and not shrunk.
  std::set<std::string> seen;
  // True: end with what there is. Asked every few milliseconds.
  std::function<bool()> interrupted;
  std::function<void(const CampaignProgress&)> progress;
  // How the threads of `par` blocks take turns.
  StrategyOptions strategy;
  // Not null: what it plans is run, nothing is drawn, and no corpus grows.
  Plan* plan = nullptr;
  // Every run is repeated under sanitizers, and whatever shows something is
  // examined, not only enough of what looks alike.
  bool thorough = false;
  // Allocations fail by site and not by number, in findings too: what is to
  // mean the same on another system.
  bool by_site = false;
};

struct CampaignResult {
  uint64_t runs = 0, operations = 0, sanitized_runs = 0;
  uint64_t effective = 0;  // operations that returned 0 and changed state
  double seconds = 0;
  uint64_t edges = 0, edges_covered = 0;
  // Runs whose machine did not come up, and why the first did not.
  uint64_t not_booted = 0;
  std::string not_booted_why;
  std::vector<Finding> findings;           // as ReportedBefore orders them
  std::set<std::string> seen;              // those of the options that were met
  std::vector<model::Scenario> additions;  // to the corpus, in order
  bool interrupted = false;
};

// Fails if a system cannot be made, or if no machine comes up at all.
absl::StatusOr<CampaignResult> RunCampaign(const CampaignOptions& options);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_CAMPAIGN_H_
