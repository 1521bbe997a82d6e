#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/driver.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/format.h"
#include "cli/replay_report.h"
#include "cli/traced_run.h"
#include "fuzz/investigate.h"
#include "fuzz/sanitized.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Runs scenarios on a driver, as they are, under the same checks as fuzz.\n"
    "A file with `expect` lines fails if one of them is not met; a file\n"
    "without fails if it shows a violation. One that the driver cannot run is\n"
    "told, and the others run.\n"
    "\n"
    "As a run of tests (ktap, junit) each file is a case, each of its\n"
    "expectations a check of it, and a file that the driver cannot run is\n"
    "skipped. sarif has the violations at their places in the kernel's tree,\n"
    "mermaid one scenario as a sequence diagram for a mail, trace-event who\n"
    "ran when, for Perfetto. The exit status does not depend on the format.";

constexpr char kExamples[] =
    "  atsfuzz replay findings/*/scenario.ats        # do they still fail?\n"
    "  atsfuzz replay scenario.ats --trace           # step by step\n"
    "  atsfuzz replay corpus/seeds/*.ats --driver=linux:$HOME/src/linux\n"
    "  atsfuzz replay corpus/*/*.ats --format=ktap | kunit.py parse\n"
    "  atsfuzz replay corpus/*/*.ats --format=junit --output=report.xml\n"
    "  atsfuzz replay scenario.ats --format=sarif --output=findings.sarif\n"
    "  atsfuzz replay scenario.ats --format=mermaid   # paste it into an "
    "issue\n"
    "  atsfuzz replay scenario.ats --format=trace-event --output=trace.json\n"
    "                                                # open it in Perfetto\n";

struct ReplayFlags {
  DriverFlags driver;
  FormatFlags format;
  bool trace = false;
};

// What the file's expectations say about this driver.
void Judge(const Driver& driver, Replayed* file) {
  std::set<std::string> seen;
  for (const fuzz::Sighting& sighting : file->run.sightings) {
    seen.insert(std::string(InvariantName(sighting.violation.invariant)));
  }
  const report::TestCheck no_violation = {
      "expect none", seen.empty(),
      seen.empty()
          ? ""
          : "expected no violation, found " + absl::StrJoin(seen, ", ")};
  for (const model::Expectation& expectation :
       model::ExpectationsOf(file->scenario, driver.name)) {
    file->has_expectations = true;
    if (expectation.invariant.empty()) {
      file->checks.push_back(no_violation);
      for (const std::string& name : seen) {
        file->missed.push_back("expected no violation, found " + name);
      }
      continue;
    }
    const bool met = seen.contains(expectation.invariant);
    file->checks.push_back(
        {"expect violation " + expectation.invariant, met,
         met ? ""
             : absl::StrCat("expected a violation of ", expectation.invariant,
                            ", found none")});
    if (!met) file->missed.push_back(file->checks.back().message);
  }
  if (!file->has_expectations) file->checks.push_back(no_violation);
}

absl::StatusOr<std::vector<Replayed>> ReadFiles(
    const std::vector<std::string>& paths) {
  std::vector<Replayed> files;
  for (const std::string& path : paths) {
    auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) return scenario.status();
    for (const model::Expectation& expectation : scenario->expectations) {
      if (!expectation.invariant.empty() &&
          !properties::InvariantByName(expectation.invariant)) {
        return absl::InvalidArgumentError(absl::StrCat(
            path, ": expects a violation of ", expectation.invariant,
            ", which is the name of no invariant"));
      }
    }
    Replayed& file = files.emplace_back();
    file.path = path;
    file.scenario = *std::move(scenario);
  }
  return files;
}

absl::Status RunFile(const Driver& driver, fuzz::SanitizedProgram* sanitized,
                     Replayed* file) {
  auto run = RunTraced(driver.Instrumented(), file->scenario);
  if (absl::IsFailedPrecondition(run.status()) ||
      absl::IsUnimplemented(run.status())) {
    file->refused = run.status();
    return absl::OkStatus();
  }
  if (!run.ok()) return run.status();
  file->run = *std::move(run);
  const fuzz::Investigator investigator(driver.Instrumented(), sanitized, {},
                                        driver.capabilities);
  const auto examined = investigator.ExamineSanitized(file->scenario);
  if (!examined.ok()) return examined.status();
  for (const fuzz::Sighting& sighting : examined->sightings) {
    const bool seen = std::any_of(
        file->run.sightings.begin(), file->run.sightings.end(),
        [&](const auto& other) { return other.key() == sighting.key(); });
    if (seen) continue;
    file->run.Add("(under sanitizers)", sighting);
  }
  Judge(driver, file);
  return absl::OkStatus();
}

