#include "fuzz/campaign.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "fuzz/compare.h"
#include "fuzz/coverage.h"
#include "fuzz/investigate.h"
#include "fuzz/machine.h"
#include "fuzz/mutate.h"
#include "fuzz/sanitized.h"
#include "fuzz/seed.h"
#include "fuzz/shrink.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

// The first round is small, so that what is found at once is told at once.
constexpr uint64_t kFirstRound = 256, kLargestRound = 4096;
// Every how many runs one is repeated under sanitizers.
constexpr uint64_t kSanitizedShare = 16;
// How often a coarse key is examined before only every doubling of its count
// is: different bugs may share a key.
constexpr uint64_t kAlwaysExamined = 4;

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options)
      : options_(options), start_(Clock::now()), corpus_(options.corpus) {}

  absl::StatusOr<CampaignResult> Run();

 private:
  absl::Status StartSanitized();
  model::Scenario ScenarioOf(uint64_t run) const;
  model::Scenario DrawnFor(uint64_t run) const;
  // The same with the schedule that the run had.
  model::Scenario ScenarioOf(const RunReport& report) const;
  std::unique_ptr<Schedules> SchedulesOf(uint64_t run,
                                         const model::Schedule& own) const;
  uint64_t NextRoundSize();
  bool TimeIsUp() const;
  bool Interrupted() const {
    return options_.interrupted && options_.interrupted();
  }
  // It is repeated under sanitizers.
  bool IsSanitized(uint64_t run) const {
    return !sanitized_.empty() &&
           (options_.thorough || run % kSanitizedShare == kSanitizedShare - 1);
  }
  void Tell(uint64_t runs, uint64_t operations, bool shrinking) const;

  absl::Status OneRound(uint64_t count);
  absl::Status RunSanitizedShare(uint64_t first, uint64_t count,
                                 const std::vector<RunReport>& plain,
                                 std::vector<RunReport>* deaths);
  absl::Status ExamineReports(const std::vector<RunReport>& reports,
                              bool sanitized);
  bool WorthExamining(const RunReport& report);
  // It is one of CampaignOptions::seen, with as many assumptions or fewer.
  bool WasSeen(const Sighting& sighting, uint8_t used);
  void Consider(const Investigator& investigator,
                const Investigator::Examination& examination, uint64_t run,
                bool sanitized);
  void GrowCorpus(const std::vector<RunReport>& reports);

  Investigator With(const LoadSystem& load) {
    return Investigator(
        load, sanitized_.empty() ? nullptr : &sanitized_.front(),
        [this] {
          Tell(0, 0, true);
          return Interrupted();
        },
        options_.generate.capabilities, options_.by_site);
  }

  const CampaignOptions& options_;
  Clock::time_point start_;
  uint64_t next_run_ = 0;
  uint64_t round_size_ = kFirstRound;
  std::vector<model::Scenario> planned_;  // the runs of this round, by a plan
  std::vector<model::Scenario> corpus_;
  Coverage coverage_;
  std::vector<SanitizedProgram> sanitized_;
  std::map<std::string, uint64_t> key_counts_;
  std::map<std::string, Finding> findings_;  // by the sighting's key
  bool new_finding_ = false;
  CampaignResult result_;
};

absl::Status Campaign::StartSanitized() {
  for (int job = 0; job < options_.jobs && !options_.sanitized.empty(); ++job) {
    auto program = SanitizedProgram::Start(options_.sanitized);
    if (!program.ok()) return program.status();
    sanitized_.push_back(*std::move(program));
  }
  return absl::OkStatus();
}

model::Scenario Campaign::ScenarioOf(uint64_t run) const {
  return options_.by_site ? ByAllocationSite(DrawnFor(run)) : DrawnFor(run);
}

model::Scenario Campaign::DrawnFor(uint64_t run) const {
  if (options_.plan != nullptr) return planned_[run - next_run_];
  if (run < options_.corpus.size()) {
    return Restricted(options_.corpus[run], options_.generate.capabilities);
  }
  const uint64_t choice = SeedOf(options_.seed, run);
  const uint64_t seed = SeedOf(choice, 1);
  const uint64_t dice = choice % 100;
  if (dice < 50 || corpus_.empty()) return Generate(seed, options_.generate);
  const auto entry = [&](uint64_t n) -> const model::Scenario& {
    return corpus_[SeedOf(choice, n) % corpus_.size()];
  };
  const auto longest = static_cast<size_t>(options_.generate.max_operations);
  const model::Capabilities& capabilities = options_.generate.capabilities;
  model::Scenario scenario =
      dice < 85 ? Mutate(entry(2), seed, options_.generate.faults, longest,
                         capabilities)
                : Crossover(entry(2), entry(3), seed, longest);
  // Entries that the user gave may hold what this system cannot run.
  scenario = Restricted(scenario, capabilities);
  const bool allowed = !options_.generate.well_behaved &&
                       (!options_.generate.topology ||
                        scenario.topology == *options_.generate.topology) &&
                       (ClassesUsed(scenario) & ~options_.generate.faults) == 0;
  return allowed ? scenario : Generate(seed, options_.generate);
}

