#include "linux/coverage.h"

#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/corpus.h"
#include "cli/driver.h"
#include "cli/faults_flag.h"
#include "cli/findings_text.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "fuzz/campaign.h"
#include "fuzz/findings.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

constexpr char kLinux[] = "linux:";

constexpr char kAbout[] =
    "Replays scenarios (those of corpus/seeds and corpus/model unless files "
    "are\n"
    "named), fuzzes for the budget, and tells which lines and branches of the\n"
    "driver ran: DIR/index.html, DIR/coverage.lcov and DIR/uncovered.txt.\n"
    "Violations end nothing and are not reported; `atsfuzz fuzz` does that.";

constexpr char kExamples[] =
    "  atsfuzz coverage --output=coverage\n"
    "  atsfuzz coverage --faults=all --seconds=600 --output=coverage\n"
    "  atsfuzz coverage --driver=linux:$HOME/src/linux --patch=fix.patch \\\n"
    "      --runs=100000 --output=coverage\n"
    "  atsfuzz coverage --runs=0 --output=coverage my.ats  # this alone\n";

struct CoverageFlags {
  DriverFlags driver;
  std::string output, faults = "none";
  uint64_t seed = 1, jobs = 2;
  std::optional<uint64_t> seconds, runs;

  void AddTo(Flags* flags) {
    driver.AddTo(flags);
    flags->Add("output", "DIR", "Where the report is written.", &output);
    flags->Add(
        "seconds", "N",
        "How long to run (default 60, without limit if --runs is given).",
        &seconds);
    flags->Add("runs", "N",
               "At most that many generated scenarios behind the files.",
               &runs);
    flags->Add("seed", "N", "Same seed, same runs (default 1).", &seed);
    flags->Add("jobs", "N", "Worker processes (default 2).", &jobs);
    flags->Add("faults", "LIST",
               "none (default), all, or a comma list of alloc, prepare-ats, "
               "enable-ats, config-write, cmd-sync, atc-timeout.",
               &faults);
  }
};

absl::Status CheckFlags(const CoverageFlags& flags) {
  if (flags.output.empty()) {
    return absl::InvalidArgumentError(
        "coverage needs --output=DIR, the folder of its report");
  }
  if (flags.jobs < 1 || flags.jobs > 256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jobs=", flags.jobs, ": expected 1 to 256"));
  }
  if (!absl::StartsWith(flags.driver.driver, kLinux)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--driver=", flags.driver.driver,
        ": coverage is of a kernel's sources; expected linux:VERSION or "
        "linux:/path/to/tree"));
  }
  return CheckDriver(flags.driver);
}

absl::StatusOr<std::vector<model::Scenario>> ReadScenarios(
    const std::vector<std::string>& files) {
  std::vector<model::Scenario> scenarios;
  for (const std::string& file : files) {
    auto scenario = model::ReadScenario(file);
    if (!scenario.ok()) return scenario.status();
    scenario->expectations.clear();
    scenarios.push_back(*std::move(scenario));
  }
  if (!files.empty()) return scenarios;
  for (const char* folder : {"/corpus/seeds", "/corpus/model"}) {
    auto corpus = ReadCorpus(absl::StrCat(ATSFUZZ_SOURCE_DIR, folder));
    if (!corpus.ok()) return corpus.status();
    for (model::Scenario& scenario : *corpus) {
      scenarios.push_back(std::move(scenario));
    }
  }
  return scenarios;
}

// Everything that can be wrong with the input, before anything is built.
absl::StatusOr<fuzz::CampaignOptions> OptionsFor(
    const CoverageFlags& flags, const std::vector<std::string>& files) {
  absl::Status status = CheckFlags(flags);
  if (!status.ok()) return status;
  const auto faults = ParseFaults(flags.faults);
  if (!faults.ok()) return faults.status();
  auto scenarios = ReadScenarios(files);
  if (!scenarios.ok()) return scenarios.status();
  fuzz::CampaignOptions options;
  options.generate.faults = *faults;
  options.corpus = *std::move(scenarios);
  options.seed = flags.seed;
  options.runs = flags.runs;
  if (flags.seconds || !flags.runs) {
    options.seconds = static_cast<double>(flags.seconds.value_or(60));
  }
  options.jobs = static_cast<int>(flags.jobs);
  options.keep_going = true;
  options.interrupted = Interrupted;
  return options;
}

