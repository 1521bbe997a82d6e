#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/driver.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/traced_run.h"
#include "fuzz/investigate.h"
#include "fuzz/sanitized.h"
#include "model/text.h"
#include "report/json.h"
#include "report/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Runs scenarios on a driver, as they are, under the same checks as fuzz.\n"
    "A file with `expect` lines fails if one of them is not met; a file\n"
    "without fails if it shows a violation. One that the driver cannot run is\n"
    "told, and the others run.";

constexpr char kExamples[] =
    "  atsfuzz replay findings/*/scenario.ats        # do they still fail?\n"
    "  atsfuzz replay scenario.ats --trace           # step by step\n"
    "  atsfuzz replay corpus/seeds/*.ats --driver=linux:$HOME/src/linux\n";

struct ReplayFlags {
  DriverFlags driver;
  bool trace = false, json = false;
};

// A file and what came of it.
struct Replayed {
  std::string path;
  model::Scenario scenario;
  TracedRun run;
  // Expectations that were not met, as sentences.
  std::vector<std::string> missed;
  bool has_expectations = false;
  // Why this driver cannot run it; OK: it can.
  absl::Status refused;
};

// What the file's expectations say about this driver.
void Judge(const Driver& driver, Replayed* file) {
  std::set<std::string> seen;
  for (const fuzz::Sighting& sighting : file->run.sightings) {
    seen.insert(std::string(InvariantName(sighting.violation.invariant)));
  }
  for (const model::Expectation& expectation :
       model::ExpectationsOf(file->scenario, driver.name)) {
    file->has_expectations = true;
    if (expectation.invariant.empty()) {
      for (const std::string& name : seen) {
        file->missed.push_back("expected no violation, found " + name);
      }
    } else if (!seen.contains(expectation.invariant)) {
      file->missed.push_back(absl::StrCat(
          "expected a violation of ", expectation.invariant, ", found none"));
    }
  }
}

bool Failed(const Replayed& file) {
  return file.has_expectations ? !file.missed.empty()
                               : !file.run.sightings.empty();
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
    file->run.sightings.push_back(sighting);
    absl::StrAppend(&file->run.trace, "(under sanitizers)\n  violation: ",
                    InvariantName(sighting.violation.invariant), "\n    ",
                    sighting.violation.message, "\n");
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

std::string TextOf(const Replayed& file,
                   const std::vector<report::FindingRecord>& records,
                   bool trace) {
  std::string text = file.path + ":";
  if (records.empty()) text += " no violation";
  for (const report::FindingRecord& record : records) {
    absl::StrAppend(&text, " ", record.signature);
    if (record.known) text += " (known)";
  }
  if (file.has_expectations) {
    text += file.missed.empty() ? "  as expected" : "  NOT as expected";
  }
  text += "\n";
  if (trace) text += file.run.trace;
  for (const std::string& missed : file.missed) {
    absl::StrAppend(&text, "  ", missed, "\n");
  }
  if (trace) return text;
  for (const report::FindingRecord& record : records) {
    absl::StrAppend(&text, "  ", record.message,
                    "\n    expected: ", record.expected,
                    "        found: ", record.found, "\n");
  }
  return text;
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
  report::RunRecord record;
  record.driver = driver.name;
  report::Json missed = report::Json::array();
  report::Json refused = report::Json::array();
  int exit_status = kClean;
  for (Replayed& file : files) {
    const absl::Status ran =
        RunFile(driver, sanitized ? &*sanitized : nullptr, &file);
    if (!ran.ok()) {
      return Fail(absl::Status(ran.code(),
                               absl::StrCat(file.path, ": ", ran.message())));
    }
    if (!file.refused.ok()) {
      const std::string why(file.refused.message());
      refused.push_back({{"scenario", file.path}, {"message", why}});
      exit_status = std::max(
          exit_status, Fail(absl::Status(file.refused.code(),
                                         absl::StrCat(file.path, ": ", why))));
      continue;
    }
    const auto records = RecordsOf(file, known);
    if (!flags.json) fputs(TextOf(file, records, flags.trace).c_str(), stdout);
    record.findings.insert(record.findings.end(), records.begin(),
                           records.end());
    ++record.runs;
    record.operations += file.run.operations;
    for (const std::string& sentence : file.missed) {
      missed.push_back({{"scenario", file.path}, {"message", sentence}});
    }
    if (Failed(file)) exit_status = std::max<int>(exit_status, kViolation);
  }
  record.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if (flags.json) {
    report::Json json = ToJson(record);
    json["version"] = driver.version;
    json["missed_expectations"] = missed;
    json["refused"] = refused;
    if (flags.trace) {
      for (const Replayed& file : files)
        json["traces"][file.path] = file.run.trace;
    }
    fputs(report::Dump(json).c_str(), stdout);
  }
  return exit_status;
}

}  // namespace

int Replay(const std::vector<std::string>& arguments) {
  Flags flags("replay FILE... [FLAGS]", kAbout, kExamples);
  ReplayFlags values;
  values.driver.AddTo(&flags);
  flags.Add("trace", "Prints what happened, operation by operation.",
            &values.trace);
  flags.Add("json", "Prints one JSON object.", &values.json);
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
  auto files = ReadFiles(*paths);
  if (!files.ok()) return Fail(files.status());
  const auto driver = ObtainDriver(values.driver, {});
  if (!driver.ok()) return Fail(driver.status());
  const auto known = KnownFor(*driver);
  if (!known.ok()) return Fail(known.status());
  return ReplayFiles(values, *driver, *known, *std::move(files));
}

}  // namespace atsfuzz::cli
