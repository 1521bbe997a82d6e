#include "nightly/pages.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fuzz/findings.h"
#include "nightly/finding_state.h"
#include "nightly/state_folder.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;

// "--driver=linux:6.12"; patches stand in the campaign's file only.
std::string ReplayCommand(const Found& found, const std::string& state) {
  const std::vector<std::string> parts = absl::StrSplit(found.driver, '+');
  std::string command = absl::StrCat(
      "./atsfuzz replay ", state, "/findings/", FolderNameOf(found.driver), "/",
      found.signature, "/scenario.ats --driver=", parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    absl::StrAppend(&command, " --patch=", parts[i]);
  }
  return command + " --trace";
}

std::vector<report::Row> RowsOf(const std::string& timeline) {
  std::vector<report::Row> rows;
  const auto json = report::Json::parse(timeline, nullptr, false);
  if (!json.is_array()) return rows;
  for (const report::Json& each : json) rows.push_back(report::RowFrom(each));
  return rows;
}

report::FindingView ViewOf(const Finding& finding, const Life& life,
                           const std::string& state) {
  const Found& found = finding.found;
  report::FindingView view;
  view.driver = found.driver;
  view.signature = found.signature;
  view.invariant = found.invariant;
  view.function = found.function;
  view.assumes = found.assumes;
  view.reason = found.reason;
  view.message = found.message;
  view.expected = found.expected;
  view.found = found.found;
  view.scenario = found.scenario;
  view.rows = RowsOf(found.timeline);
  view.operations = found.operations;
  view.switches = found.switches;
  view.state = std::string(StateName(life.state));
  view.instead = life.instead;
  view.first_night = finding.judgements.front().night;
  view.last_seen = life.last_seen;
  view.since = life.since;
  view.replay = ReplayCommand(found, state);
  view.page = absl::StrCat("findings/", FolderNameOf(found.driver), "/",
                           found.signature, ".html");
  return view;
}

absl::StatusOr<std::vector<report::NightView>> NightsOf(History& history) {
  const auto nights = history.Nights();
  const auto corpora = history.Corpora();
  if (!nights.ok()) return nights.status();
  if (!corpora.ok()) return corpora.status();
  std::vector<report::NightView> views;
  for (const Night& night : *nights) {
    report::NightView& view = views.emplace_back();
    view.number = night.number;
    view.began = night.began;
    view.end = std::string(NightEndName(night.end));
    const auto slices = history.Slices(night.number);
    if (!slices.ok()) return slices.status();
    for (const Slice& slice : *slices) {
      view.runs += slice.runs;
      view.operations += slice.operations;
    }
    for (const CorpusRecord& corpus : *corpora) {
      if (corpus.night != night.number || corpus.branches == 0) continue;
      view.coverage.push_back(
          {corpus.driver, 100.0 * static_cast<double>(corpus.branches_covered) /
                              static_cast<double>(corpus.branches)});
    }
  }
  return views;
}

}  // namespace

absl::StatusOr<report::IndexView> ViewOf(History& history,
                                         const std::string& state) {
  report::IndexView index;
  auto nights = NightsOf(history);
  const auto findings = history.Findings();
  const auto reaches = history.Reaches();
  if (!nights.ok()) return nights.status();
  if (!findings.ok()) return findings.status();
  if (!reaches.ok()) return reaches.status();
  index.nights = *std::move(nights);
  const NightNumber last =
      index.nights.empty() ? 0 : index.nights.back().number;
  std::vector<std::pair<FindingState, report::FindingView>> ordered;
  for (const Finding& finding : *findings) {
    const Life life = LifeOf(finding.judgements, last);
    report::FindingView view = ViewOf(finding, life, state);
    for (const Reach& reach : *reaches) {
      if (reach.finding != finding.id) continue;
      view.elsewhere.push_back({.driver = reach.driver,
                                .runs = reach.runs,
                                .signature = reach.signature});
    }
    ordered.emplace_back(life.state, std::move(view));
  }
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto& a, const auto& b) {
                     return std::pair(a.first, !a.second.reason.empty()) <
                            std::pair(b.first, !b.second.reason.empty());
                   });
  for (auto& [state_of_it, view] : ordered) {
    index.findings.push_back(std::move(view));
  }
  return index;
}

absl::Status WritePages(const report::IndexView& view,
                        const std::string& output) {
  absl::Status status = fuzz::PrepareFolder(output);
  if (!status.ok()) return status;
  std::set<fs::path> pages;
  for (const report::FindingView& finding : view.findings) {
    const fs::path path = fs::path(output) / finding.page;
    status = fuzz::PrepareFolder(path.parent_path().string());
    if (!status.ok()) return status;
    // findings/DRIVER/SIGNATURE.html is two folders below the index.
    status = fuzz::WriteWhole(path.string(),
                              report::FindingPage(finding, "../../index.html"));
    if (!status.ok()) return status;
    pages.insert(path);
  }
  status = fuzz::WriteWhole(output + "/index.html", report::IndexPage(view));
  if (!status.ok()) return status;
  std::error_code error;
  std::vector<fs::path> stale;
  for (const auto& entry :
       fs::recursive_directory_iterator(output + "/findings", error)) {
    if (entry.path().extension() == ".html" && pages.count(entry.path()) == 0) {
      stale.push_back(entry.path());
    }
  }
  for (const fs::path& path : stale) fs::remove(path, error);
  return absl::OkStatus();
}

}  // namespace atsfuzz::nightly
