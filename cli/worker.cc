#include <signal.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/command.h"
#include "fuzz/sanitized.h"
#include "linux/system.h"

namespace atsfuzz::cli {

int Worker(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    return Fail(absl::InvalidArgumentError("worker needs a module's path"));
  }
  // The terminal's Ctrl-C is for the campaign; this ends with its input.
  signal(SIGINT, SIG_IGN);
  fuzz::ServeSanitized(
      [&] { return linux_driver::LoadModule(arguments[0], "sanitized"); },
      std::cin, std::cout);
  return kClean;
}

}  // namespace atsfuzz::cli
