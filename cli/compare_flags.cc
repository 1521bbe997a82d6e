#include "cli/compare_flags.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::cli {

void CompareFlags::AddTo(Flags* flags) {
  flags->Add("driver", "DRIVER",
             "Two of them: linux:VERSION, linux:/path/to/tree or "
             "model:DESIGN. One kernel with --patch: without and with it.",
             &drivers);
  flags->Add("patch", "FILE",
             "Applied to a copy of the last linux: tree; may be given "
             "several times.",
             &patches);
  flags->Add("by", "WHAT",
             "verdicts: which invariants hold; steps: all that can be "
             "observed. Default: verdicts for two kernels, else steps.",
             &by);
  flags->Add("topology", "FILE",
             "A scenario whose machine is used; without it machines are "
             "generated.",
             &topology);
  flags->Add("seconds", "N",
             "How long to generate scenarios (default 60, without limit if "
             "--runs is given; with FILEs none are generated unless one of "
             "the two is).",
             &seconds);
  flags->Add("runs", "N", "At most that many generated scenarios.", &runs);
  flags->Add("operations", "N", "The longest generated scenario (default 32).",
             &operations);
  flags->Add("seed", "N", "Same seed, same runs (default 1).", &seed);
  flags->Add("faults", "LIST",
             "all (default), none, or a comma list of alloc, prepare-ats, "
             "enable-ats, config-write, cmd-sync, atc-timeout.",
             &faults);
  flags->Add("output", "DIR",
             "Where differences are written (default differences).", &output);
  flags->Add("keep-going", "Goes on after a difference, for others.",
             &keep_going);
  flags->Add("jobs", "N",
             "Worker processes (default 2; by steps there is one).", &jobs);
  flags->Add("json", "Prints one JSON object.", &json);
}

absl::Status CompareFlags::Complete() {
  const auto is_kernel = [](const std::string& driver) {
    return absl::StartsWith(driver, "linux:");
  };
  if (drivers.size() == 1 && !patches.empty() && is_kernel(drivers[0])) {
    drivers.push_back(drivers[0]);
  }
  if (drivers.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("compare needs --driver twice, found ", drivers.size(),
                     "; `atsfuzz compare --help` has examples"));
  }
  if (by.empty()) {
    const bool kernels = is_kernel(drivers[0]) && is_kernel(drivers[1]);
    by = kernels ? "verdicts" : "steps";
  }
  if (by != "verdicts" && by != "steps") {
    return absl::InvalidArgumentError(
        absl::StrCat("--by=", by, ": expected verdicts or steps"));
  }
  if (operations < 1 || operations > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("--operations=", operations, ": expected 1 to 1024"));
  }
  if (jobs < 1 || jobs > 256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--jobs=", jobs, ": expected 1 to 256"));
  }
  return absl::OkStatus();
}

std::string CompareFlags::CommandLine(const std::string& path) const {
  std::string text = "./atsfuzz compare";
  for (const std::string& driver : drivers) {
    absl::StrAppend(&text, " --driver=", driver);
  }
  for (const std::string& patch : patches) {
    absl::StrAppend(&text, " --patch=", patch);
  }
  // Said even where it is the default: whoever repeats it sees what was asked.
  return absl::StrCat(text, " --by=", by, " ", path);
}

}  // namespace atsfuzz::cli
