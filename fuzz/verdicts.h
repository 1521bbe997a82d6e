#ifndef ATSFUZZ_FUZZ_VERDICTS_H_
#define ATSFUZZ_FUZZ_VERDICTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/campaign.h"
#include "fuzz/findings.h"
#include "fuzz/generate.h"
#include "fuzz/round.h"
#include "model/scenario.h"

// A comparison of two systems by what the checker says of them. Kernels may
// take different steps to the same end, so that a comparison step by step
// (fuzz/compare.h) says little of two of them; whether an invariant holds says
// what a reviewer wants to know.
//
//  1. Each system has a campaign of its own (fuzz/campaign.h) with the same
//     seed, the same given scenarios and what both can do.
//  2. Every finding is minimal on the system that showed it. Its scenario runs
//     on the other one too.
//
// A verdict is about that one scenario. Allocation faults are by site: the
// number of an allocation means something else on every system.
namespace atsfuzz::fuzz {

enum class Verdict : uint8_t {
  kHolds,     // no invariant is violated
  kViolated,  // this one is
  kOther,     // this one holds, others are violated
};
const char* VerdictName(Verdict verdict);

struct SideVerdict {
  Verdict verdict = Verdict::kHolds;
  std::vector<std::string> invariants;  // violated; each once, in their order
  // By a scenario of its own the system does violate the invariant, in the same
  // driver function and under no more assumptions. With kViolated: it has a
  // finding of the same signature, and not by this scenario.
  bool violated_elsewhere = false;
};

struct JudgedFinding {
  Finding finding;  // of one of the systems
  SideVerdict left, right;
  // What shows the same signature on the right, if `finding` does not.
  std::optional<model::Scenario> right_scenario;

  // The right system breaks what the left one keeps.
  bool regression() const {
    return right.verdict == Verdict::kViolated &&
           left.verdict == Verdict::kHolds && !left.violated_elsewhere;
  }
  bool differs() const { return left.verdict != right.verdict; }
};

struct VerdictSystem {
  LoadSystem plain, instrumented;
  std::vector<std::string> sanitized;  // as CampaignOptions has it
};

struct VerdictOptions {
  VerdictSystem left, right;
  std::vector<model::Scenario> scenarios;
  bool generates = true;     // false: ends after the given scenarios
  GenerateOptions generate;  // its capabilities: what both can do
  uint64_t seed = 1;
  std::optional<uint64_t> runs;   // generated, on each system: at most
  std::optional<double> seconds;  // for both together, before the end's work
  int jobs = 2;
  std::function<bool()> interrupted;
  std::function<void(const CampaignProgress&)> progress;
};

struct VerdictResult {
  uint64_t runs = 0, operations = 0;  // of both systems
  double seconds = 0;
  // First those that differ, regressions before all; then as ReportedBefore.
  std::vector<JudgedFinding> findings;
  bool interrupted = false;
};

absl::StatusOr<VerdictResult> CompareVerdicts(const VerdictOptions& options);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_VERDICTS_H_
