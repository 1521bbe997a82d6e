#include "nightly/summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nightly/finding_state.h"
#include "nightly/state_folder.h"

namespace atsfuzz::nightly {
namespace {

// Of one state, what a page has room for.
constexpr int kMostLines = 20;

std::string Count(int64_t number) {
  if (number < 10000) return absl::StrCat(number);
  if (number < 10000000) return absl::StrCat(number / 1000, " k");
  return absl::StrFormat("%.1f M", static_cast<double>(number) / 1e6);
}

// What a driver did in a night, over its slices.
struct Work {
  std::string version;
  int64_t runs = 0, operations = 0;
  double seconds = 0;
  std::set<std::string> engines;
};

std::string WorkText(const std::vector<Slice>& slices,
                     const std::vector<CorpusRecord>& corpora,
                     NightNumber night) {
  std::map<std::string, Work> drivers;
  for (const Slice& slice : slices) {
    Work& work = drivers[slice.driver];
    if (!slice.version.empty()) work.version = slice.version;
    work.runs += slice.runs;
    work.operations += slice.operations;
    work.seconds += slice.seconds;
    work.engines.insert(slice.engine);
  }
  std::string text;
  for (const auto& [driver, work] : drivers) {
    absl::StrAppendFormat(
        &text, "  %-24s %-12s %7s runs %9s operations %6.0f s", driver,
        work.version, Count(work.runs), Count(work.operations), work.seconds);
    for (const CorpusRecord& corpus : corpora) {
      if (corpus.night != night || corpus.driver != driver ||
          corpus.branches == 0) {
        continue;
      }
      absl::StrAppendFormat(&text, "  %d %% covered by %d scenarios",
                            corpus.branches_covered * 100 / corpus.branches,
                            corpus.entries);
    }
    text += "\n";
  }
  return text;
}

struct Section {
  FindingState state;
  const char* title;
};
// What needs a person comes first.
constexpr Section kSections[] = {
    {FindingState::kNew, "new"},
    {FindingState::kRegressed, "regressed: fixed before, and here again"},
    {FindingState::kChanged, "changed: the same invariant, another place"},
    {FindingState::kFixed, "fixed this night"},
    {FindingState::kKnown, "known, and still there"},
    {FindingState::kNotSeen, "not looked for: their drivers did not run"},
};

std::string LineOf(const Finding& finding, const Life& life,
                   const std::string& state) {
  const Found& found = finding.found;
  std::string line =
      absl::StrFormat("  %-20s %-36s %s, %d operations", found.driver,
                      found.signature, found.assumes, found.operations);
  if (found.switches != 0) {
    absl::StrAppend(&line, ", ", found.switches, " turns");
  }
  switch (life.state) {
    case FindingState::kNew:
    case FindingState::kRegressed:
      absl::StrAppend(&line, "\n    ", found.message, "\n    ", state,
                      "/findings/", FolderNameOf(found.driver), "/",
                      found.signature, "/scenario.ats");
      break;
    case FindingState::kChanged:
      absl::StrAppend(&line, "; now ", life.instead);
      break;
    case FindingState::kKnown:
    case FindingState::kNotSeen:
    case FindingState::kFixed:
      absl::StrAppend(&line, "; since night ",
                      finding.judgements.front().night);
      break;
  }
  return line + "\n";
}

}  // namespace

absl::StatusOr<Summary> SummaryOf(History& history, NightNumber night,
                                  const std::vector<std::string>& troubles,
                                  const std::string& state) {
  const auto nights = history.Nights();
  const auto slices = history.Slices(night);
  const auto corpora = history.Corpora();
  const auto findings = history.Findings();
  for (const absl::Status& status : {nights.status(), slices.status(),
                                     corpora.status(), findings.status()}) {
    if (!status.ok()) return status;
  }
  Summary summary;
  std::string& text = summary.text;
  const auto now =
      std::find_if(nights->begin(), nights->end(),
                   [&](const Night& each) { return each.number == night; });
  if (now != nights->end()) {
    absl::StrAppend(&text, "atsfuzz nightly ", night, ": ",
                    NightEndName(now->end), ", ", now->began, " to ",
                    now->ended, " UTC\n");
  }
  for (const Night& before : *nights) {
    if (before.number == night - 1 && before.end == NightEnd::kCutOff) {
      absl::StrAppend(&text, "Night ", before.number,
                      " was cut off; what it had recorded is kept.\n");
    }
  }
  absl::StrAppend(&text, "\n", WorkText(*slices, *corpora, night));
  for (const std::string& trouble : troubles) {
    absl::StrAppend(&text, "  trouble: ", trouble, "\n");
  }
  std::map<FindingState, std::vector<std::string>> lines;
  std::map<FindingState, int> understood;
  for (const Finding& finding : *findings) {
    const Life life = LifeOf(finding.judgements, night);
    // What was fixed long ago is history.
    if ((life.state == FindingState::kFixed ||
         life.state == FindingState::kChanged) &&
        life.since != night) {
      continue;
    }
    if (!finding.found.reason.empty() && life.state != FindingState::kFixed) {
      ++understood[life.state];
      continue;
    }
    if (life.state == FindingState::kNew ||
        life.state == FindingState::kRegressed) {
      ++summary.alarms;
    }
    lines[life.state].push_back(LineOf(finding, life, state));
  }
  for (const Section& section : kSections) {
    const std::vector<std::string>& all = lines[section.state];
    const int listed = understood[section.state];
    if (all.empty() && listed == 0) continue;
    absl::StrAppendFormat(&text, "\n%s: %d", section.title, all.size());
    if (listed != 0) {
      absl::StrAppendFormat(&text, ", and %d that corpus/known explains",
                            listed);
    }
    text += "\n";
    for (size_t i = 0; i < all.size() && i < kMostLines; ++i) text += all[i];
    if (all.size() > kMostLines) {
      absl::StrAppend(&text, "  and ", all.size() - kMostLines, " more\n");
    }
  }
  if (findings->empty()) text += "\nno findings\n";
  return summary;
}

}  // namespace atsfuzz::nightly
