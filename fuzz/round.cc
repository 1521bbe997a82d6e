#include "fuzz/round.h"

#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/run.h"
#include "fuzz/sighting.h"
#include "fuzz/strategy.h"
#include "model/operation.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;

constexpr int kPollMs = 20;

// What tells violations apart as far as a plain build can: it has no stacks.
std::string CoarseKey(const properties::Violation& violation,
                      const atsfuzz_event* event,
                      const model::Operation* operation, uint8_t classes) {
  return absl::StrCat(
      InvariantName(violation.invariant), "/", violation.aspect, "/",
      event != nullptr && event->kernel_function != nullptr
          ? event->kernel_function
          : "",
      "/", operation == nullptr ? "end" : ShapeOf(operation->kind).name, "/",
      classes);
}

// Collects coarse keys as violations appear, and tallies if they are wanted.
class KeyCollector : public RunListener {
 public:
  KeyCollector(Link* link, uint8_t classes, bool tallies)
      : link_(link), classes_(classes), wants_tallies_(tallies) {}

  void OnBoot(model::System& system,
              std::span<const properties::Violation> violations) override {
    Collect(nullptr, system, violations);
  }
  void OnStep(const model::Operation& operation, size_t index, bool implicit,
              int, model::System& system,
              std::span<const properties::Violation> violations) override {
    if (!implicit) link_->Part(++steps_);
    if (wants_tallies_ && (classes_ == 0 || operation.faults.any())) {
      tallies_.push_back({static_cast<uint32_t>(index), implicit,
                          TallyOf(system.Events(), operation.faults)});
    }
    Collect(&operation, system, violations);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t>, model::System& system,
               std::span<const properties::Violation> violations) override {
    link_->Part(steps_ += operations.size());
    Collect(operations.empty() ? nullptr : &operations.back().operation, system,
            violations);
  }
  void OnShutdown(model::System& system,
                  std::span<const properties::Violation> violations) override {
    Collect(nullptr, system, violations);
  }
  // Those that appeared since the last call, and in no schedule before.
  std::vector<std::string> TakeNewKeys() {
    std::vector<std::string> keys(keys_.begin() + taken_, keys_.end());
    taken_ = static_cast<ptrdiff_t>(keys_.size());
    return keys;
  }
  Json tallies() const {
    Json tallies = Json::array();
    for (const OperationTally& tally : tallies_) {
      tallies.push_back({tally.operation, tally.implicit, tally.tally.asked,
                         tally.tally.hit});
    }
    return tallies;
  }

 private:
  void Collect(const model::Operation* operation, model::System& system,
               std::span<const properties::Violation> violations) {
    for (const properties::Violation& violation : violations) {
      const auto events = system.Events();
      const bool has_event =
          violation.event >= 0 &&
          static_cast<size_t>(violation.event) < events.size();
      std::string key =
          CoarseKey(violation, has_event ? &events[violation.event] : nullptr,
                    operation, classes_);
      if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
        keys_.push_back(std::move(key));
      }
    }
  }

  Link* link_;
  uint8_t classes_;
  bool wants_tallies_;
  uint64_t steps_ = 0;
  std::vector<std::string> keys_;
  ptrdiff_t taken_ = 0;
  std::vector<OperationTally> tallies_;
};

std::vector<OperationTally> TalliesFrom(const Json& report) {
  std::vector<OperationTally> tallies;
  for (const Json& json : report["tallies"]) {
    OperationTally& tally = tallies.emplace_back();
    json[0].get_to(tally.operation);
    json[1].get_to(tally.implicit);
    json[2].get_to(tally.tally.asked);
    json[3].get_to(tally.tally.hit);
  }
  return tallies;
}

// A schedule as numbers, and back.
std::vector<uint64_t> Packed(const model::Schedule& schedule) {
  std::vector<uint64_t> packed;
  for (const model::Turn& turn : schedule) {
    packed.push_back(uint64_t{turn.weak} << 40 | uint64_t{turn.plain} << 32 |
                     uint64_t{turn.actor.value} << 24 |
                     uint64_t{turn.operation} << 16 | turn.step);
  }
  return packed;
}

