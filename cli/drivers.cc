#include <stdio.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "linux/tree.h"

namespace atsfuzz::cli {

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
  return kClean;
}

}  // namespace atsfuzz::cli