// One violation of a file, told once for each signature.
std::vector<report::FindingRecord> RecordsOf(const Replayed& file,
                                             const fuzz::Known& known) {
  std::vector<report::FindingRecord> records;
  std::set<std::string> told;
  const uint8_t assumes = fuzz::ClassesUsed(file.scenario);
  for (const fuzz::Sighting& sighting : file.run.sightings) {
    fuzz::Finding finding;
    finding.sighting = sighting;
    finding.assumes = assumes;
    finding.signature = sighting.signatures[assumes];
    if (!told.insert(finding.signature).second) continue;
    finding.scenario = file.scenario;
    finding.known = known.ReasonFor(finding.signature);
    report::FindingRecord record = RecordOf(finding, file.path);
    record.confirmation.clear();
    record.run.reset();
    records.push_back(record);
  }
  return records;
}

int ReplayFiles(const ReplayFlags& flags, const Driver& driver,
                const fuzz::Known& known, std::vector<Replayed> files) {
  std::optional<fuzz::SanitizedProgram> sanitized;
  if (!driver.sanitized_program.empty()) {
    auto program = fuzz::SanitizedProgram::Start(driver.SanitizedCommand());
    if (!program.ok()) return Fail(program.status());
    sanitized.emplace(*std::move(program));
  }
  const auto start = std::chrono::steady_clock::now();
  std::string text;
  int exit_status = kClean;
  for (Replayed& file : files) {
    const absl::Status ran =
        RunFile(driver, sanitized ? &*sanitized : nullptr, &file);
    if (!ran.ok()) {
      return Fail(absl::Status(ran.code(),
                               absl::StrCat(file.path, ": ", ran.message())));
    }
    if (!file.refused.ok()) {
      exit_status =
          std::max(exit_status,
                   Fail(absl::Status(
                       file.refused.code(),
                       absl::StrCat(file.path, ": ", file.refused.message()))));
      continue;
    }
    file.records = RecordsOf(file, known);
    if (flags.format.tells_text()) {
      const std::string told = TextOf(file, flags.trace);
      fputs(told.c_str(), stdout);
      text += told;
    }
    if (Failed(file)) exit_status = std::max<int>(exit_status, kViolation);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  const Format format = flags.format.format();
  // There is nothing to draw.
  if (format == Format::kMermaid && !files[0].refused.ok()) return exit_status;
  const absl::Status put = flags.format.Put(
      format == Format::kText
          ? text
          : ReplayIn(format, driver, files, seconds, flags.trace));
  return put.ok() ? exit_status : Fail(put);
}

}  // namespace

int Replay(const std::vector<std::string>& arguments) {
  Flags flags("replay FILE... [FLAGS]", kAbout, kExamples);
  ReplayFlags values;
  values.driver.AddTo(&flags);
  flags.Add("trace", "Prints what happened, operation by operation.",
            &values.trace);
  values.format.AddTo(
      &flags, {Format::kText, Format::kJson, Format::kKtap, Format::kJunit,
               Format::kSarif, Format::kMermaid, Format::kTraceEvent});
  const auto paths = flags.Parse(arguments);
  if (!paths.ok()) return Fail(paths.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (paths->empty()) {
    return Fail(absl::InvalidArgumentError(
        "replay needs a scenario's path; `atsfuzz replay --help` has "
        "examples"));
  }
  const absl::Status format = values.format.Check();
  if (!format.ok()) return Fail(format);
  if (values.format.format() == Format::kMermaid && paths->size() > 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "--format=mermaid draws one scenario; found ", paths->size())));
  }
  auto files = ReadFiles(*paths);
  if (!files.ok()) return Fail(files.status());
  const auto driver = ObtainDriver(values.driver, {});
  if (!driver.ok()) return Fail(driver.status());
  const auto known = KnownFor(*driver);
  if (!known.ok()) return Fail(known.status());
  return ReplayFiles(values, *driver, *known, *std::move(files));
}

}  // namespace atsfuzz::cli
