#include "cli/campaign_report.h"

#include <stdio.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/findings_text.h"
#include "cli/traced_run.h"
#include "model/text.h"
#include "report/mermaid.h"
#include "report/sarif.h"
#include "report/trace_event.h"

namespace atsfuzz::cli {
namespace {

// Told before anything is run.
std::string OpeningText(const CampaignFlags& flags, const Driver& driver) {
  return absl::StrFormat("%s (%s)  seed %d  %d worker%s\n", driver.name,
                         driver.version, flags.seed, flags.jobs,
                         flags.jobs == 1 ? "" : "s");
}

std::string Summary(const Driver& driver, const fuzz::CampaignResult& result) {
  size_t known = 0;
  for (const fuzz::Finding& finding : result.findings) {
    if (finding.known) ++known;
  }
  const size_t fresh = result.findings.size() - known;
  std::string text =
      absl::StrFormat("%s runs  %s operations  %.1f s  ", Count(result.runs),
                      Count(result.operations), result.seconds);
  if (result.edges != 0) {
    absl::StrAppendFormat(
        &text, "%d %% of the %s covered  ",
        result.edges_covered * 100 / result.edges,
        driver.design ? "model's steps" : "driver's branches");
  }
  absl::StrAppendFormat(&text, "%d finding%s", fresh, fresh == 1 ? "" : "s");
  if (known != 0) absl::StrAppend(&text, "  ", known, " known");
  if (result.interrupted) absl::StrAppend(&text, "  (interrupted)");
  return text + "\n";
}

std::string PathOf(const CampaignFlags& flags, const fuzz::Finding& finding) {
  return absl::StrCat(flags.findings, "/", finding.signature, "/scenario.ats");
}

std::string LabelOf(const Driver& driver) {
  return absl::StrCat(driver.name, " (", driver.version, ")");
}

// A finding that was written, and what is told of it.
struct Kept {
  std::string body;  // what BodyText says
  std::vector<report::Row> rows;
};

// Writes the finding.
absl::StatusOr<Kept> Keep(const CampaignFlags& flags, const Driver& driver,
                          const fuzz::Finding& finding) {
  auto traced = RunTraced(driver.Instrumented(), finding.scenario);
  if (!traced.ok()) return traced.status();
  const std::string path = PathOf(flags, finding);
  std::string body =
      BodyText(finding, traced->trace,
               absl::StrCat("./atsfuzz replay ", path,
                            flags.driver.CommandLine(), " --trace"));
  report::Json json = ToJson(RecordOf(finding, path));
  json["driver"] = driver.name;
  json["version"] = driver.version;
  json["seed"] = flags.seed;
  json["run"] = finding.run;
  for (const report::Row& row : traced->rows) {
    json["timeline"].push_back(ToJson(row));
  }
  const absl::Status written = fuzz::WriteFinding(
      flags.findings, finding.signature, model::Print(finding.scenario),
      absl::StrCat(HeadText(finding), "\n", body), report::Dump(json),
      {{"sequence.mmd", report::MermaidOf(traced->rows, finding.signature)},
       {"trace.json",
        report::TraceOf(traced->rows, finding.signature, LabelOf(driver))}});
  if (!written.ok()) return written;
  return Kept{std::move(body), std::move(traced->rows)};
}

report::SarifFinding SarifFindingOf(const fuzz::Finding& finding,
                                    report::FindingRecord record, Kept kept) {
  const report::Baseline baseline =
      record.known ? report::Baseline::kUnchanged : report::Baseline::kNew;
  return {std::move(record), baseline, std::move(kept.rows),
          model::Print(finding.scenario)};
}

// Findings that one scenario shows are told together.
class Story {
 public:
  void Add(const fuzz::Finding& finding, const std::string& body) {
    const std::string scenario = model::Print(finding.scenario);
    for (Chapter& chapter : chapters_) {
      if (chapter.scenario != scenario) continue;
      absl::StrAppend(&chapter.heads, "\n", HeadText(finding));
      return;
    }
    chapters_.push_back({scenario, HeadText(finding), body});
  }
  std::string Text() const {
    std::string text;
    for (const Chapter& chapter : chapters_) {
      absl::StrAppend(&text, "\n", chapter.heads, "\n", chapter.body);
    }
    return text;
  }

