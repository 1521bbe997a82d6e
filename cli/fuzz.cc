#include <stdio.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/corpus.h"
#include "cli/driver.h"
#include "cli/faults_flag.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "cli/traced_run.h"
#include "fuzz/campaign.h"
#include "model/text.h"
#include "report/json.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Runs random scenarios on a driver and checks every one. A violation is\n"
    "shrunk, confirmed under sanitizers, written to the findings folder and\n"
    "explained. Ends after the first new finding unless --keep-going.";

constexpr char kExamples[] =
    "  atsfuzz fuzz                                  # Debian's Linux 6.12\n"
    "  atsfuzz fuzz --driver=linux:$HOME/src/linux   # a working tree\n"
    "  atsfuzz fuzz --patch=fix.patch --seed=7       # with a patch on top\n"
    "  atsfuzz fuzz --faults=all --keep-going --seconds=600\n"
    "  atsfuzz fuzz --topology=corpus/seeds/shared-domain.ats --json\n";

struct FuzzFlags {
  DriverFlags driver;
  std::string topology, corpus, findings = "findings", faults = "none";
  std::vector<std::string> known;
  uint64_t seed = 1, jobs = 2, threads = 1;
  std::optional<uint64_t> seconds, runs;
  bool keep_going = false, json = false;

  void AddTo(Flags* flags) {
    driver.AddTo(flags);
    flags->Add("topology", "FILE",
               "A scenario whose machine is used; without it machines are "
               "generated.",
               &topology);
    flags->Add(
        "seconds", "N",
        "How long to fuzz (default 60, without limit if --runs is given).",
        &seconds);
    flags->Add("runs", "N", "At most that many scenarios.", &runs);
    flags->Add("seed", "N", "Same seed, same runs (default 1).", &seed);
    flags->Add("jobs", "N", "Worker processes (default 2); changes no result.",
               &jobs);
    flags->Add("faults", "LIST",
               "none (default), all, or a comma list of alloc, prepare-ats, "
               "enable-ats, config-write.",
               &faults);
    flags->Add("threads", "N", "Only 1 in this version.", &threads);
    flags->Add("corpus", "DIR",
               "Scenarios to start from; new coverage is added to it.",
               &corpus);
    flags->Add("findings", "DIR",
               "Where findings are written (default findings).", &findings);
    flags->Add("known", "FILE",
               "Findings already understood, counted but no end of the run, "
               "beside those of corpus/known/; repeatable.",
               &known);
    flags->Add("keep-going", "Goes on after a finding.", &keep_going);
    flags->Add("json", "Prints one JSON object.", &json);
  }
};

absl::Status CheckFlags(const FuzzFlags& flags) {
  if (flags.threads != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--threads=", flags.threads,
        ": scenarios with several threads come in a later version"));
  }
  if (flags.jobs < 1 || flags.jobs > 256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jobs=", flags.jobs, ": expected 1 to 256"));
  }
  return absl::OkStatus();
}

// Everything that can be wrong with the input, before anything is built.
absl::StatusOr<fuzz::CampaignOptions> OptionsFor(const FuzzFlags& flags) {
  absl::Status status = CheckFlags(flags);
  if (!status.ok()) return status;
  const auto faults = ParseFaults(flags.faults);
  if (!faults.ok()) return faults.status();
  fuzz::CampaignOptions options;
  options.generate.faults = *faults;
  if (!flags.topology.empty()) {
    const auto scenario = model::ReadScenario(flags.topology);
    if (!scenario.ok()) return scenario.status();
    options.generate.topology = scenario->topology;
  }
  if (!flags.corpus.empty()) {
    auto corpus = ReadCorpus(flags.corpus);
    if (!corpus.ok()) return corpus.status();
    options.corpus = *std::move(corpus);
  }
  status = fuzz::PrepareFolder(flags.findings);
  if (!status.ok()) return status;
  options.seed = flags.seed;
  options.runs = flags.runs;
  if (flags.seconds || !flags.runs) {
    options.seconds = static_cast<double>(flags.seconds.value_or(60));
  }
  options.jobs = static_cast<int>(flags.jobs);
  options.keep_going = flags.keep_going;
  options.interrupted = Interrupted;
  return options;
}

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

std::string PathOf(const FuzzFlags& flags, const fuzz::Finding& finding) {
  return absl::StrCat(flags.findings, "/", finding.signature, "/scenario.ats");
}

