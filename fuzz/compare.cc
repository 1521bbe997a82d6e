#include "fuzz/compare.h"

#include <poll.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/child_shrink.h"
#include "fuzz/examine.h"
#include "fuzz/lockstep.h"
#include "fuzz/run.h"
#include "fuzz/seed.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;
using model::Scenario;

constexpr int kPollMs = 20;
// Runs between two reports of how often an allowed difference was needed.
constexpr uint64_t kReportShare = 256;

bool UsesAllocationNumbers(const Scenario& scenario) {
  return std::any_of(scenario.operations.begin(), scenario.operations.end(),
                     [](const model::Operation& operation) {
                       return operation.faults.alloc_numbers != 0;
                     });
}

Scenario ScenarioOf(const CompareOptions& options, uint64_t run) {
  if (run < options.scenarios.size()) return options.scenarios[run];
  const uint64_t seed = SeedOf(options.seed, run - options.scenarios.size());
  return ByAllocationSite(Generate(seed, options.generate));
}

// The child's side: runs one after the other, and tells.
class Runner {
 public:
  Runner(const CompareOptions& options, Systems systems, Link& link)
      : options_(options), systems_(std::move(systems)), link_(link) {}

  // Runs number `first` up to but not including `end`.
  void Run(uint64_t first, uint64_t end) {
    for (uint64_t run = first; run < end && !link_.Stopped(); ++run) {
      link_.Begin(run);
      if (!RunOne(run)) break;
      if (run % kReportShare == kReportShare - 1) ReportAllowed();
    }
    ReportAllowed();
  }

 private:
  bool IsGiven(uint64_t run) const { return run < options_.scenarios.size(); }

  // False: the comparison is over.
  bool RunOne(uint64_t run) {
    const Scenario scenario = ScenarioOf(options_, run);
    if (IsGiven(run)) {
      const absl::Status fits = systems_.Fit(scenario);
      if (!fits.ok()) {
        link_.Send(
            Json{{"unfit", std::string(fits.message())}, {"run", run}}.dump());
        link_.Done(0, 0);
        return true;
      }
    }
    const auto result =
        RunLockstep(scenario, *systems_.left, *systems_.right,
                    {.drop_impossible = !IsGiven(run),
                     .entering = [this](uint64_t turn, Side side) {
                       link_.Part(PartOf(turn, side));
                     }});
    if (!result.ok()) {
      link_.Send(Json{
          {"error", std::string(result.status().message())},
          {"run",
           run}}.dump());
      link_.Done(0, 0);
      return !IsGiven(run);
    }
    Add(result->allowed, &allowed_);
    if (result->died) ++cut_short_;
    link_.Done(result->kept.size(), result->effective);
    if (!result->difference) return true;
    RunResult kept;
    kept.kept = result->kept;
    link_.Send(Json{{"run", run},
                    {"difference", Serialize(*result->difference)},
                    {"scenario", model::Print(Kept(scenario, kept))}}
                   .dump());
    return options_.keep_going;
  }

  void ReportAllowed() {
    link_.Send(Json{{"allowed", allowed_}, {"cut_short", cut_short_}}.dump());
    allowed_.clear();
    cut_short_ = 0;
  }

  const CompareOptions& options_;
  Systems systems_;
  Link& link_;
  AllowedCounts allowed_;
  uint64_t cut_short_ = 0;
};

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options)
      : options_(options), start_(Clock::now()) {
    result_.allowed.resize(AllowedDifferences().size());
  }

  absl::StatusOr<CompareResult> Run();

 private:
  uint64_t End() const;
  double Elapsed() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }
  bool IsTimeUp() const {
    return options_.seconds && Elapsed() >= *options_.seconds;
  }
  bool IsInterrupted() const {
    return options_.interrupted && options_.interrupted();
  }
  void Tell(const Child* child, bool shrinking) const;

  absl::Status RunFrom(uint64_t* next);
  absl::Status Take(const std::string& line);
  void TakeDeath(uint64_t run);
  void Note(uint64_t run, const Difference& difference,
            const Scenario& scenario);
  void ShrinkAll();
  void Shrink(FoundDifference* found) const;

  const CompareOptions& options_;
  Clock::time_point start_;
  CompareResult result_;
  std::map<std::string, size_t> by_signature_;  // index in result_.differences
};

uint64_t Comparison::End() const {
  const uint64_t given = options_.scenarios.size();
  if (!options_.generates) return given;
  return options_.runs ? given + *options_.runs : ~uint64_t{0};
}

void Comparison::Tell(const Child* child, bool shrinking) const {
  if (!options_.progress) return;
  options_.progress(
      {.runs = result_.runs + (child != nullptr ? child->done() : 0),
       .operations =
           result_.operations + (child != nullptr ? child->operations() : 0),
       .seconds = Elapsed(),
       .differences = result_.differences.size(),
       .shrinking = shrinking});
}

absl::Status Comparison::Take(const std::string& line) {
  const Json json = Json::parse(line);
  if (json.contains("load")) {
    return absl::Status(static_cast<absl::StatusCode>(json["code"].get<int>()),
                        json["load"].get<std::string>());
  }
  if (json.contains("allowed")) {
    Add(json["allowed"].get<AllowedCounts>(), &result_.allowed);
    result_.cut_short += json["cut_short"].get<uint64_t>();
    return absl::OkStatus();
  }
  const uint64_t run = json["run"];
  if (json.contains("unfit")) {
    result_.unfit.emplace_back(run, json["unfit"].get<std::string>());
  } else if (json.contains("error")) {
    const std::string why = json["error"].get<std::string>();
    if (run < options_.scenarios.size()) {
      return absl::FailedPreconditionError(
          absl::StrCat("scenario ", run + 1, ": ", why));
    }
    if (result_.not_booted++ == 0) result_.not_booted_why = why;
  } else {
    const auto scenario =
        model::Parse(json["scenario"].get<std::string>(), "run");
    if (!scenario.ok()) return scenario.status();
    Note(run, ParseDifference(json["difference"].get<std::string>()),
         *scenario);
  }
  return absl::OkStatus();
}

