#include <stdio.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/driver.h"
#include "cli/flags.h"
#include "linux/build.h"
#include "linux/tree.h"
#include "model/machine/design.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Lists the drivers that can be tested, or says where the module of one is\n"
    "(linux/module.h), for a program that loads it.";

constexpr char kExamples[] =
    "  atsfuzz drivers\n"
    "  atsfuzz drivers --driver=linux:7.3 --module=plain\n";

// Presets, then the switches with which a design differs from one.
void ListModels() {
  for (absl::string_view preset : machine::Presets()) {
    absl::PrintF("%-22s %s\n", absl::StrCat("model:", preset),
                 "the abstract machine");
  }
  absl::PrintF(
      "\nswitches of the abstract machine, as in "
      "model:7.2,vf-stu-check=off:\n");
  for (const machine::Switch& choice : machine::Switches()) {
    absl::PrintF("  %-28s %s\n  %-28s   %s\n", choice.name, choice.meaning, "",
                 absl::StrJoin(choice.values, " | "));
  }
}

// The builds of a driver that a program of one's own may load.
constexpr std::array kBuilds = {linux_driver::BuildKind::kPlain,
                                linux_driver::BuildKind::kInstrumented,
                                linux_driver::BuildKind::kSanitized};

struct ModuleFlags {
  std::string driver, build;
  std::vector<std::string> patches;
};

int PrintModule(const ModuleFlags& flags) {
  const auto kind = std::find_if(
      kBuilds.begin(), kBuilds.end(),
      [&](auto build) { return flags.build == BuildKindName(build); });
  if (kind == kBuilds.end()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--module=", flags.build,
                     ": expected plain, instrumented or sanitized")));
  }
  const std::string driver =
      flags.driver.empty() ? DriverFlags().driver : flags.driver;
  const auto module = ModuleOf(driver, flags.patches, *kind);
  if (!module.ok()) return Fail(module.status());
  absl::PrintF("%s\n", *module);
  return kClean;
}

void ListDrivers() {
  for (const linux_driver::KnownVersion& known :
       linux_driver::KnownVersions()) {
    absl::PrintF("%-22s %-24s %s\n", "linux:" + known.version, known.package,
                 known.cached ? "cached" : "fetched on first use");
  }
  absl::PrintF("%-22s %-24s %s\n", "linux:/path/to/tree", "your own tree",
               "with --patch=FILE on a copy");
  ListModels();
}

}  // namespace

int Drivers(const std::vector<std::string>& arguments) {
  Flags flags("drivers [FLAGS]", kAbout, kExamples);
  ModuleFlags values;
  flags.Add("module", "BUILD",
            "Prints the path of a driver's module instead, of this build: "
            "plain, instrumented or sanitized. Compiles it if it is not there.",
            &values.build);
  flags.Add("driver", "DRIVER",
            "With --module: linux:VERSION or linux:/path/to/tree (default "
            "linux:6.12).",
            &values.driver);
  flags.Add("patch", "FILE",
            "With --module: applied to a copy of the tree; may be given "
            "several times.",
            &values.patches);
  const auto rest = flags.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (!rest->empty()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("drivers takes no argument; found ", rest->front())));
  }
  if (!values.build.empty()) return PrintModule(values);
  if (!values.driver.empty() || !values.patches.empty()) {
    return Fail(absl::InvalidArgumentError(
        "--driver and --patch say whose module is wanted; --module=BUILD says "
        "which"));
  }
  ListDrivers();
  return kClean;
}

}  // namespace atsfuzz::cli