// Writes the finding; returns what BodyText says of it.
absl::StatusOr<std::string> Keep(const FuzzFlags& flags, const Driver& driver,
                                 const fuzz::Finding& finding) {
  const auto traced = RunTraced(driver.Instrumented(), finding.scenario);
  if (!traced.ok()) return traced.status();
  const std::string path = PathOf(flags, finding);
  const std::string body =
      BodyText(finding, traced->trace,
               absl::StrCat("./atsfuzz replay ", path,
                            flags.driver.CommandLine(), " --trace"));
  report::Json json = ToJson(RecordOf(finding, path));
  json["driver"] = driver.name;
  json["version"] = driver.version;
  json["seed"] = flags.seed;
  json["run"] = finding.run;
  const absl::Status written = fuzz::WriteFinding(
      flags.findings, finding.signature, model::Print(finding.scenario),
      absl::StrCat(HeadText(finding), "\n", body), report::Dump(json));
  if (!written.ok()) return written;
  return body;
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

report::Json ResultJson(const FuzzFlags& flags, const Driver& driver,
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
  return json;
}

int Report(const FuzzFlags& flags, const Driver& driver,
           const fuzz::CampaignResult& result) {
  std::string text = Summary(driver, result);
  Story story;
  std::vector<report::FindingRecord> records;
  int exit_status = kClean;
  for (const fuzz::Finding& finding : result.findings) {
    const auto body = Keep(flags, driver, finding);
    if (!body.ok()) return Fail(body.status());
    records.push_back(RecordOf(finding, PathOf(flags, finding)));
    if (finding.known) {
      text += KnownText(finding);
    } else {
      story.Add(finding, *body);
      exit_status = kViolation;
    }
  }
  text += story.Text();
  if (flags.json) {
    text = report::Dump(ResultJson(flags, driver, result, std::move(records)));
  }
  fputs(text.c_str(), stdout);
  return exit_status;
}

int RunAndReport(const FuzzFlags& flags, const Driver& driver,
                 const fuzz::CampaignOptions& options) {
  if (driver.sanitized_program.empty() && !driver.design) {
    fputs(
        "atsfuzz: no sanitized program beside this one: memory errors are "
        "found only if they crash\n",
        stderr);
  }
  if (!flags.json) {
    absl::PrintF("%s (%s)  seed %d  %d worker%s\n", driver.name, driver.version,
                 flags.seed, flags.jobs, flags.jobs == 1 ? "" : "s");
    fflush(stdout);
  }
  const auto result = fuzz::RunCampaign(options);
  if (options.progress) fputs("\r\033[K", stderr);
  if (!result.ok()) return Fail(result.status());
  if (!flags.corpus.empty()) {
    const absl::Status added = AddToCorpus(flags.corpus, result->additions);
    if (!added.ok()) return Fail(added);
  }
  return Report(flags, driver, *result);
}

absl::StatusOr<std::vector<fuzz::Known>> ReadKnown(
    const std::vector<std::string>& paths) {
  std::vector<fuzz::Known> all;
  for (const std::string& path : paths) {
    if (!std::filesystem::exists(path)) {
      return absl::NotFoundError(
          absl::StrCat("--known=", path, ": there is no such file"));
    }
    auto known = fuzz::Known::Read(path);
    if (!known.ok()) return known.status();
    all.push_back(*std::move(known));
  }
  return all;
}

}  // namespace

int Fuzz(const std::vector<std::string>& arguments) {
  Flags flags("fuzz [FLAGS]", kAbout, kExamples);
  FuzzFlags values;
  values.AddTo(&flags);
  const auto rest = flags.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (!rest->empty()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("fuzz takes flags only; found ", rest->front())));
  }
  auto options = OptionsFor(values);
  if (!options.ok()) return Fail(options.status());
  const auto more_known = ReadKnown(values.known);
  if (!more_known.ok()) return Fail(more_known.status());
  const auto driver = ObtainDriver(values.driver, {.plain = true});
  if (!driver.ok()) return Fail(driver.status());
  auto known = KnownFor(*driver);
  if (!known.ok()) return Fail(known.status());
  options->known = *std::move(known);
  for (const fuzz::Known& more : *more_known) options->known.Add(more);
  options->generate.capabilities = driver->capabilities;
  if (options->generate.topology) {
    const absl::Status fits =
        Fits(driver->capabilities, driver->name, *options->generate.topology);
    if (!fits.ok()) return Fail(absl::InvalidArgumentError(fits.message()));
  }
  options->plain = driver->Plain();
  options->instrumented = driver->Instrumented();
  options->sanitized = driver->SanitizedCommand();
  if (isatty(STDERR_FILENO)) options->progress = ShowProgress;
  CatchInterrupts();
  return RunAndReport(values, *driver, *options);
}

}  // namespace atsfuzz::cli
