#include <stdio.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/campaign_flags.h"
#include "cli/campaign_report.h"
#include "cli/command.h"
#include "cli/corpus.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "fuzz/campaign.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Runs random scenarios on a driver and checks every one. A violation is\n"
    "shrunk, confirmed under sanitizers, written to the findings folder and\n"
    "explained. Ends after the first new finding unless --keep-going. Each\n"
    "finding's folder has scenario.ats, trace.txt and finding.json, and of "
    "its\n"
    "run a sequence diagram (sequence.mmd, Mermaid) and a trace that Perfetto\n"
    "opens (trace.json).";

constexpr char kExamples[] =
    "  atsfuzz fuzz                                  # Debian's Linux 6.12\n"
    "  atsfuzz fuzz --driver=linux:$HOME/src/linux   # a working tree\n"
    "  atsfuzz fuzz --patch=fix.patch --seed=7       # with a patch on top\n"
    "  atsfuzz fuzz --faults=all --keep-going --seconds=600\n"
    "  atsfuzz fuzz --topology=corpus/seeds/shared-domain.ats --json\n"
    "  atsfuzz fuzz --format=sarif --output=findings.sarif\n";

struct FuzzFlags {
  CampaignFlags campaign;
  std::string corpus;
  uint64_t threads = 1, depth = 3, preemptions = 1;
  std::string strategy = "mixed";

  void AddTo(Flags* flags) {
    campaign.AddTo(
        flags, "none",
        "How long to fuzz (default 60, without limit if --runs is given).",
        "At most that many scenarios.");
    flags->Add("threads", "N",
               "Scenarios of up to N threads side by side, 1 to 4 (default 1).",
               &threads);
    flags->Add("strategy", "NAME",
               "How threads take turns: random, pct (few, random priorities), "
               "pos (partial order sampling), bytes (drawn and mutated with "
               "the scenario), bounded (all schedules with few preemptions, "
               "one after another), mixed (default).",
               &strategy);
    flags->Add("depth", "N",
               "pct: ordered steps that a bug needs, 1 to 8 (default 3).",
               &depth);
    flags->Add("preemptions", "N",
               "bounded: at most N, 0 to 8 (default 1). From 2 on, of a linux: "
               "driver schedules are left out that are equal to others.",
               &preemptions);
    flags->Add("weak-memory",
               "Turns may be weak ones: what a thread stores, others see when "
               "a barrier says so; on a linux: driver, much slower, and "
               "without sanitizers.",
               &campaign.driver.weak_memory);
    flags->Add("plain-stops",
               "Turns may end before plain accesses, too, which are no steps; "
               "on a linux: driver, much slower, and without sanitizers.",
               &campaign.driver.plain_stops);
    flags->Add("corpus", "DIR",
               "Scenarios to start from; new coverage is added to it.",
               &corpus);
  }
};

// Everything that can be wrong with the input, before anything is built.
absl::StatusOr<fuzz::CampaignOptions> OptionsFor(const FuzzFlags& flags) {
  if (flags.threads < 1 || flags.threads > ATSFUZZ_MAX_THREADS) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--threads=", flags.threads, ": expected 1 to ", ATSFUZZ_MAX_THREADS));
  }
  if (flags.depth < 1 || flags.depth > 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("--depth=", flags.depth, ": expected 1 to 8"));
  }
  if (flags.preemptions > 8) {
    return absl::InvalidArgumentError(
        absl::StrCat("--preemptions=", flags.preemptions, ": expected 0 to 8"));
  }
  const auto strategy = fuzz::ParseStrategy(flags.strategy);
  if (!strategy.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--strategy: ", strategy.status().message()));
  }
  auto options = CampaignOptionsFor(flags.campaign);
  if (!options.ok()) return options;
  options->generate.threads = static_cast<int>(flags.threads);
  options->strategy = {*strategy, static_cast<int>(flags.depth),
                       static_cast<int>(flags.preemptions),
                       flags.campaign.driver.weak_memory,
                       flags.campaign.driver.plain_stops};
  if (!flags.corpus.empty()) {
    auto corpus = ReadCorpus(flags.corpus);
    if (!corpus.ok()) return corpus.status();
    options->corpus = *std::move(corpus);
  }
  options->runs = flags.campaign.runs;
  if (flags.campaign.seconds || !flags.campaign.runs) {
    options->seconds = static_cast<double>(flags.campaign.seconds.value_or(60));
  }
  return options;
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
  values.campaign.driver.footprints =
      fuzz::ReductionPays(options->strategy) && values.threads > 1;
  const auto driver = ObtainDriverFor(values.campaign, &*options);
  if (!driver.ok()) return Fail(driver.status());
  CatchInterrupts();
  const auto result = RunCampaignFor(values.campaign, *driver, *options);
  if (!result.ok()) return Fail(result.status());
  if (!values.corpus.empty()) {
    const absl::Status added = AddToCorpus(values.corpus, result->additions);
    if (!added.ok()) return Fail(added);
  }
  return ReportCampaign(values.campaign, *driver, *result);
}

}  // namespace atsfuzz::cli