model::Schedule Unpacked(const std::vector<uint64_t>& packed) {
  model::Schedule schedule;
  for (uint64_t turn : packed) {
    schedule.push_back({.actor = {static_cast<uint8_t>(turn >> 24)},
                        .operation = static_cast<uint8_t>(turn >> 16),
                        .step = static_cast<uint16_t>(turn),
                        .plain = static_cast<uint8_t>(turn >> 32),
                        .weak = turn >> 40 != 0});
  }
  return schedule;
}

void RunOne(const Round& round, uint64_t run, model::System& system,
            Coverage* seen, Link& link) {
  const model::Scenario scenario = round.scenario(run);
  const std::unique_ptr<Schedules> schedules =
      round.schedules
          ? round.schedules(run, scenario.schedule)
          : SchedulesFor({.strategy = Strategy::kBytes}, 0, scenario.schedule);
  KeyCollector collector(&link, ClassesUsed(scenario), round.tallies);
  // Whatever the runs before it in this process did must not show.
  const std::span<uint8_t> counters = system.Coverage();
  std::fill(counters.begin(), counters.end(), 0);
  uint64_t operations = 0, effective = 0;
  absl::StatusOr<RunResult> result;
  // A report for each schedule that shows what none before it has.
  std::vector<Json> reports;
  const auto report = [&](std::vector<std::string> keys) {
    reports.push_back({{"run", run},
                       {"keys", std::move(keys)},
                       {"features", Json::array()},
                       {"schedule", Packed(result->schedule)}});
  };
  for (Scheduler* scheduler = schedules->Next();
       scheduler != nullptr && !(operations != 0 && link.Stopped());
       scheduler = schedules->Next()) {
    if (operations != 0) link.Begin(run);
    result = Run(scenario, system,
                 {.drop_impossible = true,
                  .listener = &collector,
                  .scheduler = scheduler,
                  .tell_turn = [&link](size_t index, const model::Turn& turn) {
                    link.Turn(index, turn);
                  }});
    if (!result.ok()) break;
    operations += result->results.size();
    effective += result->effective;
    std::vector<std::string> keys = collector.TakeNewKeys();
    if (!keys.empty()) report(std::move(keys));
    if (result->schedule.empty()) break;
  }
  if (!result.ok()) {
    link.Send(
        Json{{"run", run}, {"error", std::string(result.status().message())}}
            .dump());
    link.Done(operations, effective);
    return;
  }
  std::vector<uint32_t> features = seen->NewFeatures(system.Coverage());
  seen->Add(features);
  const bool wanted =
      round.wanted && !result->schedule.empty() && round.wanted(run);
  if (round.tallies || wanted || !features.empty()) {
    if (reports.empty()) report({});
    reports.back()["features"] = features;
    if (round.tallies) reports.back()["tallies"] = collector.tallies();
  }
  for (const Json& each : reports) link.Send(each.dump());
  link.Done(operations, effective);
}

// The runs of one process: every jobs-th, from `next` on.
class Slice {
 public:
  Slice(const Round& round, uint64_t next) : round_(round), next_(next) {
    Start();
  }

  // False once all of its runs are done or it was stopped.
  bool Advance(RoundResult* result, absl::Status* error) {
    if (child_ == nullptr) return false;
    std::vector<std::string> lines;
    const bool running = child_->Receive(&lines);
    for (const std::string& line : lines) Take(line, result, error);
    if (running) {
      child_->Watch(kRunTimeoutMs);
      return true;
    }
    result->runs += child_->done();
    result->operations += child_->operations();
    result->effective += child_->effective();
    if (child_->finished() || !error->ok()) {
      child_.reset();
      return false;
    }
    // The run that was going on killed it; the next one gets a new process.
    RunReport report;
    report.run = child_->item();
    report.death = child_->death();
    report.part = child_->part();
    report.schedule = child_->schedule();
    result->reports.push_back(std::move(report));
    ++result->runs;
    next_ = child_->item() + static_cast<uint64_t>(round_.jobs);
    if (stopped_) {
      child_.reset();
      return false;
    }
    Start();
    return child_ != nullptr;
  }

