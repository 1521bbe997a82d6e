#include <stdio.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/manual_page.h"
#include "linux/subprocess.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Prints the manual page, of all commands, for man(1).";

constexpr char kExamples[] =
    "  atsfuzz manual | man -l -\n"
    "  atsfuzz manual > ~/.local/share/man/man1/atsfuzz.1\n";

HelpText HelpOf(const std::vector<std::string>& arguments,
                absl::Status* status) {
  std::vector<std::string> argv = {"/proc/self/exe"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.emplace_back("--help");
  const auto result = linux_driver::Run({.argv = argv, .folder = ""});
  if (!result.ok()) {
    *status = result.status();
    return {};
  }
  return ParseHelp(result->output);
}

}  // namespace

int Manual(const std::vector<std::string>& arguments) {
  Flags flags("manual", kAbout, kExamples);
  const auto rest = flags.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (!rest->empty()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("manual takes no arguments, found ", rest->front())));
  }
  absl::Status status;
  const HelpText program = HelpOf({}, &status);
  std::vector<std::pair<std::string, HelpText>> commands;
  for (const auto& [name, summary] : program.items) {
    commands.emplace_back(name, HelpOf({name}, &status));
  }
  if (!status.ok()) return Fail(status);
  fputs(ManualPage(program, commands).c_str(), stdout);
  return kClean;
}

}  // namespace atsfuzz::cli
