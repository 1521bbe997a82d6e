#include <stdio.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/flags.h"

namespace atsfuzz::cli {
namespace {

constexpr std::array<Command, 14> kCommands = {{
    {"fuzz", "looks for bugs, and shrinks what it finds", Fuzz},
    {"sweep", "places every fault that scenarios could meet, one at a time",
     Sweep},
    {"replay", "runs scenarios, and shows what happens in them", Replay},
    {"shrink", "makes a scenario that shows a violation smaller", Shrink},
    {"reproduce", "makes a reproducer for the kernel's side of a violation",
     Reproduce},
    {"compare", "runs scenarios on two drivers, and shows where they differ",
     Compare},
    {"design", "tells which fixes of the attach protocol suffice", Design},
    {"coverage", "tells which lines of the driver the scenarios reach",
     Coverage},
    {"distil", "removes from a corpus what covers nothing new", Distil},
    {"nightly", "a night's work from a timer, over several drivers", Nightly},
    {"report", "writes what the nights found as pages", Report},
    {"drivers", "lists the drivers that can be tested", Drivers},
    {"manual", "prints the manual page", Manual},
    {"completion", "prints what a shell needs to complete words", Completion},
}};

constexpr std::array<const char*, 2> kPlanned = {"explore", "mutants"};

std::string Help() {
  std::string text =
      "usage: atsfuzz COMMAND [FLAGS]\n\n"
      "Finds, minimizes and explains bugs in how Linux's SMMUv3 driver tracks "
      "PCIe ATS.\n\ncommands:\n";
  for (const Command& command : kCommands) {
    absl::StrAppendFormat(&text, "  %-10s %s\n", command.name, command.summary);
  }
  return absl::StrCat(text,
                      "\n`atsfuzz COMMAND --help` tells its flags, with "
                      "examples.\n"
                      "Exit status: 0 no violation, 1 violation found, 2 bad "
                      "usage or bad input, 3 cannot run.\n");
}

int Unknown(const std::string& name) {
  if (std::find(kPlanned.begin(), kPlanned.end(), name) != kPlanned.end()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "unknown command ", name,
        ": it is planned for a later version; `atsfuzz --help` lists what "
        "there is")));
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string near = Nearest(name, names);
  return Fail(absl::InvalidArgumentError(absl::StrCat(
      "unknown command ", name, near.empty() ? "" : "; did you mean ", near,
      near.empty() ? "; `atsfuzz --help` lists what there is" : "?")));
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    fputs(Help().c_str(), stderr);
    return kUsage;
  }
  const std::string& name = arguments[0];
  if (name == "--help" || name == "-h" || name == "help") {
    fputs(Help().c_str(), stdout);
    return kClean;
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "worker") return Worker(rest);
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(rest);
  }
  return Unknown(name);
}

}  // namespace

int Fail(const absl::Status& status) {
  fprintf(stderr, "atsfuzz: %s\n", std::string(status.message()).c_str());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
      return kUsage;
    default:
      return kCannotRun;
  }
}

}  // namespace atsfuzz::cli

int main(int argc, char** argv) {
  return atsfuzz::cli::Main(std::vector<std::string>(argv + 1, argv + argc));
}
