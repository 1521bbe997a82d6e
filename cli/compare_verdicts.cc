#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/campaign_report.h"
#include "cli/command.h"
#include "cli/compare_flags.h"
#include "cli/driver.h"
#include "cli/driver_pair.h"
#include "cli/faults_flag.h"
#include "cli/findings_text.h"
#include "cli/interrupt.h"
#include "cli/traced_run.h"
#include "cli/verdict_table.h"
#include "fuzz/findings.h"
#include "fuzz/verdicts.h"
#include "model/text.h"
#include "report/json.h"

namespace atsfuzz::cli {
namespace {

struct Side {
  Driver driver;
  DriverFlags flags;
  std::string label;
};

absl::StatusOr<Side> ObtainSide(const DriverFlags& flags) {
  auto driver = ObtainDriver(flags, {.plain = true});
  if (!driver.ok()) return driver.status();
  Side side;
  side.flags = flags;
  side.label = LabelOf(*driver, flags.patches);
  side.driver = *std::move(driver);
  return side;
}

fuzz::VerdictSystem SystemOf(const Driver& driver) {
  return {driver.Plain(), driver.Instrumented(), driver.SanitizedCommand()};
}

absl::StatusOr<fuzz::VerdictOptions> OptionsFor(
    const CompareFlags& flags, const std::vector<std::string>& paths) {
  fuzz::VerdictOptions options;
  if (auto status = flags.FillIn(paths, &options); !status.ok()) return status;
  for (model::Scenario& scenario : options.scenarios) {
    scenario.expectations.clear();
    scenario.story.clear();
  }
  options.jobs = static_cast<int>(flags.jobs);
  return options;
}

// The heads of the table's columns: the drivers' names if they fit and differ.
std::pair<std::string, std::string> HeadsOf(const Side& left,
                                            const Side& right) {
  constexpr size_t kWidest = 12;
  const std::string& a = left.driver.name;
  const std::string& b = right.driver.name;
  if (a == b && a.size() <= kWidest && !right.flags.patches.empty()) {
    return {a, "patched"};
  }
  if (a != b && a.size() <= kWidest && b.size() <= kWidest) return {a, b};
  return {"left", "right"};
}

std::string PathOf(const CompareFlags& flags, const std::string& name) {
  return absl::StrCat(flags.output, "/", name, "/scenario.ats");
}

std::string NameOnTheRight(const fuzz::Finding& finding) {
  return finding.signature + "-right";
}

// Writes a folder, with the trace of a driver that violates.
absl::Status Write(const CompareFlags& flags, const Side& side,
                   const VerdictLine& line, const std::string& name,
                   const model::Scenario& scenario) {
  fuzz::Finding finding = line.judged.finding;
  finding.scenario = scenario;
  const auto traced = RunTraced(side.driver.Instrumented(), scenario);
  if (!traced.ok()) return traced.status();
  const std::string trace = absl::StrCat(
      HeadText(finding), "\n", side.label, "\n\n",
      BodyText(finding, traced->trace, flags.CommandLine(PathOf(flags, name))));
  return fuzz::WriteFinding(flags.output, name, model::Print(scenario), trace,
                            report::Dump(VerdictJson(line)));
}

absl::Status Keep(const CompareFlags& flags, const Side& left,
                  const Side& right, const VerdictLine& line) {
  const fuzz::JudgedFinding& judged = line.judged;
  const bool on_right = judged.right.verdict == fuzz::Verdict::kViolated &&
                        !judged.right_scenario;
  absl::Status status =
      Write(flags, on_right ? right : left, line, judged.finding.signature,
            judged.finding.scenario);
  if (status.ok() && judged.right_scenario) {
    status = Write(flags, right, line, NameOnTheRight(judged.finding),
                   *judged.right_scenario);
  }
  return status;
}

// How many findings tell what.
std::string Tally(const std::vector<VerdictLine>& lines) {
  size_t regressions = 0, only_left = 0, only_right = 0, both = 0;
  for (const VerdictLine& line : lines) {
    if (line.judged.regression()) {
      ++regressions;
    } else if (!line.judged.differs()) {
      ++both;
    } else if (line.judged.left.verdict == fuzz::Verdict::kViolated) {
      ++only_left;
    } else {
      ++only_right;
    }
  }
  return absl::StrFormat(
      "%d regression%s  %d violated on the left only  %d on the right, where "
      "the left is not clean  %d on both",
      regressions, regressions == 1 ? "" : "s", only_left, only_right, both);
}

report::Json ResultJson(const CompareFlags& flags, const Side& left,
                        const Side& right, const fuzz::VerdictResult& result,
                        const std::vector<VerdictLine>& lines) {
  report::Json json;
  json["drivers"] = {left.label, right.label};
  json["by"] = flags.by;
  json["seed"] = flags.seed;
  json["runs"] = result.runs;
  json["operations"] = result.operations;
  json["seconds"] = result.seconds;
  json["differences"] = report::Json::array();
  json["common"] = report::Json::array();
  uint64_t regressions = 0;
  for (const VerdictLine& line : lines) {
    json[line.judged.differs() ? "differences" : "common"].push_back(
        VerdictJson(line));
    if (line.judged.regression()) ++regressions;
  }
  json["regressions"] = regressions;
  json["interrupted"] = result.interrupted;
  return json;
}

bool HasStar(const std::vector<VerdictLine>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const VerdictLine& line) {
    return line.judged.left.violated_elsewhere ||
           line.judged.right.violated_elsewhere;
  });
}