model::Scenario Campaign::ScenarioOf(const RunReport& report) const {
  model::Scenario scenario = ScenarioOf(report.run);
  if (BlockOf(scenario).exists()) scenario.schedule = report.schedule;
  return scenario;
}

std::unique_ptr<Schedules> Campaign::SchedulesOf(
    uint64_t run, const model::Schedule& own) const {
  // What the user gave runs as it is.
  const bool given = options_.plan != nullptr || run < options_.corpus.size();
  return SchedulesFor(
      given ? StrategyOptions{.strategy = Strategy::kBytes} : options_.strategy,
      SeedOf(SeedOf(options_.seed, run), 4), own);
}

// 0: nothing is left to do.
uint64_t Campaign::NextRoundSize() {
  if (options_.plan != nullptr) {
    planned_ = options_.plan->NextRound();
    return planned_.size();
  }
  uint64_t count = std::max<uint64_t>(round_size_, 1);
  if (options_.runs) count = std::min(count, *options_.runs - next_run_);
  return count;
}

bool Campaign::TimeIsUp() const {
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  return options_.seconds && elapsed.count() >= *options_.seconds;
}

void Campaign::Tell(uint64_t runs, uint64_t operations, bool shrinking) const {
  if (!options_.progress) return;
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  options_.progress({.runs = result_.runs + runs,
                     .operations = result_.operations + operations,
                     .seconds = elapsed.count(),
                     .edges = result_.edges,
                     .edges_covered = coverage_.edges(),
                     .findings = findings_.size(),
                     .shrinking = shrinking});
}

absl::Status Campaign::OneRound(uint64_t count) {
  Round round;
  round.first = next_run_;
  round.count = count;
  round.jobs = options_.jobs;
  round.scenario = [this](uint64_t run) { return ScenarioOf(run); };
  round.schedules = [this](uint64_t run, const model::Schedule& own) {
    return SchedulesOf(run, own);
  };
  round.wanted = [this](uint64_t run) { return IsSanitized(run); };
  round.load = options_.plain;
  round.known = &coverage_;
  round.tallies = options_.plan != nullptr;
  round.stop = [this](uint64_t runs, uint64_t operations) {
    Tell(runs, operations, false);
    return TimeIsUp() || Interrupted();
  };
  auto done = RunRound(round);
  if (!done.ok()) return done.status();
  result_.runs += done->runs;
  result_.operations += done->operations;
  result_.effective += done->effective;
  if (done->edges != 0) result_.edges = done->edges;
  if (done->not_booted != 0 && result_.not_booted == 0) {
    result_.not_booted_why = done->not_booted_why;
  }
  result_.not_booted += done->not_booted;
  if (result_.not_booted == result_.runs && result_.runs != 0) {
    return absl::UnavailableError(
        absl::StrCat("no machine comes up: ", result_.not_booted_why));
  }
  absl::Status status = ExamineReports(done->reports, false);
  if (status.ok() && !done->stopped) {
    std::vector<RunReport> deaths;
    status = RunSanitizedShare(next_run_, count, done->reports, &deaths);
    if (status.ok()) status = ExamineReports(deaths, true);
  }
  GrowCorpus(done->reports);
  if (options_.plan != nullptr) {
    options_.plan->RoundDone(next_run_, done->reports);
  }
  next_run_ += count;
  round_size_ = std::min(round_size_ * 2, kLargestRound);
  return status;
}

// `plain`: what the same runs have shown, and their schedules.
absl::Status Campaign::RunSanitizedShare(uint64_t first, uint64_t count,
                                         const std::vector<RunReport>& plain,
                                         std::vector<RunReport>* deaths) {
  if (sanitized_.empty()) return absl::OkStatus();
  const auto scenario_of = [&](uint64_t run) {
    const auto report =
        std::lower_bound(plain.begin(), plain.end(), run,
                         [](const RunReport& each, uint64_t number) {
                           return each.run < number;
                         });
    return report != plain.end() && report->run == run ? ScenarioOf(*report)
                                                       : ScenarioOf(run);
  };
  std::vector<uint64_t> runs;
  for (uint64_t run = first; run < first + count; ++run) {
    if (IsSanitized(run)) runs.push_back(run);
  }
  const size_t jobs = sanitized_.size();
  for (size_t job = 0; job < jobs; ++job) {
    std::vector<model::Scenario> scenarios;
    for (size_t i = job; i < runs.size(); i += jobs) {
      scenarios.push_back(scenario_of(runs[i]));
    }
    absl::Status sent = sanitized_[job].Send(scenarios);
    if (!sent.ok()) return sent;
  }
  for (size_t job = 0; job < jobs; ++job) {
    auto answers = sanitized_[job].Receive();
    if (!answers.ok()) return answers.status();
    for (size_t i = 0; i < answers->size(); ++i) {
      ++result_.sanitized_runs;
      const auto& death = (*answers)[i].death;
      if (!death) continue;
      RunReport& report = deaths->emplace_back();
      report.run = runs[job + i * jobs];
      report.death = death;
      report.schedule = scenario_of(report.run).schedule;
    }
  }
  std::sort(
      deaths->begin(), deaths->end(),
      [](const RunReport& a, const RunReport& b) { return a.run < b.run; });
  return absl::OkStatus();
}

