#ifndef ATSFUZZ_CLI_VERDICT_TABLE_H_
#define ATSFUZZ_CLI_VERDICT_TABLE_H_

#include <string>
#include <vector>

#include "fuzz/verdicts.h"
#include "report/json.h"

namespace atsfuzz::cli {

// A judged finding with where its scenario is.
struct VerdictLine {
  fuzz::JudgedFinding judged;
  std::string scenario;        // path
  std::string right_scenario;  // path of its right_scenario; or ""
};

// The table that a reviewer pastes into a reply: plain text that is also
// Markdown, below 100 columns. One line for each finding that tells the drivers
// apart; of those that both show only the smallest by invariant and
// assumptions, with how many it stands for. `left` and `right` head the
// columns. "" if there is no finding.
std::string VerdictTable(const std::vector<VerdictLine>& lines,
                         const std::string& left, const std::string& right);

// The scenarios of the findings that tell the drivers apart, each below the
// name that the table has for it.
std::string VerdictScenarios(const std::vector<VerdictLine>& lines);

report::Json VerdictJson(const VerdictLine& line);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_VERDICT_TABLE_H_