 private:
  struct Chapter {
    std::string scenario, heads, body;
  };
  std::vector<Chapter> chapters_;
};

report::Json ResultJson(const CampaignFlags& flags, const Driver& driver,
                        const fuzz::CampaignResult& result,
                        std::vector<report::FindingRecord> records) {
  report::RunRecord record;
  record.driver = driver.name;
  record.seed = flags.seed;
  record.runs = result.runs;
  record.operations = result.operations;
  record.seconds = result.seconds;
  record.findings = std::move(records);
  report::Json json = ToJson(record);
  json["version"] = driver.version;
  json["effective_operations"] = result.effective;
  json["sanitized_runs"] = result.sanitized_runs;
  json["branches"] = result.edges;
  json["branches_covered"] = result.edges_covered;
  json["interrupted"] = result.interrupted;
  json["seen"] = result.seen;
  return json;
}

}  // namespace

void ShowProgress(const fuzz::CampaignProgress& now) {
  static double shown = -1;
  if (now.seconds - shown < 0.1) return;
  shown = now.seconds;
  const double seconds = now.seconds > 0 ? now.seconds : 1;
  absl::FPrintF(
      stderr,
      "\r\033[K%s  %s runs, %s/s  %s operations/s  %d %% covered  %d "
      "findings%s",
      absl::StrFormat("%.1f s", now.seconds), Count(now.runs),
      Count(static_cast<uint64_t>(static_cast<double>(now.runs) / seconds)),
      Count(
          static_cast<uint64_t>(static_cast<double>(now.operations) / seconds)),
      now.edges == 0 ? 0 : now.edges_covered * 100 / now.edges, now.findings,
      now.shrinking ? "  shrinking" : "");
  fflush(stderr);
}

absl::StatusOr<fuzz::CampaignResult> RunCampaignFor(
    const CampaignFlags& flags, const Driver& driver,
    fuzz::CampaignOptions options) {
  if (driver.sanitized_program.empty() && !driver.design) {
    fputs(
        "atsfuzz: no sanitized program beside this one: memory errors are "
        "found only if they crash\n",
        stderr);
  }
  if (isatty(STDERR_FILENO)) options.progress = ShowProgress;
  if (flags.format.tells_text()) {
    fputs(OpeningText(flags, driver).c_str(), stdout);
    fflush(stdout);
  }
  auto result = fuzz::RunCampaign(options);
  if (options.progress) fputs("\r\033[K", stderr);
  return result;
}

int ReportCampaign(const CampaignFlags& flags, const Driver& driver,
                   const fuzz::CampaignResult& result,
                   const CampaignExtras& extras) {
  std::string text = Summary(driver, result) + extras.text;
  if (!result.seen.empty()) {
    absl::StrAppend(&text, "seen before: ", absl::StrJoin(result.seen, " "),
                    "\n");
  }
  Story story;
  std::vector<report::FindingRecord> records;
  report::SarifRun sarif = {driver.name, driver.version, {}, {}};
  int exit_status = kClean;
  for (const fuzz::Finding& finding : result.findings) {
    auto kept = Keep(flags, driver, finding);
    if (!kept.ok()) return Fail(kept.status());
    records.push_back(RecordOf(finding, PathOf(flags, finding)));
    if (finding.known) {
      text += KnownText(finding);
    } else {
      story.Add(finding, kept->body);
      exit_status = kViolation;
    }
    sarif.findings.push_back(
        SarifFindingOf(finding, records.back(), *std::move(kept)));
  }
  text += story.Text();
  if (flags.format.tells_text()) fputs(text.c_str(), stdout);
  std::string told = OpeningText(flags, driver) + text;
  if (flags.format.format() == Format::kJson) {
    report::Json json = ResultJson(flags, driver, result, std::move(records));
    json.update(extras.json);
    told = report::Dump(json);
  } else if (flags.format.format() == Format::kSarif) {
    told = report::Dump(report::SarifOf({sarif}));
  }
  const absl::Status put = flags.format.Put(told);
  return put.ok() ? exit_status : Fail(put);
}

}  // namespace atsfuzz::cli
