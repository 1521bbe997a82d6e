#include "fuzz/sweep.h"

#include <stdio.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/campaign_flags.h"
#include "cli/campaign_report.h"
#include "cli/command.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Runs each scenario clean, and again with exactly one fault, for every\n"
    "fault that the clean run could have met: every allocation of every\n"
    "operation, n = 1, 2, ... until none is consumed, then the other faults.\n"
    "Every run is checked. Without FILEs honest scenarios are generated. "
    "Ends\n"
    "after the first round with a new finding unless --keep-going.";

constexpr char kExamples[] =
    "  atsfuzz sweep corpus/seeds/*.ats --keep-going\n"
    "  atsfuzz sweep --driver=linux:$HOME/src/linux --faults=alloc "
    "--seconds=60\n"
    "  atsfuzz sweep mine.ats --patch=fix.patch --json\n"
    "  atsfuzz sweep mine.ats --format=sarif --output=findings.sarif\n";

absl::StatusOr<std::vector<model::Scenario>> ReadAll(
    const std::vector<std::string>& paths) {
  std::vector<model::Scenario> scenarios;
  for (const std::string& path : paths) {
    auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) return scenario.status();
    scenarios.push_back(*std::move(scenario));
  }
  return scenarios;
}

// Everything that can be wrong with the input, before anything is built.
absl::StatusOr<fuzz::CampaignOptions> OptionsFor(
    const CampaignFlags& flags, const std::vector<std::string>& paths) {
  auto options = CampaignOptionsFor(flags);
  if (!options.ok()) return options;
  if (options->generate.faults == 0) {
    return absl::InvalidArgumentError(
        "--faults=none: a sweep places faults; `atsfuzz replay` runs scenarios "
        "as they are");
  }
  if (!paths.empty() && (flags.runs || !flags.topology.empty())) {
    return absl::InvalidArgumentError(absl::StrCat(
        flags.runs ? "--runs" : "--topology",
        " is about generated scenarios, and there are none beside FILEs"));
  }
  if (flags.seconds || (paths.empty() && !flags.runs)) {
    options->seconds = static_cast<double>(flags.seconds.value_or(60));
  }
  options->thorough = !paths.empty();
  return options;
}

absl::Status FitsDriver(const Driver& driver, const model::Scenario& scenario) {
  absl::Status status =
      Fits(driver.capabilities, driver.name, scenario.topology);
  for (const model::Operation& operation : scenario.operations) {
    if (!status.ok()) break;
    status =
        Fits(driver.capabilities, driver.name, scenario.topology, operation);
  }
  return status;
}

// Without those that the driver cannot run, which are told on stderr.
std::vector<model::Scenario> ThatFit(const Driver& driver,
                                     const std::vector<std::string>& paths,
                                     std::vector<model::Scenario> scenarios) {
  std::vector<model::Scenario> fit;
  for (size_t i = 0; i < scenarios.size(); ++i) {
    const absl::Status status = FitsDriver(driver, scenarios[i]);
    if (status.ok()) {
      fit.push_back(std::move(scenarios[i]));
    } else {
      absl::FPrintF(stderr, "atsfuzz: %s: not swept: %s\n", paths[i],
                    std::string(status.message()));
    }
  }
  return fit;
}

CampaignExtras ExtrasOf(const fuzz::SweepCounts& counts) {
  CampaignExtras extras;
  extras.text = absl::StrFormat(
      "%s scenario%s with %s operation%s: %s fault%s placed, %s "
      "consumed\n",
      Count(counts.scenarios), counts.scenarios == 1 ? "" : "s",
      Count(counts.operations), counts.operations == 1 ? "" : "s",
      Count(counts.placed), counts.placed == 1 ? "" : "s",
      Count(counts.consumed));
  if (counts.beyond != 0) {
    absl::StrAppend(&extras.text, Count(counts.beyond),
                    " more could have been met, and have no number: only 64 "
                    "allocations and 8 config writes of an operation can "
                    "fail\n");
  }
  extras.json["scenarios"] = counts.scenarios;
  extras.json["scenario_operations"] = counts.operations;
  extras.json["faults_placed"] = counts.placed;
  extras.json["faults_consumed"] = counts.consumed;
  extras.json["faults_beyond"] = counts.beyond;
  return extras;
}

}  // namespace

int Sweep(const std::vector<std::string>& arguments) {
  Flags flags("sweep [FILE...] [FLAGS]", kAbout, kExamples);
  CampaignFlags values;
  values.AddTo(&flags, "all",
               "How long at most (without FILEs: default 60, without limit if "
               "--runs is given).",
               "Without FILEs: at most that many scenarios are generated and "
               "swept.");
  const auto paths = flags.Parse(arguments);
  if (!paths.ok()) return Fail(paths.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  auto options = OptionsFor(values, *paths);
  if (!options.ok()) return Fail(options.status());
  auto scenarios = ReadAll(*paths);
  if (!scenarios.ok()) return Fail(scenarios.status());
  const auto driver = ObtainDriverFor(values, &*options);
  if (!driver.ok()) return Fail(driver.status());
  fuzz::SweepOptions sweep_options;
  sweep_options.faults = options->generate.faults;
  sweep_options.scenarios = ThatFit(*driver, *paths, *std::move(scenarios));
  sweep_options.generates = paths->empty();
  sweep_options.generate = options->generate;
  sweep_options.seed = values.seed;
  sweep_options.generated = values.runs;
  fuzz::Sweep sweep(std::move(sweep_options));
  options->plan = &sweep;
  CatchInterrupts();
  const auto result = RunCampaignFor(values, *driver, *options);
  if (!result.ok()) return Fail(result.status());
  return ReportCampaign(values, *driver, *result, ExtrasOf(sweep.counts()));
}

}  // namespace atsfuzz::cli
