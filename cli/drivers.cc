#include <stdio.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "linux/tree.h"
#include "model/machine/design.h"

namespace atsfuzz::cli {
namespace {

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

}  // namespace

int Drivers(const std::vector<std::string>& arguments) {
  Flags flags("drivers", "Lists the drivers that can be tested.",
              "  atsfuzz drivers\n");
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
  for (const linux_driver::KnownVersion& known :
       linux_driver::KnownVersions()) {
    absl::PrintF("%-22s %-24s %s\n", "linux:" + known.version, known.package,
                 known.cached ? "cached" : "fetched on first use");
  }
  absl::PrintF("%-22s %-24s %s\n", "linux:/path/to/tree", "your own tree",
               "with --patch=FILE on a copy");
  ListModels();
  return kClean;
}

}  // namespace atsfuzz::cli
