#include "cli/faults_flag.h"

#include "absl/strings/str_cat.h"
#include "fuzz/faults.h"

namespace atsfuzz::cli {

absl::StatusOr<uint8_t> ParseFaults(const std::string& text) {
  const auto classes = fuzz::ParseFaultClasses(text);
  if (classes.ok()) return classes;
  return absl::InvalidArgumentError(
      absl::StrCat("--faults=", text, ": ", classes.status().message()));
}

}  // namespace atsfuzz::cli
