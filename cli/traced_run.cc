#include "cli/traced_run.h"

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/run.h"
#include "report/text.h"

namespace atsfuzz::cli {
namespace {

using report::Json;

// Sends the rows on after each step, so that a crash leaves what came before.
class TraceListener : public fuzz::SightingCollector {
 public:
  TraceListener(const model::Topology& topology, fuzz::Link* link)
      : timeline_(topology), link_(link) {}

  void OnBoot(model::System& system,
              std::span<const properties::Violation> violations) override {
    SightingCollector::OnBoot(system, violations);
    timeline_.Boot(system, violations);
    SendRows();
  }
  void OnStep(const model::Operation& operation, size_t index, bool implicit,
              int result, model::System& system,
              std::span<const properties::Violation> violations) override {
    SightingCollector::OnStep(operation, index, implicit, result, system,
                              violations);
    timeline_.Step(operation, implicit, result, system, violations);
    SendRows();
    if (!implicit) link_->Part(++steps_);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const properties::Violation> violations) override {
    SightingCollector::OnBlock(operations, indices, system, violations);
    timeline_.Block(operations, system, violations);
    SendRows();
    link_->Part(steps_ += operations.size());
  }
  void OnShutdown(model::System& system,
                  std::span<const properties::Violation> violations) override {
    SightingCollector::OnShutdown(system, violations);
    timeline_.Shutdown(system, violations);
    SendRows();
  }

 private:
  void SendRows() {
    for (; sent_ < timeline_.rows().size(); ++sent_) {
      link_->Send(Json{{"row", ToJson(timeline_.rows()[sent_])}}.dump(
          -1, ' ', false, Json::error_handler_t::replace));
    }
  }

  report::Timeline timeline_;
  fuzz::Link* link_;
  size_t sent_ = 0;
  uint64_t steps_ = 0;
};

Json ErrorJson(const absl::Status& status) {
  return {{"error", std::string(status.message())},
          {"code", static_cast<int>(status.code())}};
}

}  // namespace

absl::StatusOr<TracedRun> RunTraced(const fuzz::LoadSystem& load,
                                    const model::Scenario& scenario) {
  const auto child =
      fuzz::Child::Fork(fuzz::Child::Signals::kRecord, [&](fuzz::Link& link) {
        const auto system = load();
        if (!system.ok()) {
          link.Send(ErrorJson(system.status()).dump());
          return;
        }
        link.Begin(0);
        TraceListener listener(scenario.topology, &link);
        const auto result =
            fuzz::Run(scenario, **system, {.listener = &listener});
        if (!result.ok()) {
          link.Send(ErrorJson(result.status()).dump());
          return;
        }
        for (const fuzz::Sighting& sighting : listener.sightings()) {
          link.Send(Json{{"sighting", Serialize(sighting)}}.dump());
        }
      });
  TracedRun run;
  for (const std::string& line : child->ReceiveAll(fuzz::kRunTimeoutMs)) {
    const Json json = Json::parse(line);
    if (json.contains("error")) {
      return absl::Status(
          static_cast<absl::StatusCode>(json["code"].get<int>()),
          json["error"].get<std::string>());
    }
    if (json.contains("row")) {
      run.rows.push_back(report::RowFrom(json["row"]));
    } else {
      run.sightings.push_back(
          fuzz::ParseSighting(json["sighting"].get<std::string>()));
    }
  }
  run.operations = child->part();
  run.trace = report::TextOf(run.rows);
  if (!child->finished()) {
    // What was seen before may be of a kernel that had gone astray already.
    run.sightings.clear();
    run.Add(child->part() < scenario.operations.size()
                ? ToText(scenario.topology, scenario.operations[child->part()])
                : "(shutdown)",
            fuzz::SightingOf(child->death(), scenario, child->part()),
            fuzz::Symbolize(child->death().stack));
  }
  return run;
}

void TracedRun::Add(const std::string& phase, const fuzz::Sighting& sighting,
                    std::vector<model::Location> where) {
  const properties::Violation& violation = sighting.violation;
  sightings.push_back(sighting);
  const size_t told = rows.size();
  rows.push_back({.kind = report::RowKind::kPhase, .text = phase});
  rows.push_back({.kind = report::RowKind::kViolation,
                  .text = violation.message,
                  .before = violation.expected,
                  .after = violation.found,
                  .invariant = std::string(InvariantName(violation.invariant)),
                  .where = std::move(where)});
  trace += report::TextOf(std::span(rows).subspan(told));
}

}  // namespace atsfuzz::cli
