#include "cli/difference_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fuzz/sighting.h"
#include "model/text.h"
#include "report/text.h"

namespace atsfuzz::cli {
namespace {

constexpr int kKindWidth = 34;

// "After `attach v0 d0`": when it showed.
std::string WhenText(const fuzz::FoundDifference& found) {
  const fuzz::Difference& difference = found.difference;
  if (difference.at_boot) return "After the boot";
  if (difference.operation >= found.scenario.operations.size()) {
    return "After the shutdown";
  }
  const std::string operation = ToText(
      found.scenario.topology, found.scenario.operations[difference.operation]);
  return absl::StrCat(
      "After ", difference.implicit ? "the allocation of a domain for " : "",
      "`", operation, "`");
}

std::string SideText(absl::string_view name, const std::string& value,
                     const std::vector<model::Location>& stack) {
  return absl::StrCat("  ", name, ":\n    ", value, "\n",
                      report::StackText(stack));
}

report::Json StackJson(const std::vector<model::Location>& stack) {
  report::Json json = report::Json::array();
  for (const model::Location& place : stack) {
    json.push_back(report::LocationText(place));
  }
  return json;
}

}  // namespace

std::string DifferenceText(const fuzz::FoundDifference& found,
                           absl::string_view left, absl::string_view right,
                           absl::string_view again) {
  const fuzz::Difference& difference = found.difference;
  std::string text = absl::StrFormat(
      "%-*s %s    shrunk from %d operation%s to %d%s\n", kKindWidth,
      difference.signature,
      report::AssumptionText(fuzz::ClassesUsed(found.scenario)),
      found.found_operations, found.found_operations == 1 ? "" : "s",
      found.scenario.operations.size(),
      found.minimal ? "" : " (interrupted: not minimal)");
  absl::StrAppend(&text, WhenText(found),
                  " they differ in: ", difference.subject, "\n\n");
  for (absl::string_view line :
       absl::StrSplit(model::Print(found.scenario), '\n')) {
    if (line.empty()) {
      text += "\n";
    } else {
      absl::StrAppend(&text, "  ", line, "\n");
    }
  }
  absl::StrAppend(&text, SideText(left, difference.left, difference.left_stack),
                  SideText(right, difference.right, difference.right_stack),
                  "\nagain    ", again, "\n");
  return text;
}

report::Json DifferenceJson(const fuzz::FoundDifference& found,
                            const std::string& path) {
  const fuzz::Difference& difference = found.difference;
  const bool has_operation =
      !difference.at_boot &&
      difference.operation < found.scenario.operations.size();
  report::Json json;
  json["kind"] = difference.kind;
  json["signature"] = difference.signature;
  json["subject"] = difference.subject;
  json["operation"] =
      has_operation ? ToText(found.scenario.topology,
                             found.scenario.operations[difference.operation])
                    : std::string(difference.at_boot ? "(boot)" : "(shutdown)");
  json["left"] = difference.left;
  json["right"] = difference.right;
  json["left_stack"] = StackJson(difference.left_stack);
  json["right_stack"] = StackJson(difference.right_stack);
  json["assumes"] = report::AssumesJson(fuzz::ClassesUsed(found.scenario));
  json["operations"] = found.scenario.operations.size();
  json["scenario"] = path;
  json["run"] = found.run;
  json["times"] = found.times;
  json["minimal"] = found.minimal;
  return json;
}

}  // namespace atsfuzz::cli
