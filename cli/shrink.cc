#include <stdio.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/driver.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/traced_run.h"
#include "cli/wanted.h"
#include "fuzz/findings.h"
#include "fuzz/investigate.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Makes a scenario that shows a violation as small as it gets while it\n"
    "still shows the same one: that of its first `expect violation` line, or,\n"
    "without such a line, the first that it shows. Prints the result, or\n"
    "writes it to --output.";

constexpr char kExamples[] =
    "  atsfuzz shrink long.ats                       # to standard output\n"
    "  atsfuzz shrink long.ats --output=short.ats\n"
    "  atsfuzz shrink long.ats --driver=linux:$HOME/src/linux\n";

// The sighting to keep.
absl::StatusOr<const fuzz::Sighting*> Wanted(
    const model::Scenario& scenario, const Driver& driver,
    const std::vector<fuzz::Sighting>& sightings) {
  std::vector<properties::Invariant> shown;
  for (const fuzz::Sighting& sighting : sightings) {
    shown.push_back(sighting.violation.invariant);
  }
  const auto wanted =
      WantedViolation(scenario, driver.name, shown, "to keep while shrinking");
  if (!wanted.ok()) return wanted.status();
  return &sightings[*wanted];
}

int ShrinkFile(const Driver& driver, const std::string& path,
               const std::string& output, const model::Scenario& scenario) {
  // Refuses what the kernel could not do, as replay does.
  const auto traced = RunTraced(driver.Instrumented(), scenario);
  if (!traced.ok()) {
    return Fail(
        absl::Status(traced.status().code(),
                     absl::StrCat(path, ": ", traced.status().message())));
  }
  std::optional<fuzz::SanitizedProgram> program;
  if (!driver.sanitized_program.empty()) {
    auto started = fuzz::SanitizedProgram::Start(driver.SanitizedCommand());
    if (!started.ok()) return Fail(started.status());
    program.emplace(*std::move(started));
  }
  const fuzz::Investigator investigator(driver.Instrumented(),
                                        program ? &*program : nullptr,
                                        Interrupted, driver.capabilities);
  bool sanitized = false;
  auto examination = investigator.Examine(scenario);
  if (examination.ok() && examination->sightings.empty()) {
    sanitized = true;
    examination = investigator.ExamineSanitized(scenario);
  }
  if (!examination.ok()) return Fail(examination.status());
  const auto wanted = Wanted(scenario, driver, examination->sightings);
  if (!wanted.ok()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        path, ": on ", driver.name, " ", wanted.status().message())));
  }
  examination->scenario.story = scenario.story;
  fuzz::Finding finding =
      investigator.Investigate(*examination, **wanted, sanitized);
  finding.scenario.story = scenario.story;
  absl::FPrintF(stderr,
                "atsfuzz: %s: from %d operations to %d, in %d attempts%s\n",
                finding.signature, scenario.operations.size(),
                finding.scenario.operations.size(), finding.attempts,
                finding.minimal ? "" : " (interrupted: not minimal)");
  const std::string text = model::Print(finding.scenario);
  if (output.empty()) {
    fputs(text.c_str(), stdout);
  } else {
    const absl::Status written = fuzz::WriteWhole(output, text);
    if (!written.ok()) {
      return Fail(absl::PermissionDeniedError(written.message()));
    }
  }
  return kViolation;
}

}  // namespace

int Shrink(const std::vector<std::string>& arguments) {
  Flags flags("shrink FILE [FLAGS]", kAbout, kExamples);
  DriverFlags driver_flags;
  std::string output;
  driver_flags.AddTo(&flags);
  flags.Add("output", "FILE", "Where to write the result.", &output);
  const auto paths = flags.Parse(arguments);
  if (!paths.ok()) return Fail(paths.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (paths->size() != 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "shrink needs one scenario's path, found ", paths->size())));
  }
  const auto scenario = model::ReadScenario(paths->front());
  if (!scenario.ok()) return Fail(scenario.status());
  const auto driver = ObtainDriver(driver_flags, {});
  if (!driver.ok()) return Fail(driver.status());
  CatchInterrupts();
  return ShrinkFile(*driver, paths->front(), output, *scenario);
}

}  // namespace atsfuzz::cli
