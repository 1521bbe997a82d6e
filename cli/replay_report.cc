#include "cli/replay_report.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/text.h"
#include "report/junit.h"
#include "report/ktap.h"
#include "report/mermaid.h"
#include "report/sarif.h"
#include "report/trace_event.h"

namespace atsfuzz::cli {
namespace {

std::string Refusal(const Replayed& file) {
  return std::string(file.refused.message());
}

std::string JsonOf(const Driver& driver, const std::vector<Replayed>& files,
                   double seconds, bool trace) {
  report::RunRecord record;
  record.driver = driver.name;
  record.seconds = seconds;
  report::Json missed = report::Json::array();
  report::Json refused = report::Json::array();
  for (const Replayed& file : files) {
    if (!file.refused.ok()) {
      refused.push_back({{"scenario", file.path}, {"message", Refusal(file)}});
      continue;
    }
    record.findings.insert(record.findings.end(), file.records.begin(),
                           file.records.end());
    ++record.runs;
    record.operations += file.run.operations;
    for (const std::string& sentence : file.missed) {
      missed.push_back({{"scenario", file.path}, {"message", sentence}});
    }
  }
  report::Json json = ToJson(record);
  json["version"] = driver.version;
  json["missed_expectations"] = missed;
  json["refused"] = refused;
  if (trace) {
    for (const Replayed& file : files) {
      json["traces"][file.path] = file.run.trace;
    }
  }
  return report::Dump(json);
}

report::TestRun TestRunOf(const Driver& driver,
                          const std::vector<Replayed>& files) {
  report::TestRun run = {driver.name, driver.version, {}};
  for (const Replayed& file : files) {
    report::TestCase& test = run.cases.emplace_back();
    test.name = file.path;
    if (!file.refused.ok()) {
      test.skipped = Refusal(file);
      continue;
    }
    test.checks = file.checks;
    for (const report::FindingRecord& record : file.records) {
      test.violations.push_back(absl::StrCat(
          record.signature, ": ", record.message,
          record.known ? absl::StrCat(" (known: ", record.reason, ")") : ""));
    }
    test.trace = file.run.trace;
  }
  return run;
}

report::Json SarifOf(const Driver& driver, const std::vector<Replayed>& files) {
  report::SarifRun run;
  run.driver = driver.name;
  run.version = driver.version;
  for (const Replayed& file : files) {
    if (!file.refused.ok()) {
      run.notices.push_back({false, file.path, Refusal(file)});
    }
    for (const report::FindingRecord& record : file.records) {
      run.findings.push_back(
          {record,
           record.known ? report::Baseline::kUnchanged : report::Baseline::kNew,
           file.run.rows, model::Print(file.scenario)});
    }
    for (const std::string& sentence : file.missed) {
      run.notices.push_back({true, file.path, sentence});
    }
  }
  return report::SarifOf({run});
}

report::Json TraceEventsOf(const Driver& driver,
                           const std::vector<Replayed>& files) {
  std::vector<report::NamedRun> runs;
  for (const Replayed& file : files) {
    if (file.refused.ok()) runs.push_back({file.path, file.run.rows});
  }
  return report::TraceEventsOf(
      runs, absl::StrCat(driver.name, " (", driver.version, ")"));
}

}  // namespace

bool Failed(const Replayed& file) {
  return file.has_expectations ? !file.missed.empty()
                               : !file.run.sightings.empty();
}

std::string TextOf(const Replayed& file, bool trace) {
  std::string text = file.path + ":";
  if (file.records.empty()) text += " no violation";
  for (const report::FindingRecord& record : file.records) {
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
  for (const report::FindingRecord& record : file.records) {
    absl::StrAppend(&text, "  ", record.message,
                    "\n    expected: ", record.expected,
                    "        found: ", record.found, "\n");
  }
  return text;
}

std::string ReplayIn(Format format, const Driver& driver,
                     const std::vector<Replayed>& files, double seconds,
                     bool trace) {
  switch (format) {
    case Format::kText:
      break;
    case Format::kJson:
      return JsonOf(driver, files, seconds, trace);
    case Format::kKtap:
      return report::KtapOf(TestRunOf(driver, files));
    case Format::kJunit:
      return report::JunitOf(TestRunOf(driver, files));
    case Format::kSarif:
      return report::Dump(SarifOf(driver, files));
    case Format::kMermaid:
      return report::MermaidOf(files[0].run.rows, files[0].path);
    case Format::kTraceEvent:
      return report::Dump(TraceEventsOf(driver, files));
  }
  return "";
}

}  // namespace atsfuzz::cli
