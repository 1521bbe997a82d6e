#include "report/sarif.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "properties/violation.h"
#include "report/lanes.h"
#include "report/printable.h"

namespace atsfuzz::report {
namespace {

using properties::Invariant;

constexpr char kSchema[] =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/"
    "sarif-schema-2.1.0.json";
constexpr char kTree[] = "KERNEL";
// What a message's reader shows in one line or two; all of it is a property.
constexpr size_t kMostMessageBytes = 1000;

Json Text(const std::string& text) {
  return {{"text", Shortened(Lines(text), kMostMessageBytes)}};
}

absl::string_view BaselineName(Baseline baseline) {
  switch (baseline) {
    case Baseline::kNew:
      return "new";
    case Baseline::kUnchanged:
      return "unchanged";
    case Baseline::kUpdated:
      return "updated";
    case Baseline::kAbsent:
      return "absent";
  }
  return "";
}

Json Rules() {
  Json rules = Json::array();
  for (int i = 0; i < properties::kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    rules.push_back(
        {{"id", std::string(InvariantName(invariant))},
         {"shortDescription", Text(std::string(InvariantStatement(invariant)))},
         {"defaultConfiguration", {{"level", "error"}}}});
  }
  return rules;
}

// A function of the driver, or a step of the model, by name alone.
Json LogicalLocations(const std::string& function) {
  return Json::array({{{"name", OneLine(function)}, {"kind", "function"}}});
}

Json LocationOf(const model::Location& place) {
  Json location = Json::object();
  if (!place.path.empty()) {
    Json& physical = location["physicalLocation"];
    physical["artifactLocation"] = {{"uri", UriOf(place.path)},
                                    {"uriBaseId", kTree}};
    if (place.line > 0) {
      physical["region"] = {{"startLine", place.line}};
      if (!place.text.empty()) {
        physical["region"]["snippet"] = Text(place.text);
      }
    }
  }
  location["logicalLocations"] = LogicalLocations(place.function);
  return location;
}

// The row that shows the finding; null: none does.
const Row* ViolationOf(const SarifFinding& finding) {
  const auto found = std::find_if(
      finding.rows.begin(), finding.rows.end(), [&](const Row& row) {
        return row.kind == RowKind::kViolation &&
               row.invariant == finding.record.invariant;
      });
  return found == finding.rows.end() ? nullptr : &*found;
}

// The frame of the function that is to blame; else the innermost one; else the
// function's name.
Json Locations(const SarifFinding& finding) {
  const Row* violation = ViolationOf(finding);
  const std::string& function = finding.record.function;
  if (violation != nullptr) {
    for (const model::Location& frame : violation->where) {
      if (frame.function == function) return Json::array({LocationOf(frame)});
    }
    if (!violation->where.empty()) {
      return Json::array({LocationOf(violation->where.front())});
    }
  }
  if (function.empty()) return Json::array();
  return Json::array({{{"logicalLocations", LogicalLocations(function)}}});
}

std::optional<Json> StackOf(const SarifFinding& finding) {
  const Row* violation = ViolationOf(finding);
  if (violation == nullptr || violation->where.empty()) return std::nullopt;
  Json frames = Json::array();
  for (const model::Location& frame : violation->where) {
    frames.push_back({{"location", LocationOf(frame)}});
  }
  return Json{{"message", Text("what led there, innermost first")},
              {"frames", std::move(frames)}};
}

std::string RowText(const Row& row) {
  switch (row.kind) {
    case RowKind::kOperation:
      return absl::StrCat(row.text, " returns ", row.result);
    case RowKind::kChange:
      return absl::StrCat(row.text, ": ", row.before, " -> ", row.after);
    case RowKind::kViolation:
      return absl::StrCat("violation: ", row.invariant, ": ", row.text);
    default:
      return row.text;
  }
}

// What happened, as one step of a thread flow.
Json StepOf(const Row& row, size_t order) {
  Json step = {{"executionOrder", order}};
  step["location"] =
      row.where.empty() ? Json::object() : LocationOf(row.where.front());
  step["location"]["message"] = Text(RowText(row));
  const bool essential = row.kind == RowKind::kViolation ||
                         row.kind == RowKind::kOperation || IsPreempted(row);
  step["importance"] = essential ? "essential" : "important";
  if (row.kind == RowKind::kChange)
    step["state"] = {{OneLine(row.text), Text(row.after)}};
  return step;
}

// A thread flow for each lane. What has no lane stands with what was before it.
std::optional<Json> CodeFlowOf(const SarifFinding& finding) {
  const std::vector<std::string> lanes = LanesOf(finding.rows);
  if (lanes.empty()) return std::nullopt;
  std::vector<Json> flows;
  for (const std::string& lane : lanes) {
    flows.push_back({{"id", OneLine(lane)},
                     {"message", Text(LaneTitle(lane))},
                     {"locations", Json::array()}});
  }
  size_t order = 0, last = 0;
  for (const Row& row : finding.rows) {
    if (row.kind == RowKind::kParBegin || row.kind == RowKind::kParEnd)
      continue;
    if (!row.lane.empty()) {
      last = static_cast<size_t>(
          std::find(lanes.begin(), lanes.end(), row.lane) - lanes.begin());
    }
    flows[last]["locations"].push_back(StepOf(row, ++order));
  }
  // Nothing but a phase, which went to the first one, may have come before it.
  Json all = Json::array();
  for (Json& flow : flows) {
    if (!flow["locations"].empty()) all.push_back(std::move(flow));
  }
  return Json{{"message", Text("what happened, in the order of execution")},
              {"threadFlows", std::move(all)}};
}

Json PropertiesOf(const SarifFinding& finding) {
  const FindingRecord& record = finding.record;
  Json properties = {{"assumes", AssumesJson(record.assumes)},
                     {"signature", record.signature},
                     {"message", Lines(record.message)},
                     {"expected", Lines(record.expected)},
                     {"found", Lines(record.found)},
                     {"operations", record.operations},
                     {"switches", record.switches}};
  if (!record.confirmation.empty()) {
    properties["confirmation"] = record.confirmation;
  }
  properties.update(finding.properties);
  return properties;
}

// The artifacts of a run: each scenario once.
class Artifacts {
 public:
  size_t Add(const std::string& path, const std::string& scenario) {
    const auto known = std::find(paths_.begin(), paths_.end(), path);
    if (known != paths_.end()) {
      return static_cast<size_t>(known - paths_.begin());
    }
    paths_.push_back(path);
    Json artifact = {{"location", {{"uri", UriOf(path)}}},
                     {"roles", Json::array({"attachment"})},
                     {"mimeType", "text/plain"}};
    if (!scenario.empty()) {
      artifact["contents"] = {{"text", Lines(scenario)}};
    }
    json_.push_back(std::move(artifact));
    return paths_.size() - 1;
  }
  Json Take() { return std::move(json_); }

