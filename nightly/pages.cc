#include "nightly/pages.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzz/findings.h"
#include "nightly/finding_state.h"
#include "nightly/output.h"
#include "nightly/sarif.h"
#include "nightly/state_folder.h"
#include "report/mermaid.h"
#include "report/trace_event.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;

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
  view.rows = RowsOf(found);
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

// A finding's page and what it leads to, by their paths from the index.
std::vector<fuzz::FindingFile> FilesOf(const report::FindingView& finding) {
  // findings/DRIVER/SIGNATURE.html is two folders below the index.
  std::vector<fuzz::FindingFile> files = {
      {finding.page, report::FindingPage(finding, "../../index.html")}};
  if (finding.rows.empty()) return files;
  const fs::path place = fs::path(finding.page).parent_path();
  files.push_back({place / report::SequenceFile(finding),
                   report::MermaidOf(finding.rows, finding.signature)});
  files.push_back(
      {place / report::TraceFile(finding),
       report::TraceOf(finding.rows, finding.signature, finding.driver)});
  return files;
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

absl::Status WritePages(const report::IndexView& view, const std::string& state,
                        const std::string& output) {
  absl::Status status = fuzz::PrepareFolder(output);
  if (!status.ok()) return status;
  std::set<fs::path> written;
  for (const report::FindingView& finding : view.findings) {
    for (const auto& [name, contents] : FilesOf(finding)) {
      const fs::path path = fs::path(output) / name;
      status = fuzz::PrepareFolder(path.parent_path().string());
      if (!status.ok()) return status;
      status = fuzz::WriteWhole(path.string(), contents);
      if (!status.ok()) return status;
      written.insert(path);
    }
  }
  status = fuzz::WriteWhole(output + "/findings.sarif",
                            report::Dump(SarifOf(view, state)));
  if (!status.ok()) return status;
  status = fuzz::WriteWhole(output + "/index.html", report::IndexPage(view));
  if (!status.ok()) return status;
  std::error_code error;
  std::vector<fs::path> stale;
  for (const auto& entry :
       fs::recursive_directory_iterator(output + "/findings", error)) {
    const fs::path extension = entry.path().extension();
    const bool ours =
        extension == ".html" || extension == ".mmd" || extension == ".json";
    if (ours && written.count(entry.path()) == 0) {
      stale.push_back(entry.path());
    }
  }
  for (const fs::path& path : stale) fs::remove(path, error);
  return absl::OkStatus();
}

}  // namespace atsfuzz::nightly
