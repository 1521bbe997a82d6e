#ifndef ATSFUZZ_CLI_MANUAL_PAGE_H_
#define ATSFUZZ_CLI_MANUAL_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

// The manual page, made of what `--help` says: it can tell nothing else.
namespace atsfuzz::cli {

// A help text (Flags::Help, or the program's own) in its parts.
struct HelpText {
  std::string usage;  // behind "usage: "
  std::string about;
  // "--seed=N" or "fuzz", and what is said of it.
  std::vector<std::pair<std::string, std::string>> items;
  std::string examples;  // lines, indented as they stand
  std::string rest;      // what follows the items where there are no examples
};
HelpText ParseHelp(absl::string_view text);

// A page for man(1), section 1, in man(7)'s macros. `commands`: names and their
// help, in order.
std::string ManualPage(
    const HelpText& program,
    const std::vector<std::pair<std::string, HelpText>>& commands);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_MANUAL_PAGE_H_
