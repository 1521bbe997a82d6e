#include "cli/campaign_flags.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/faults_flag.h"
#include "cli/interrupt.h"
#include "fuzz/findings.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

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

void CampaignFlags::AddTo(Flags* flags, const char* default_faults,
                          const char* seconds_help, const char* runs_help) {
  faults = default_faults;
  driver.AddTo(flags);
  flags->Add("topology", "FILE",
             "A scenario whose machine is used; without it machines are "
             "generated.",
             &topology);
  flags->Add("seconds", "N", seconds_help, &seconds);
  flags->Add("runs", "N", runs_help, &runs);
  flags->Add("seed", "N", "Same seed, same runs (default 1).", &seed);
  flags->Add("jobs", "N", "Worker processes (default 2); changes no result.",
             &jobs);
  flags->Add(
      "faults", "LIST",
      faults == "none"
          ? "none (default), all, or a comma list of alloc, "
            "prepare-ats, enable-ats, config-write, cmd-sync, atc-timeout."
          : "all (default), or a comma list of alloc, prepare-ats, "
            "enable-ats, config-write, cmd-sync, atc-timeout.",
      &faults);
  flags->Add("findings", "DIR",
             "Where findings are written (default findings).", &findings);
  flags->Add("known", "FILE",
             "Findings already understood, counted but no end of the run, "
             "beside those of corpus/known/; repeatable.",
             &known);
  flags->Add("seen", "FILE",
             "Signatures, one a line, of findings that are kept elsewhere: "
             "they are told in one line, and not shrunk again.",
             &seen);
  flags->Add("keep-going", "Goes on after a finding.", &keep_going);
  format.AddTo(flags, {Format::kText, Format::kJson, Format::kSarif});
}

absl::StatusOr<fuzz::CampaignOptions> CampaignOptionsFor(
    const CampaignFlags& flags) {
  if (flags.jobs < 1 || flags.jobs > 256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jobs=", flags.jobs, ": expected 1 to 256"));
  }
  absl::Status status = flags.format.Check();
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
  const auto known = ReadKnown(flags.known);
  if (!known.ok()) return known.status();
  for (const fuzz::Known& more : *known) options.known.Add(more);
  if (!flags.seen.empty()) {
    std::ifstream file(flags.seen);
    if (!file) {
      return absl::NotFoundError(
          absl::StrCat("--seen=", flags.seen, ": there is no such file"));
    }
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) options.seen.insert(line);
    }
  }
  status = fuzz::PrepareFolder(flags.findings);
  if (!status.ok()) return status;
  options.seed = flags.seed;
  options.jobs = static_cast<int>(flags.jobs);
  options.keep_going = flags.keep_going;
  options.interrupted = Interrupted;
  return options;
}

absl::StatusOr<Driver> ObtainDriverFor(const CampaignFlags& flags,
                                       fuzz::CampaignOptions* options) {
  auto driver = ObtainDriver(flags.driver, {.plain = true});
  if (!driver.ok()) return driver;
  auto known = KnownFor(*driver);
  if (!known.ok()) return known.status();
  known->Add(options->known);
  options->known = *std::move(known);
  options->generate.capabilities = driver->capabilities;
  options->generate.capabilities.weak_memory = flags.driver.weak_memory;
  options->generate.capabilities.plain_stops = flags.driver.plain_stops;
  if (options->generate.topology) {
    const absl::Status fits =
        Fits(driver->capabilities, driver->name, *options->generate.topology);
    if (!fits.ok()) return absl::InvalidArgumentError(fits.message());
  }
  options->plain = driver->Plain();
  options->instrumented = driver->Instrumented();
  options->sanitized = driver->SanitizedCommand();
  return driver;
}

}  // namespace atsfuzz::cli
