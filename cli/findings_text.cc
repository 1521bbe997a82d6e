#include "cli/findings_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "model/text.h"
#include "report/text.h"

namespace atsfuzz::cli {
namespace {

std::string Indented(absl::string_view text) {
  std::string indented;
  for (absl::string_view line :
       absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    absl::StrAppend(&indented, line.empty() ? "" : "  ", line, "\n");
  }
  return indented;
}

std::string MachineText(const fuzz::Finding& finding) {
  model::Scenario machine;
  machine.topology = finding.scenario.topology;
  return Indented(absl::StripTrailingAsciiWhitespace(model::Print(machine)));
}

std::string ShrunkText(const fuzz::Finding& finding) {
  const size_t to = finding.scenario.operations.size();
  std::string text = absl::StrFormat(
      "shrunk from %d operation%s to %d", finding.found_operations,
      finding.found_operations == 1 ? "" : "s", to);
  if (!finding.minimal) text += " (interrupted: not minimal)";
  return text;
}

}  // namespace

std::string HeadText(const fuzz::Finding& finding) {
  const properties::Violation& violation = finding.sighting.violation;
  std::string text = absl::StrFormat(
      "%-24s %-38s %s\n", std::string(InvariantName(violation.invariant)),
      report::AssumptionText(finding.assumes), ShrunkText(finding));
  absl::StrAppend(&text, violation.message, "\n");
  if (!finding.sanitizer_report.empty()) {
    absl::StrAppend(&text, "Under sanitizers: ", finding.sanitizer_report,
                    "\n");
  } else if (finding.confirmation == fuzz::Confirmation::kDifferent) {
    absl::StrAppend(&text,
                    "Under sanitizers this does not show: have a look at the "
                    "test harness too.\n");
  }
  return text;
}

std::string BodyText(const fuzz::Finding& finding, absl::string_view trace,
                     absl::string_view replay) {
  return absl::StrCat(MachineText(finding), "\n", Indented(trace),
                      "\nreplay   ", replay, "\n");
}

std::string KnownText(const fuzz::Finding& finding) {
  return absl::StrCat("known    ", finding.signature, "  ",
                      finding.known.value_or(""), "\n");
}

report::FindingRecord RecordOf(const fuzz::Finding& finding,
                               const std::string& path) {
  const properties::Violation& violation = finding.sighting.violation;
  report::FindingRecord record;
  record.invariant = std::string(InvariantName(violation.invariant));
  record.assumes = finding.assumes;
  record.signature = finding.signature;
  record.reason = finding.known.value_or("");
  record.operations = finding.scenario.operations.size();
  record.switches = finding.scenario.schedule.size();
  record.scenario = path;
  record.known = finding.known.has_value();
  record.message = violation.message;
  record.expected = violation.expected;
  record.found = violation.found;
  record.function = finding.sighting.function;
  record.confirmation = std::string(ConfirmationName(finding.confirmation));
  record.run = finding.run;
  return record;
}

std::string Count(uint64_t number) {
  if (number < 10000) return absl::StrCat(number);
  if (number < 10000000) return absl::StrFormat("%d k", number / 1000);
  return absl::StrFormat("%.1f M", static_cast<double>(number) / 1e6);
}

}  // namespace atsfuzz::cli