 private:
  std::vector<std::string> paths_;
  Json json_ = Json::array();
};

Json ResultOf(const SarifFinding& finding, Artifacts* artifacts) {
  const FindingRecord& record = finding.record;
  Json result = {{"ruleId", record.invariant}};
  if (const auto rule = properties::InvariantByName(record.invariant)) {
    result["ruleIndex"] = static_cast<int>(*rule);
  }
  std::string message = record.message;
  if (!record.expected.empty() || !record.found.empty()) {
    absl::StrAppend(&message, " Expected: ", record.expected,
                    ". Found: ", record.found, ".");
  }
  result["level"] = "error";
  result["message"] = Text(message);
  result["locations"] = Locations(finding);
  result["partialFingerprints"] = {{"atsfuzzSignature/v1", record.signature}};
  result["baselineState"] = std::string(BaselineName(finding.baseline));
  result["suppressions"] = Json::array();
  if (record.known) {
    result["suppressions"].push_back({{"kind", "external"},
                                      {"status", "accepted"},
                                      {"justification", Lines(record.reason)}});
  }
  if (auto stack = StackOf(finding)) {
    result["stacks"] = Json::array({*std::move(stack)});
  }
  if (auto flow = CodeFlowOf(finding)) {
    result["codeFlows"] = Json::array({*std::move(flow)});
  }
  if (!record.scenario.empty()) {
    const size_t index = artifacts->Add(record.scenario, finding.scenario);
    result["attachments"] =
        Json::array({{{"description", Text("the scenario, for atsfuzz replay")},
                      {"artifactLocation",
                       {{"uri", UriOf(record.scenario)}, {"index", index}}}}});
  }
  result["properties"] = PropertiesOf(finding);
  return result;
}

Json InvocationOf(const SarifRun& run) {
  Json notifications = Json::array();
  for (const SarifNotice& notice : run.notices) {
    Json notification = {{"level", notice.error ? "error" : "warning"},
                         {"message", Text(notice.message)}};
    if (!notice.scenario.empty()) {
      notification["locations"] = Json::array(
          {{{"physicalLocation",
             {{"artifactLocation", {{"uri", UriOf(notice.scenario)}}}}}}});
    }
    notifications.push_back(std::move(notification));
  }
  return {{"executionSuccessful", true},
          {"toolExecutionNotifications", std::move(notifications)}};
}

Json RunJson(const SarifRun& run) {
  Artifacts artifacts;
  Json results = Json::array();
  for (const SarifFinding& finding : run.findings) {
    results.push_back(ResultOf(finding, &artifacts));
  }
  const std::string driver =
      run.version.empty() ? run.driver
                          : absl::StrCat(run.driver, " (", run.version, ")");
  Json json = {
      {"tool", {{"driver", {{"name", "atsfuzz"}, {"rules", Rules()}}}}},
      {"automationDetails", {{"id", OneLine("atsfuzz/" + run.driver + "/")}}},
      {"originalUriBaseIds",
       {{kTree, {{"description", Text("the kernel tree of " + driver)}}}}},
      {"invocations", Json::array({InvocationOf(run)})},
      {"results", std::move(results)},
      {"artifacts", artifacts.Take()},
      {"columnKind", "utf16CodeUnits"},
      {"properties", {{"driver", run.driver}}}};
  if (!run.version.empty()) json["properties"]["version"] = run.version;
  return json;
}

}  // namespace

std::string UriOf(const std::string& path) {
  std::string uri;
  for (const char c : path) {
    // What a path of a URI may hold as it is (RFC 3986); a colon may not stand
    // in a first segment, where it would end a scheme.
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        absl::StrContains("-._~/!$&'()*+,;=@", c)) {
      uri += c;
    } else {
      absl::StrAppendFormat(
          &uri, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return absl::StartsWith(uri, "/") ? "file://" + uri : uri;
}

Json SarifOf(const std::vector<SarifRun>& runs) {
  Json all = Json::array();
  for (const SarifRun& run : runs) all.push_back(RunJson(run));
  return {{"$schema", kSchema}, {"version", "2.1.0"}, {"runs", std::move(all)}};
}

}  // namespace atsfuzz::report
