#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "fuzz/findings.h"
#include "nightly/night.h"
#include "nightly/output.h"
#include "nightly/summary.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "A night's work from a timer: replays the findings of the nights before,\n"
    "searches with each engine on each driver in turn, distils the corpora, "
    "and\n"
    "prints a page about it, which stays in DIR/summary.txt. DIR keeps all "
    "that\n"
    "was learned; a night may be killed at any moment.\n"
    "\n"
    "What it does stands in DIR/campaign.toml, which is written if it is not\n"
    "there:\n"
    "  seconds = 28800          # of the whole night\n"
    "  slice-seconds = 120      # of an engine on a driver, before the next's\n"
    "  jobs = 2                 # processes that work at a time\n"
    "  memory-megabytes = 8192  # of an engine with all its processes\n"
    "  corpus-megabytes = 64    # of one driver\n"
    "  history-nights = 400     # kept in detail; findings are kept for ever\n"
    "  machine = 0              # one number a machine: no two search alike\n"
    "  [[driver]]\n"
    "  name = \"linux:6.12\"      # as --driver takes it\n"
    "  patches = [\"a.patch\"]    # on top of it\n"
    "  engines = [\"mixed\", \"libfuzzer\"]  # or random, pct, pos, bytes,\n"
    "                           # bounded, weak-memory, plain-stops\n"
    "  faults = \"all\"           # as --faults takes it\n"
    "  threads = 3\n"
    "  take-in = [\"/srv/afl\"]   # what AFL++ and others found\n"
    "\n"
    "Exit status: 0 nothing new, 1 a finding is new or regressed, 2 bad "
    "usage,\n"
    "3 something could not be run.";

constexpr char kExamples[] =
    "  atsfuzz nightly --state=/var/lib/atsfuzz\n"
    "  atsfuzz nightly --state=state --seconds=600   # a short one\n";

struct NightlyFlags {
  std::string state, campaign;
  std::optional<uint64_t> seconds;
};

// The file's text; of DIR/campaign.toml, the default, if there is none.
absl::StatusOr<std::string> SettingsText(const std::string& path,
                                         bool is_default) {
  if (std::filesystem::exists(path)) return nightly::ContentsOf(path);
  if (!is_default) {
    return absl::NotFoundError(
        absl::StrCat("--campaign=", path, ": there is no such file"));
  }
  const std::string text = nightly::DefaultSettings();
  const absl::Status written = fuzz::WriteWhole(path, text);
  if (!written.ok()) return written;
  fprintf(stderr, "atsfuzz: wrote %s; change it as you like\n", path.c_str());
  return text;
}

std::string Environment(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

void Say(const std::string& line) {
  fprintf(stderr, "atsfuzz: %s\n", line.c_str());
}

int RunNightly(const NightlyFlags& flags) {
  const auto folder = nightly::StateFolder::Lock(flags.state);
  if (!folder.ok()) return Fail(folder.status());
  const bool is_default = flags.campaign.empty();
  const std::string path = is_default ? folder->Settings() : flags.campaign;
  nightly::NightOptions options;
  const auto text = SettingsText(path, is_default);
  if (!text.ok()) return Fail(text.status());
  options.settings_text = *text;
  auto settings = nightly::ParseSettings(*text, path);
  if (!settings.ok()) return Fail(settings.status());
  options.settings = *std::move(settings);
  if (flags.seconds) {
    options.settings.seconds = static_cast<double>(*flags.seconds);
  }
  std::error_code error;
  options.programs.atsfuzz =
      std::filesystem::read_symlink("/proc/self/exe", error).string();
  options.programs.libfuzzer = Environment("ATSFUZZ_LIBFUZZER_PROGRAM");
  options.programs.interrupted = Interrupted;
  if (isatty(STDERR_FILENO)) options.say = Say;
  auto history = nightly::History::Open(folder->History());
  if (!history.ok()) return Fail(history.status());
  CatchInterrupts();
  const auto night = nightly::RunNight(*folder, **history, options);
  if (!night.ok()) {
    return Fail(absl::UnavailableError(
        absl::StrCat(night.status().message(),
                     "; what was recorded before is kept, and the next night "
                     "goes on from it")));
  }
  const auto summary = nightly::SummaryOf(**history, night->number,
                                          night->troubles, flags.state);
  if (!summary.ok()) return Fail(summary.status());
  fputs(summary->text.c_str(), stdout);
  const absl::Status written =
      fuzz::WriteWhole(folder->Summary(), summary->text);
  if (!written.ok()) return Fail(written);
  if (summary->alarms != 0) return kViolation;
  return night->troubles.empty() ? kClean : kCannotRun;
}

}  // namespace

int Nightly(const std::vector<std::string>& arguments) {
  Flags flags("nightly --state=DIR [FLAGS]", kAbout, kExamples);
  NightlyFlags values;
  flags.Add("state", "DIR", "What nights share; made if it is missing.",
            &values.state);
  flags.Add("campaign", "FILE",
            "What to do, instead of what DIR/campaign.toml says.",
            &values.campaign);
  flags.Add("seconds", "N", "How long, instead of what that file says.",
            &values.seconds);
  const auto rest = flags.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (!rest->empty()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("nightly takes flags only; found ", rest->front())));
  }
  if (values.state.empty()) {
    return Fail(absl::InvalidArgumentError(
        "nightly needs --state=DIR, the folder that nights share"));
  }
  if (values.seconds && *values.seconds == 0) {
    return Fail(absl::InvalidArgumentError("--seconds=0: expected 1 at least"));
  }
  return RunNightly(values);
}

}  // namespace atsfuzz::cli