// Counts what the report shows; true if that asks for a closer look.
bool Campaign::WorthExamining(const RunReport& report) {
  std::vector<std::string> keys = report.keys;
  if (report.death) {
    keys.push_back(absl::StrCat("death/", report.death->hung, "/",
                                report.death->signal, "/",
                                report.death->error));
    for (const Frame& frame : report.death->stack) {
      absl::StrAppend(&keys.back(), "/", frame.offset);
    }
  }
  bool worth = false;
  for (const std::string& key : keys) {
    const uint64_t count = ++key_counts_[key];
    if (options_.thorough || count <= kAlwaysExamined ||
        std::has_single_bit(count)) {
      worth = true;
    }
  }
  return worth;
}

absl::Status Campaign::ExamineReports(const std::vector<RunReport>& reports,
                                      bool sanitized) {
  absl::Status status;
  for (const RunReport& report : reports) {
    if (!WorthExamining(report)) continue;
    if (Interrupted() && !findings_.empty()) break;
    const model::Scenario scenario = ScenarioOf(report);
    const Investigator investigator = With(options_.instrumented);
    auto examination = sanitized ? investigator.ExamineSanitized(scenario)
                                 : investigator.Examine(scenario);
    if (!examination.ok()) {
      status = examination.status();
    } else if (report.death && !examination->died && !sanitized) {
      // Another build survives it; the build that died is asked itself.
      const Investigator plain = With(options_.plain);
      examination = plain.Examine(scenario);
      if (examination.ok()) {
        Consider(plain, *examination, report.run, sanitized);
      }
      status = examination.status();
    } else {
      Consider(investigator, *examination, report.run, sanitized);
    }
    if (!status.ok()) break;
  }
  return status;
}

bool Campaign::WasSeen(const Sighting& sighting, uint8_t used) {
  bool seen = false;
  for (uint8_t assumes = 0; assumes <= model::kAllFaults; ++assumes) {
    const std::string& signature = sighting.signatures[assumes];
    if ((assumes & ~used) != 0 || options_.seen.count(signature) == 0) continue;
    result_.seen.insert(signature);
    seen = true;
  }
  return seen;
}

void Campaign::Consider(const Investigator& investigator,
                        const Investigator::Examination& examination,
                        uint64_t run, bool sanitized) {
  const uint8_t used = ClassesUsed(examination.scenario);
  for (const Sighting& sighting : examination.sightings) {
    if (WasSeen(sighting, used)) continue;
    const auto seen = findings_.find(sighting.key());
    if (seen != findings_.end()) {
      // Looked at again only if it may need fewer assumptions than before.
      const uint8_t assumes = seen->second.assumes;
      if ((used & assumes) != used || used == assumes) continue;
    }
    Finding finding =
        investigator.Investigate(examination, sighting, sanitized);
    finding.run = run;
    for (uint8_t assumes = 0; assumes <= model::kAllFaults; ++assumes) {
      // A bug that is known to happen with fewer faults is known.
      if ((assumes & ~finding.assumes) == 0 && !finding.known) {
        finding.known =
            options_.known.ReasonFor(finding.sighting.signatures[assumes]);
      }
    }
    if (!finding.known) new_finding_ = true;
    findings_.insert_or_assign(sighting.key(), std::move(finding));
  }
}

void Campaign::GrowCorpus(const std::vector<RunReport>& reports) {
  std::vector<model::Scenario> additions;
  for (const RunReport& report : reports) {
    if (!coverage_.Add(report.features)) continue;
    if (options_.plan != nullptr) continue;
    if (report.run < options_.corpus.size()) continue;  // is in it already
    additions.push_back(ScenarioOf(report));
  }
  // Only now: ScenarioOf answers by the corpus of the round that is ending.
  for (model::Scenario& scenario : additions) {
    corpus_.push_back(scenario);
    result_.additions.push_back(std::move(scenario));
  }
}

absl::StatusOr<CampaignResult> Campaign::Run() {
  absl::Status status = StartSanitized();
  while (status.ok()) {
    const uint64_t count = NextRoundSize();
    if (count == 0) break;
    status = OneRound(count);
    if (TimeIsUp() || Interrupted()) break;
    if (new_finding_ && !options_.keep_going) break;
  }
  if (!status.ok()) return status;
  result_.interrupted = Interrupted();
  result_.edges_covered = coverage_.edges();
  for (auto& [key, finding] : findings_) {
    result_.findings.push_back(std::move(finding));
  }
  std::sort(result_.findings.begin(), result_.findings.end(), ReportedBefore);
  result_.seconds =
      std::chrono::duration<double>(Clock::now() - start_).count();
  return std::move(result_);
}

}  // namespace

absl::StatusOr<CampaignResult> RunCampaign(const CampaignOptions& options) {
  return Campaign(options).Run();
}

}  // namespace atsfuzz::fuzz