std::string ResultText(const CompareFlags& flags, const Side& left,
                       const Side& right, const fuzz::VerdictResult& result,
                       const std::vector<VerdictLine>& lines) {
  const auto [left_head, right_head] = HeadsOf(left, right);
  std::string text = absl::StrFormat(
      "left   %s\nright  %s\nseed %d  faults %s  %s runs  %s operations  %.1f "
      "s%s\n%s\n",
      left.label, right.label, flags.seed, flags.faults, Count(result.runs),
      Count(result.operations), result.seconds,
      result.interrupted ? "  (interrupted)" : "", Tally(lines));
  if (lines.empty()) return text;
  return absl::StrCat(
      text, "\n", VerdictTable(lines, left_head, right_head),
      "\nScenarios: ", flags.output, "/INVARIANT-SCENARIO/scenario.ats\n",
      HasStar(lines) ? "*: violated by another scenario, in the same function\n"
                     : "",
      VerdictScenarios(lines));
}

int Report(const CompareFlags& flags, const Side& left, const Side& right,
           const fuzz::VerdictResult& result) {
  std::vector<VerdictLine> lines;
  bool regression = false;
  for (const fuzz::JudgedFinding& judged : result.findings) {
    lines.push_back({judged, PathOf(flags, judged.finding.signature),
                     judged.right_scenario
                         ? PathOf(flags, NameOnTheRight(judged.finding))
                         : ""});
    const absl::Status kept = Keep(flags, left, right, lines.back());
    if (!kept.ok()) return Fail(kept);
    regression = regression || judged.regression();
  }
  const std::string text =
      flags.json ? report::Dump(ResultJson(flags, left, right, result, lines))
                 : ResultText(flags, left, right, result, lines);
  fputs(text.c_str(), stdout);
  return regression ? kViolation : kClean;
}

}  // namespace

int CompareByVerdicts(const CompareFlags& flags,
                      const std::vector<std::string>& paths) {
  auto options = OptionsFor(flags, paths);
  if (!options.ok()) return Fail(options.status());
  const auto pair =
      FlagsOfPair(flags.drivers[0], flags.drivers[1], flags.patches);
  if (!pair.ok()) return Fail(pair.status());
  const auto left = ObtainSide(pair->left);
  if (!left.ok()) return Fail(left.status());
  const auto right = ObtainSide(pair->right);
  if (!right.ok()) return Fail(right.status());
  options->left = SystemOf(left->driver);
  options->right = SystemOf(right->driver);
  options->generate.capabilities =
      Meet(left->driver.capabilities, right->driver.capabilities);
  if (options->generate.topology) {
    const absl::Status fits =
        Fits(options->generate.capabilities,
             absl::StrCat(left->label, " or ", right->label),
             *options->generate.topology);
    if (!fits.ok()) return Fail(absl::InvalidArgumentError(fits.message()));
  }
  if (isatty(STDERR_FILENO)) options->progress = ShowProgress;
  CatchInterrupts();
  const auto result = fuzz::CompareVerdicts(*options);
  if (options->progress) fputs("\r\033[K", stderr);
  if (!result.ok()) return Fail(result.status());
  return Report(flags, *left, *right, *result);
}

}  // namespace atsfuzz::cli
