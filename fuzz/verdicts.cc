#include "fuzz/verdicts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "fuzz/investigate.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using properties::Invariant;

void Add(const std::vector<Sighting>& sightings, SideVerdict* verdict) {
  for (const Sighting& sighting : sightings) {
    const std::string name(InvariantName(sighting.violation.invariant));
    if (std::find(verdict->invariants.begin(), verdict->invariants.end(),
                  name) == verdict->invariants.end()) {
      verdict->invariants.push_back(name);
    }
  }
}

bool NeedsNoMore(const Finding& finding, const Finding& than) {
  return (finding.assumes & ~than.assumes) == 0;
}

// As far as sources of different kernels can be told to show the same bug.
bool Alike(const Finding& a, const Finding& b) {
  if (a.signature == b.signature) return true;
  return a.sighting.violation.invariant == b.sighting.violation.invariant &&
         a.sighting.violation.aspect == b.sighting.violation.aspect &&
         !a.sighting.function.empty() &&
         a.sighting.function == b.sighting.function;
}

int RankOf(const JudgedFinding& judged) {
  if (judged.regression()) return 0;
  return judged.differs() ? 1 : 2;
}

class VerdictComparison {
 public:
  explicit VerdictComparison(const VerdictOptions& options)
      : options_(options) {}

  absl::StatusOr<VerdictResult> Run();

 private:
  absl::StatusOr<std::vector<Finding>> FindingsOf(const VerdictSystem& system);
  absl::StatusOr<SideVerdict> Judge(const VerdictSystem& system,
                                    const Finding& finding) const;
  absl::StatusOr<JudgedFinding> JudgeOne(
      const Finding& finding, bool is_left,
      const std::vector<Finding>& others) const;
  absl::StatusOr<JudgedFinding> JudgeBoth(const Finding& left,
                                          const Finding& right) const;
  absl::Status JudgeAll(const std::vector<Finding>& left,
                        const std::vector<Finding>& right);

  const VerdictOptions& options_;
  VerdictResult result_;
};

absl::StatusOr<std::vector<Finding>> VerdictComparison::FindingsOf(
    const VerdictSystem& system) {
  CampaignOptions options;
  options.plain = system.plain;
  options.instrumented = system.instrumented;
  options.sanitized = system.sanitized;
  options.generate = options_.generate;
  options.seed = options_.seed;
  options.corpus = options_.scenarios;
  options.by_site = true;
  options.keep_going = true;
  options.jobs = options_.jobs;
  options.interrupted = options_.interrupted;
  options.progress = options_.progress;
  if (options_.seconds) options.seconds = *options_.seconds / 2;
  if (!options_.generates) {
    options.runs = options_.scenarios.size();
  } else if (options_.runs) {
    options.runs = *options_.runs + options_.scenarios.size();
  }
  auto result = RunCampaign(options);
  if (!result.ok()) return result.status();
  result_.runs += result->runs;
  result_.operations += result->operations;
  result_.seconds += result->seconds;
  result_.interrupted = result_.interrupted || result->interrupted;
  return std::move(result->findings);
}

// What `system` shows in the scenario of a finding of the other one.
absl::StatusOr<SideVerdict> VerdictComparison::Judge(
    const VerdictSystem& system, const Finding& finding) const {
  const Invariant wanted = finding.sighting.violation.invariant;
  SideVerdict verdict;
  const auto examine = [&](const LoadSystem& load, SanitizedProgram* program) {
    const Investigator investigator(
        load, program, [] { return false; }, options_.generate.capabilities);
    auto seen = program == nullptr
                    ? investigator.Examine(finding.scenario)
                    : investigator.ExamineSanitized(finding.scenario);
    if (seen.ok()) Add(seen->sightings, &verdict);
    return seen.status();
  };
  absl::Status status = examine(system.instrumented, nullptr);
  // A memory error may show in one build and not in the other.
  if (status.ok() && wanted == Invariant::kMemorySafe) {
    status = examine(system.plain, nullptr);
    if (status.ok() && !system.sanitized.empty()) {
      auto program = SanitizedProgram::Start(system.sanitized);
      if (!program.ok()) return program.status();
      status = examine(system.instrumented, &*program);
    }
  }
  if (!status.ok()) return status;
  const bool violated =
      std::find(verdict.invariants.begin(), verdict.invariants.end(),
                InvariantName(wanted)) != verdict.invariants.end();
  if (violated) {
    verdict.verdict = Verdict::kViolated;
  } else if (!verdict.invariants.empty()) {
    verdict.verdict = Verdict::kOther;
  }
  return verdict;
}

