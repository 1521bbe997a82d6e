#include "cli/verdict_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/findings_text.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

using Row = std::array<std::string, 5>;

std::string Assumes(const fuzz::Finding& finding) {
  if (finding.assumes == 0) return "honest";
  std::vector<std::string> names;
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    if (finding.assumes & fault) names.emplace_back(FaultClassName(fault));
  }
  return absl::StrJoin(names, ", ");
}

std::string Cell(const fuzz::SideVerdict& side) {
  return absl::StrCat(VerdictName(side.verdict),
                      side.violated_elsewhere ? "*" : "");
}

Row RowOf(const VerdictLine& line) {
  const fuzz::Finding& finding = line.judged.finding;
  return {std::string(InvariantName(finding.sighting.violation.invariant)),
          Assumes(finding), Cell(line.judged.left), Cell(line.judged.right),
          finding.signature.substr(finding.signature.rfind('-') + 1)};
}

// Of what both violate: the smallest of each invariant and assumption.
std::vector<Row> CommonRows(const std::vector<VerdictLine>& lines) {
  std::vector<Row> rows;
  std::vector<size_t> sizes, others;
  std::map<std::pair<std::string, std::string>, size_t> places;
  for (const VerdictLine& line : lines) {
    if (line.judged.differs()) continue;
    Row row = RowOf(line);
    const size_t size = line.judged.finding.scenario.operations.size();
    const auto [place, is_new] =
        places.emplace(std::make_pair(row[0], row[1]), rows.size());
    if (is_new) {
      rows.push_back(std::move(row));
      sizes.push_back(size);
      others.push_back(0);
      continue;
    }
    ++others[place->second];
    if (size >= sizes[place->second]) continue;
    rows[place->second] = std::move(row);
    sizes[place->second] = size;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (others[i] != 0) absl::StrAppend(&rows[i][4], " +", others[i]);
  }
  return rows;
}

std::string Aligned(const std::vector<Row>& rows) {
  std::array<size_t, 5> widths = {};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "| " : " | ", row[i],
                      std::string(widths[i] - row[i].size(), ' '));
    }
    text += " |\n";
    if (&row != &rows.front()) continue;
    for (const size_t width : widths) {
      absl::StrAppend(&text, "|", std::string(width + 2, '-'));
    }
    text += "|\n";
  }
  return text;
}

}  // namespace

std::string VerdictTable(const std::vector<VerdictLine>& lines,
                         const std::string& left, const std::string& right) {
  if (lines.empty()) return "";
  std::vector<Row> rows = {{"invariant", "assumes", left, right, "scenario"}};
  for (const VerdictLine& line : lines) {
    if (line.judged.differs()) rows.push_back(RowOf(line));
  }
  for (Row& row : CommonRows(lines)) rows.push_back(std::move(row));
  return Aligned(rows);
}

std::string VerdictScenarios(const std::vector<VerdictLine>& lines) {
  std::string text;
  // What one scenario shows is told together, where its first finding stands.
  std::vector<std::string> told;
  for (const VerdictLine& first : lines) {
    const std::string scenario = model::Print(first.judged.finding.scenario);
    if (!first.judged.differs() ||
        std::find(told.begin(), told.end(), scenario) != told.end()) {
      continue;
    }
    told.push_back(scenario);
    text += "\n";
    for (const VerdictLine& line : lines) {
      const fuzz::Finding& finding = line.judged.finding;
      if (!line.judged.differs() ||
          model::Print(finding.scenario) != scenario) {
        continue;
      }
      absl::StrAppend(&text, finding.signature, "\n  ",
                      finding.sighting.violation.message, "\n");
    }
    text += "\n";
    for (const absl::string_view row :
         absl::StrSplit(absl::StripSuffix(scenario, "\n"), '\n')) {
      absl::StrAppend(&text, row.empty() ? "" : "    ", row, "\n");
    }
  }
  return text;
}

report::Json VerdictJson(const VerdictLine& line) {
  const auto side = [](const fuzz::SideVerdict& verdict) {
    report::Json json;
    json["verdict"] = VerdictName(verdict.verdict);
    json["invariants"] = verdict.invariants;
    json["violated_elsewhere"] = verdict.violated_elsewhere;
    return json;
  };
  report::Json json = ToJson(RecordOf(line.judged.finding, line.scenario));
  json["left"] = VerdictName(line.judged.left.verdict);
  json["right"] = VerdictName(line.judged.right.verdict);
  if (!line.right_scenario.empty()) {
    json["right_scenario"] = line.right_scenario;
  }
  json["regression"] = line.judged.regression();
  json["left_shows"] = side(line.judged.left);
  json["right_shows"] = side(line.judged.right);
  return json;
}

}  // namespace atsfuzz::cli