void Comparison::Note(uint64_t run, const Difference& difference,
                      const Scenario& scenario) {
  const auto [at, is_new] =
      by_signature_.emplace(difference.signature, result_.differences.size());
  if (is_new) {
    FoundDifference& found = result_.differences.emplace_back();
    found.difference = difference;
    found.scenario = scenario;
    found.found_operations = scenario.operations.size();
    found.run = run;
  }
  ++result_.differences[at->second].times;
}

// A run has killed its process: of one system or of both?
void Comparison::TakeDeath(uint64_t run) {
  const Scenario scenario = ScenarioOf(options_, run);
  const auto difference = Examine(options_.fast, scenario);
  if (difference) {
    Note(run, *difference, scenario);
  } else {
    ++result_.cut_short;
  }
}

// One process's worth of runs.
absl::Status Comparison::RunFrom(uint64_t* next) {
  const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
    link.Begin(*next);
    auto systems = Load(options_.fast);
    if (!systems.ok()) {
      link.Send(Json{{"load", std::string(systems.status().message())},
                     {"code", static_cast<int>(systems.status().code())}}
                    .dump());
      return;
    }
    Runner(options_, *std::move(systems), link).Run(*next, End());
  });
  absl::Status status;
  for (bool running = true; running;) {
    std::vector<std::string> lines;
    running = child->Receive(&lines);
    if (running && lines.empty()) {
      pollfd waiting = {child->fd(), POLLIN, 0};
      poll(&waiting, 1, kPollMs);
    }
    for (const std::string& line : lines) {
      if (status.ok()) status = Take(line);
    }
    child->Watch(kRunTimeoutMs);
    Tell(child.get(), false);
    if (!status.ok() || IsTimeUp() || IsInterrupted()) child->Stop();
  }
  result_.runs += child->done();
  result_.operations += child->operations();
  result_.effective += child->effective();
  *next = End();
  if (!child->finished() && status.ok()) {
    ++result_.runs;
    *next = child->item() + 1;
    TakeDeath(child->item());
  }
  return status;
}

void Comparison::Shrink(FoundDifference* found) const {
  const std::string wanted = found->difference.signature;
  const bool by_number = UsesAllocationNumbers(found->scenario);
  const auto stop = [this] {
    Tell(nullptr, true);
    return IsInterrupted();
  };
  const auto is_said_by_site = [by_number](const Scenario& scenario) {
    return by_number || !UsesAllocationNumbers(scenario);
  };
  const auto make = [&]() -> Predicate {
    auto loaded = Load(options_.fast);
    if (!loaded.ok()) return nullptr;
    const auto systems = std::make_shared<Systems>(*std::move(loaded));
    return [systems, wanted, is_said_by_site](const Scenario& candidate) {
      if (!is_said_by_site(candidate) || !systems->Fit(candidate).ok()) {
        return false;
      }
      const auto result =
          RunLockstep(candidate, *systems->left, *systems->right);
      return result.ok() && result->difference &&
             result->difference->signature == wanted;
    };
  };
  const Predicate examines = [&](const Scenario& candidate) {
    if (!is_said_by_site(candidate)) return false;
    const auto difference = Examine(options_.fast, candidate);
    return difference && difference->signature == wanted;
  };
  // What kills a child is tried in a child each time.
  const bool is_death =
      found->difference.kind == ObservedKindName(ObservedKind::kDeath);
  ChildShrink shrunk = is_death ? ShrinkHere(found->scenario, examines, stop,
                                             options_.generate.capabilities)
                                : ShrinkInChild(found->scenario, make, stop,
                                                options_.generate.capabilities);
  found->scenario = std::move(shrunk.scenario);
  found->attempts = shrunk.attempts;
  found->minimal = shrunk.minimal;
  for (const LoadPair* load : {&options_.located, &options_.fast}) {
    const auto again = Examine(*load, found->scenario);
    if (!again || again->signature != wanted) continue;
    found->difference = *again;
    break;
  }
}

void Comparison::ShrinkAll() {
  for (FoundDifference& found : result_.differences) Shrink(&found);
}

absl::StatusOr<CompareResult> Comparison::Run() {
  for (uint64_t next = 0; next < End();) {
    if (absl::Status status = RunFrom(&next); !status.ok()) return status;
    if (IsTimeUp() || IsInterrupted()) break;
    if (!result_.differences.empty() && !options_.keep_going) break;
  }
  if (result_.runs != 0 && result_.not_booted == result_.runs) {
    return absl::UnavailableError(
        absl::StrCat("no machine comes up: ", result_.not_booted_why));
  }
  result_.seconds = Elapsed();
  ShrinkAll();
  result_.interrupted = IsInterrupted();
  return std::move(result_);
}

}  // namespace

absl::StatusOr<CompareResult> RunComparison(const CompareOptions& options) {
  return Comparison(options).Run();
}

Scenario ByAllocationSite(const Scenario& scenario) {
  Scenario by_site = scenario;
  for (model::Operation& operation : by_site.operations) {
    model::Faults& faults = operation.faults;
    for (; faults.alloc_numbers != 0;
         faults.alloc_numbers &= faults.alloc_numbers - 1) {
      const int number = std::countr_zero(faults.alloc_numbers);
      faults.alloc_sites |=
          static_cast<uint16_t>(1u << (number % model::kAllocSites));
    }
  }
  return by_site;
}

}  // namespace atsfuzz::fuzz