// `finding` is of the left system, or of the right one.
absl::StatusOr<JudgedFinding> VerdictComparison::JudgeOne(
    const Finding& finding, bool is_left,
    const std::vector<Finding>& others) const {
  JudgedFinding judged;
  judged.finding = finding;
  auto own = Judge(is_left ? options_.left : options_.right, finding);
  if (!own.ok()) return own.status();
  auto other = Judge(is_left ? options_.right : options_.left, finding);
  if (!other.ok()) return other.status();
  // Its campaign saw it, if only in another build.
  own->verdict = Verdict::kViolated;
  other->violated_elsewhere =
      other->verdict != Verdict::kViolated &&
      std::any_of(others.begin(), others.end(), [&](const Finding& its) {
        return Alike(its, finding) && NeedsNoMore(its, finding);
      });
  (is_left ? judged.left : judged.right) = *std::move(own);
  (is_left ? judged.right : judged.left) = *std::move(other);
  return judged;
}

// The same signature on both systems is one bug of both. By whose scenario?
absl::StatusOr<JudgedFinding> VerdictComparison::JudgeBoth(
    const Finding& left, const Finding& right) const {
  auto judged = JudgeOne(left, true, {right});
  if (!judged.ok() || !judged->differs()) return judged;
  auto by_right = JudgeOne(right, false, {left});
  if (!by_right.ok() || !by_right->differs()) return by_right;
  judged->right = by_right->right;
  judged->right.violated_elsewhere = true;
  judged->right_scenario = right.scenario;
  return judged;
}

absl::Status VerdictComparison::JudgeAll(const std::vector<Finding>& left,
                                         const std::vector<Finding>& right) {
  // What both show in one scenario is one finding, whatever the source of
  // either kernel looks like.
  std::set<std::pair<Invariant, std::string>> told;
  std::set<std::string> signatures;
  const auto tell = [&](absl::StatusOr<JudgedFinding> judged) {
    if (!judged.ok()) return judged.status();
    const Finding& finding = judged->finding;
    told.emplace(finding.sighting.violation.invariant,
                 model::Print(finding.scenario));
    signatures.insert(finding.signature);
    result_.findings.push_back(*std::move(judged));
    return absl::OkStatus();
  };
  absl::Status status;
  for (const Finding& finding : left) {
    const auto same =
        std::find_if(right.begin(), right.end(), [&](const Finding& other) {
          return other.signature == finding.signature;
        });
    status = tell(same == right.end() ? JudgeOne(finding, true, right)
                                      : JudgeBoth(finding, *same));
    if (!status.ok()) return status;
  }
  for (const Finding& finding : right) {
    if (signatures.contains(finding.signature) ||
        told.contains({finding.sighting.violation.invariant,
                       model::Print(finding.scenario)})) {
      continue;
    }
    status = tell(JudgeOne(finding, false, left));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<VerdictResult> VerdictComparison::Run() {
  auto left = FindingsOf(options_.left);
  if (!left.ok()) return left.status();
  auto right = FindingsOf(options_.right);
  if (!right.ok()) return right.status();
  const absl::Status status = JudgeAll(*left, *right);
  if (!status.ok()) return status;
  std::sort(result_.findings.begin(), result_.findings.end(),
            [](const JudgedFinding& a, const JudgedFinding& b) {
              if (RankOf(a) != RankOf(b)) return RankOf(a) < RankOf(b);
              return ReportedBefore(a.finding, b.finding);
            });
  return std::move(result_);
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds:
      return "holds";
    case Verdict::kViolated:
      return "violated";
    case Verdict::kOther:
      return "other";
  }
  return "unknown";
}

absl::StatusOr<VerdictResult> CompareVerdicts(const VerdictOptions& options) {
  return VerdictComparison(options).Run();
}

}  // namespace atsfuzz::fuzz