// Leaves out what this kernel cannot run; the files are run beside the budget.
absl::Status KeepWhatFits(const std::string& module, const std::string& name,
                          fuzz::CampaignOptions* options) {
  const auto system = linux_driver::LoadModule(module, name);
  if (!system.ok()) return system.status();
  options->generate.capabilities = (*system)->capabilities();
  std::erase_if(options->corpus, [&](const model::Scenario& scenario) {
    return !Fits(options->generate.capabilities, name, scenario.topology).ok();
  });
  if (options->runs) *options->runs += options->corpus.size();
  return absl::OkStatus();
}

absl::Status WriteReport(const std::string& folder, const std::string& text,
                         const linux_driver::CoverageReport& report) {
  const auto write = [&](const char* name, const std::string& contents) {
    return fuzz::WriteWhole(absl::StrCat(folder, "/", name), contents);
  };
  absl::Status status = write("index.html", report.html);
  if (status.ok()) status = write("coverage.lcov", report.lcov);
  if (status.ok()) status = write("uncovered.txt", text);
  return status;
}

// A folder inside the report's for the profiles, removed at the end.
class ProfileFolder {
 public:
  explicit ProfileFolder(const std::string& output)
      : path_(output + "/profiles-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~ProfileFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  ProfileFolder(const ProfileFolder&) = delete;
  ProfileFolder& operator=(const ProfileFolder&) = delete;

  // Empty if it could not be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void Tell(const std::string& line) {
  fprintf(stderr, "atsfuzz: %s\n", line.c_str());
}

absl::Status Measure(const CoverageFlags& flags,
                     fuzz::CampaignOptions* options) {
  const auto tree =
      linux_driver::ObtainTree(flags.driver.driver.substr(sizeof(kLinux) - 1),
                               flags.driver.patches, Tell);
  if (!tree.ok()) return tree.status();
  const auto module =
      linux_driver::BuildModule(*tree, linux_driver::BuildKind::kCovered, Tell);
  // A tree that does not compile is not the user's typing error.
  if (!module.ok()) return absl::UnavailableError(module.status().message());

  const ProfileFolder profiles(flags.output);
  if (profiles.path().empty()) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a folder in ", flags.output));
  }
  setenv(linux_driver::kProfileVariable,
         linux_driver::ProfilePattern(profiles.path()).c_str(), 1);
  absl::Status status = KeepWhatFits(*module, tree->name, options);
  if (!status.ok()) return status;
  options->plain = [&] {
    return linux_driver::LoadModule(*module, tree->name);
  };
  options->instrumented = options->plain;
  const auto result = fuzz::RunCampaign(*options);
  if (!result.ok()) return result.status();
  const auto report =
      linux_driver::ReadCoverage(*module, profiles.path(), tree->path);
  if (!report.ok()) return report.status();
  const std::string text = absl::StrCat(
      absl::StrFormat("%s (%s)  seed %d  faults %s  %s runs  %s operations\n\n",
                      tree->name, tree->version, flags.seed, flags.faults,
                      Count(result->runs), Count(result->operations)),
      linux_driver::CoverageText(report->functions));
  status = WriteReport(flags.output, text, *report);
  if (status.ok()) fputs(text.c_str(), stdout);
  return status;
}

}  // namespace

int Coverage(const std::vector<std::string>& arguments) {
  Flags flags("coverage --output=DIR [FLAGS] [FILE...]", kAbout, kExamples);
  CoverageFlags values;
  values.AddTo(&flags);
  const auto files = flags.Parse(arguments);
  if (!files.ok()) return Fail(files.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  auto options = OptionsFor(values, *files);
  if (!options.ok()) return Fail(options.status());
  absl::Status status = linux_driver::CheckCoverageTools();
  if (status.ok()) status = fuzz::PrepareFolder(values.output);
  if (!status.ok()) return Fail(status);
  CatchInterrupts();
  status = Measure(values, &*options);
  return status.ok() ? kClean : Fail(status);
}

}  // namespace atsfuzz::cli
