#include "fuzz/investigate.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/run.h"
#include "fuzz/shrink.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;

// Passes sightings on as they appear, and says which operation runs.
class SendingListener : public SightingCollector {
 public:
  explicit SendingListener(Link* link) : link_(link) {}

  void OnStep(const model::Operation& operation, size_t index, bool implicit,
              int result, model::System& system,
              std::span<const properties::Violation> violations) override {
    SightingCollector::OnStep(operation, index, implicit, result, system,
                              violations);
    if (!implicit) link_->Part(++steps_);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const properties::Violation> violations) override {
    SightingCollector::OnBlock(operations, indices, system, violations);
    link_->Part(steps_ += operations.size());
  }

 private:
  Link* link_;
  uint64_t steps_ = 0;
};

bool Shows(const model::Scenario& scenario, const Sighting& wanted,
           model::System& system) {
  SightingCollector collector;
  if (!Run(scenario, system, {.listener = &collector}).ok()) return false;
  return std::any_of(
      collector.sightings().begin(), collector.sightings().end(),
      [&](const Sighting& seen) { return seen.key() == wanted.key(); });
}

// Only instrumented builds have weak memory, and stop at plain accesses:
// another would run something else.
bool IsForAnyBuild(const model::Scenario& scenario) {
  return !model::HasWeakTurns(scenario.schedule) &&
         !model::StopsAtPlainAccesses(scenario.schedule);
}

}  // namespace

Investigator::Investigator(LoadSystem load, SanitizedProgram* sanitized,
                           std::function<bool()> stop,
                           const model::Capabilities& capabilities,
                           bool by_site)
    : load_(std::move(load)),
      sanitized_(sanitized),
      stop_(std::move(stop)),
      capabilities_(capabilities),
      by_site_(by_site) {}

// Whether the shrinker may come to `scenario`.
bool Investigator::Allowed(const model::Scenario& scenario) const {
  return !by_site_ ||
         std::none_of(scenario.operations.begin(), scenario.operations.end(),
                      [](const model::Operation& operation) {
                        return operation.faults.alloc_numbers != 0;
                      });
}

absl::StatusOr<Investigator::Examination> Investigator::Examine(
    const model::Scenario& scenario) const {
  const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
    const auto system = load_();
    if (!system.ok()) {
      link.Send(Json{{"load", std::string(system.status().message())},
                     {"code", static_cast<int>(system.status().code())}}
                    .dump());
      return;
    }
    link.Begin(0);
    SendingListener listener(&link);
    const auto result = Run(scenario, **system,
                            {.drop_impossible = true, .listener = &listener});
    if (!result.ok()) return;
    for (const Sighting& sighting : listener.sightings()) {
      link.Send(Serialize(sighting));
    }
    link.Send(
        Json{{"kept", result->kept}, {"allocated", result->allocated}}.dump());
  });
  Examination examination;
  examination.scenario = scenario;
  for (const std::string& line : child->ReceiveAll(kRunTimeoutMs)) {
    const Json json = Json::parse(line);
    if (json.contains("load")) {
      return absl::Status(
          static_cast<absl::StatusCode>(json["code"].get<int>()),
          json["load"].get<std::string>());
    }
    if (json.contains("kept")) {
      RunResult result;
      json["kept"].get_to(result.kept);
      json["allocated"].get_to(result.allocated);
      examination.scenario = Kept(scenario, result);
    } else {
      examination.sightings.push_back(ParseSighting(line));
    }
  }
  if (!child->finished()) {
    examination.died = true;
    examination.sightings = {
        SightingOf(child->death(), scenario, child->part())};
  }
  return examination;
}

absl::StatusOr<Investigator::Examination> Investigator::ExamineSanitized(
    const model::Scenario& scenario) const {
  Examination examination;
  examination.scenario = scenario;
  if (sanitized_ == nullptr || !IsForAnyBuild(scenario)) return examination;
  absl::Status sent = sanitized_->Send({scenario});
  if (!sent.ok()) return sent;
  const auto runs = sanitized_->Receive();
  if (!runs.ok()) return runs.status();
  if (!runs->empty() && runs->front().death) {
    examination.died = true;
    examination.sightings = {
        SightingOf(*runs->front().death, scenario, runs->front().operation)};
  }
  return examination;
}

Finding Investigator::Investigate(const Examination& examination,
                                  const Sighting& sighting,
                                  bool sanitized) const {
  const ChildShrink shrunk =
      examination.died
          ? ShrinkDeath(examination.scenario, sighting.key(), sanitized)
          : ShrinkSighting(examination.scenario, sighting);
  Finding finding;
  finding.scenario = shrunk.scenario;
  finding.attempts = shrunk.attempts;
  finding.minimal = shrunk.minimal;
  finding.found_operations = examination.scenario.operations.size();
  finding.assumes = ClassesUsed(shrunk.scenario);
  finding.sighting = sighting;
  const auto again =
      sanitized ? ExamineSanitized(shrunk.scenario) : Examine(shrunk.scenario);
  if (again.ok()) {
    for (const Sighting& seen : again->sightings) {
      if (seen.key() != sighting.key()) continue;
      finding.sighting = seen;
      break;
    }
  }
  finding.signature = finding.sighting.signatures[finding.assumes];
  Confirm(&finding);
  return finding;
}

ChildShrink Investigator::ShrinkSighting(const model::Scenario& scenario,
                                         const Sighting& sighting) const {
  const auto make = [&]() -> Predicate {
    auto loaded = load_();
    if (!loaded.ok()) return nullptr;
    const std::shared_ptr<model::System> system = *std::move(loaded);
    return [this, system, &sighting](const model::Scenario& candidate) {
      return Allowed(candidate) && Shows(candidate, sighting, *system);
    };
  };
  return ShrinkInChild(scenario, make, stop_, capabilities_);
}

ChildShrink Investigator::ShrinkDeath(const model::Scenario& scenario,
                                      const std::string& key,
                                      bool sanitized) const {
  const Predicate fails = [&](const model::Scenario& candidate) {
    if (!Allowed(candidate)) return false;
    const auto seen =
        sanitized ? ExamineSanitized(candidate) : Examine(candidate);
    return seen.ok() && seen->died && seen->sightings[0].key() == key;
  };
  return ShrinkHere(scenario, fails, stop_, capabilities_);
}

void Investigator::Confirm(Finding* finding) const {
  if (sanitized_ == nullptr || !IsForAnyBuild(finding->scenario)) return;
  if (!sanitized_->Send({finding->scenario}).ok()) return;
  const auto runs = sanitized_->Receive();
  if (!runs.ok() || runs->empty()) return;
  const SanitizedRun& run = runs->front();
  const absl::string_view invariant =
      InvariantName(finding->sighting.violation.invariant);
  if (run.death) {
    finding->confirmation = Confirmation::kMemoryError;
    finding->sanitizer_report = run.death->report;
  } else if (std::find(run.invariants.begin(), run.invariants.end(),
                       invariant) != run.invariants.end()) {
    finding->confirmation = Confirmation::kSame;
  } else {
    finding->confirmation = Confirmation::kDifferent;
  }
}

}  // namespace atsfuzz::fuzz