  void Stop() {
    stopped_ = true;
    if (child_ != nullptr) child_->Stop();
  }
  int fd() const { return child_ == nullptr ? -1 : child_->fd(); }
  uint64_t runs() const { return child_ == nullptr ? 0 : child_->done(); }
  uint64_t operations() const {
    return child_ == nullptr ? 0 : child_->operations();
  }

 private:
  void Start() {
    child_.reset();
    const uint64_t end = round_.first + round_.count;
    if (next_ >= end) return;
    child_ = Child::Fork(Child::Signals::kRecord, [this, end](Link& link) {
      link.Begin(next_);
      const auto system = round_.load();
      if (!system.ok()) {
        link.Send(Json{{"load", std::string(system.status().message())},
                       {"code", static_cast<int>(system.status().code())}}
                      .dump());
        return;
      }
      Coverage seen = *round_.known;
      uint64_t edges = 0;
      for (uint64_t run = next_; run < end && !link.Stopped();
           run += static_cast<uint64_t>(round_.jobs)) {
        link.Begin(run);
        RunOne(round_, run, **system, &seen, link);
        if (edges == 0 && (edges = (*system)->Coverage().size()) != 0) {
          link.Send(Json{{"edges", edges}}.dump());
        }
      }
    });
  }

  void Take(const std::string& line, RoundResult* result,
            absl::Status* error) const {
    const Json json = Json::parse(line);
    if (json.contains("load")) {
      *error =
          absl::Status(static_cast<absl::StatusCode>(json["code"].get<int>()),
                       json["load"].get<std::string>());
    } else if (json.contains("edges")) {
      result->edges = json["edges"];
    } else if (json.contains("error")) {
      // The lowest run's reason, whoever reports first.
      const uint64_t run = json["run"];
      if (result->not_booted++ == 0 || run < result->first_not_booted) {
        result->first_not_booted = run;
        result->not_booted_why = json["error"];
      }
    } else {
      RunReport report;
      report.run = json["run"];
      json["keys"].get_to(report.keys);
      json["features"].get_to(report.features);
      report.schedule = Unpacked(json["schedule"]);
      if (json.contains("tallies")) report.tallies = TalliesFrom(json);
      result->reports.push_back(std::move(report));
    }
  }

  const Round& round_;
  uint64_t next_;
  bool stopped_ = false;
  std::unique_ptr<Child> child_;
};

}  // namespace

absl::StatusOr<RoundResult> RunRound(const Round& round) {
  RoundResult result;
  absl::Status error;
  std::vector<std::unique_ptr<Slice>> slices;
  for (int job = 0; job < round.jobs; ++job) {
    slices.push_back(std::make_unique<Slice>(
        round, round.first + static_cast<uint64_t>(job)));
  }
  for (bool running = true; running;) {
    running = false;
    std::vector<pollfd> waiting;
    uint64_t runs = result.runs, operations = result.operations;
    for (const auto& slice : slices) {
      if (!slice->Advance(&result, &error)) continue;
      running = true;
      waiting.push_back({slice->fd(), POLLIN, 0});
      runs += slice->runs();
      operations += slice->operations();
    }
    if (running) poll(waiting.data(), waiting.size(), kPollMs);
    if (!error.ok() || (round.stop && round.stop(runs, operations))) {
      result.stopped = true;
      for (const auto& slice : slices) slice->Stop();
    }
  }
  if (!error.ok()) return error;
  std::stable_sort(
      result.reports.begin(), result.reports.end(),
      [](const RunReport& a, const RunReport& b) { return a.run < b.run; });
  return result;
}

}  // namespace atsfuzz::fuzz
