#include "nightly/sarif.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "model/operation.h"
#include "nightly/finding_state.h"
#include "nightly/state_folder.h"
#include "report/sarif.h"

namespace atsfuzz::nightly {
namespace {

// Of "honest", or a comma list.
uint8_t ClassesOf(const std::string& assumes) {
  const std::vector<std::string> names = absl::StrSplit(assumes, ',');
  int classes = 0;
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    if (std::find(names.begin(), names.end(), model::FaultClassName(fault)) !=
        names.end()) {
      classes |= fault;
    }
  }
  return static_cast<uint8_t>(classes);
}

report::Baseline BaselineOf(const std::string& state) {
  if (state == StateName(FindingState::kKnown) ||
      state == StateName(FindingState::kNotSeen)) {
    return report::Baseline::kUnchanged;
  }
  if (state == StateName(FindingState::kChanged)) {
    return report::Baseline::kUpdated;
  }
  if (state == StateName(FindingState::kFixed)) {
    return report::Baseline::kAbsent;
  }
  return report::Baseline::kNew;
}

report::SarifFinding FindingOf(const report::FindingView& view,
                               const std::string& state) {
  report::SarifFinding finding;
  report::FindingRecord& record = finding.record;
  record.invariant = view.invariant;
  record.assumes = ClassesOf(view.assumes);
  record.signature = view.signature;
  record.operations = static_cast<size_t>(view.operations);
  record.switches = static_cast<size_t>(view.switches);
  record.scenario = StateFolder::FindingOf(state, view.driver, view.signature) +
                    "/scenario.ats";
  record.known = !view.reason.empty();
  record.reason = view.reason;
  record.message = view.message;
  record.expected = view.expected;
  record.found = view.found;
  record.function = view.function;
  finding.baseline = BaselineOf(view.state);
  finding.rows = view.rows;
  finding.scenario = view.scenario;
  finding.properties = {{"state", view.state},
                        {"firstNight", view.first_night},
                        {"lastNight", view.last_seen},
                        {"stateSinceNight", view.since}};
  if (!view.instead.empty()) finding.properties["instead"] = view.instead;
  return finding;
}

}  // namespace

report::Json SarifOf(const report::IndexView& view, const std::string& state) {
  std::vector<report::SarifRun> runs;
  for (const report::FindingView& finding : view.findings) {
    auto run = std::find_if(runs.begin(), runs.end(), [&](const auto& each) {
      return each.driver == finding.driver;
    });
    if (run == runs.end()) {
      run = runs.insert(run, report::SarifRun{finding.driver, "", {}, {}});
    }
    run->findings.push_back(FindingOf(finding, state));
  }
  // By name, whatever was found first.
  std::sort(runs.begin(), runs.end(),
            [](const auto& a, const auto& b) { return a.driver < b.driver; });
  return report::SarifOf(runs);
}

}  // namespace atsfuzz::nightly
