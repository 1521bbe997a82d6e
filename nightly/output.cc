#include "nightly/output.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "nightly/state_folder.h"
#include "report/mermaid.h"
#include "report/trace_event.h"

namespace atsfuzz::nightly {

using Json = nlohmann::json;

namespace {

// What is kept of a trace; the longest are of machines with many functions.
constexpr size_t kMostTrace = 256 << 10;
constexpr size_t kLongestLine = 300;

// A finding's text ends with how it is seen again (cli/findings_text.h): where
// its scenario lay when it was found, and does not lie any more.
std::string TraceOf(const Found& found, const std::string& state) {
  constexpr char kReplay[] = "\nreplay   ";
  return absl::StrCat(found.trace.substr(0, found.trace.rfind(kReplay)),
                      kReplay, ReplayCommand(found, state), "\n");
}

}  // namespace

std::string ContentsOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string LastLineOf(const std::string& path) {
  const std::string text = ContentsOf(path);
  absl::string_view last;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty()) last = line;
  }
  return std::string(
      absl::StripPrefix(last, "atsfuzz: ").substr(0, kLongestLine));
}

Json ObjectIn(const std::string& path) {
  Json json = Json::parse(ContentsOf(path), nullptr, false);
  return json.is_object() ? json : Json();
}

Found FoundFrom(const Json& json, const std::string& driver) {
  Found found;
  found.driver = driver;
  found.signature = json.value("signature", "");
  found.invariant = json.value("invariant", "");
  const Json assumes = json.value("assumes", Json("honest"));
  found.assumes =
      assumes.is_string()
          ? assumes.get<std::string>()
          : absl::StrJoin(assumes.get<std::vector<std::string>>(), ",");
  found.reason = json.value("reason", "");
  found.operations = json.value("operations", int64_t{0});
  found.switches = json.value("switches", int64_t{0});
  found.message = json.value("message", "");
  found.expected = json.value("expected", "");
  found.found = json.value("found", "");
  found.function = json.value("function", "");
  const std::filesystem::path scenario(json.value("scenario", ""));
  found.scenario = ContentsOf(scenario.string());
  found.trace = ContentsOf((scenario.parent_path() / "trace.txt").string())
                    .substr(0, kMostTrace);
  const Json whole =
      ObjectIn((scenario.parent_path() / "finding.json").string());
  if (whole.contains("timeline")) found.timeline = whole["timeline"].dump();
  if (found.timeline.size() > kMostTrace) found.timeline.clear();
  return found;
}

std::vector<report::Row> RowsOf(const Found& found) {
  std::vector<report::Row> rows;
  const auto json = report::Json::parse(found.timeline, nullptr, false);
  if (!json.is_array()) return rows;
  for (const report::Json& each : json) rows.push_back(report::RowFrom(each));
  return rows;
}

std::string ReplayCommand(const Found& found, const std::string& state) {
  // A label (DriverSettings::Label) has its patches' names, not where they are.
  const std::vector<std::string> parts = absl::StrSplit(found.driver, '+');
  std::string command =
      absl::StrCat("./atsfuzz replay ",
                   StateFolder::FindingOf(state, found.driver, found.signature),
                   "/scenario.ats --driver=", parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    absl::StrAppend(&command, " --patch=", parts[i]);
  }
  return command + " --trace";
}

std::vector<fuzz::FindingFile> FilesOf(const Found& found,
                                       const std::string& state) {
  std::vector<fuzz::FindingFile> files = {{"scenario.ats", found.scenario},
                                          {"trace.txt", TraceOf(found, state)}};
  const std::vector<report::Row> rows = RowsOf(found);
  if (rows.empty()) return files;
  files.push_back({"sequence.mmd", report::MermaidOf(rows, found.signature)});
  files.push_back(
      {"trace.json", report::TraceOf(rows, found.signature, found.driver)});
  return files;
}

}  // namespace atsfuzz::nightly
