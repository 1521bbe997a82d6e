#include "cli/faults_flag.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/flags.h"
#include "model/operation.h"

namespace atsfuzz::cli {

absl::StatusOr<uint8_t> ParseFaults(const std::string& text) {
  if (text == "none") return 0;
  if (text == "all") return model::kAllFaults;
  std::vector<std::string> names = {"none", "all"};
  for (int i = 0; i < model::kFaultClasses; ++i) {
    names.emplace_back(
        model::FaultClassName(static_cast<model::FaultClass>(1 << i)));
  }
  uint8_t classes = 0;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(text, ','))) {
    uint8_t found = 0;
    for (int i = 0; i < model::kFaultClasses; ++i) {
      if (name == names[static_cast<size_t>(i) + 2]) found = 1u << i;
    }
    if (found == 0) {
      const std::string near = Nearest(name, names);
      return absl::InvalidArgumentError(absl::StrCat(
          "--faults=", text, ": found `", name,
          "`, expected none, all or a "
          "list of alloc, prepare-ats, enable-ats, config-write, cmd-sync, "
          "atc-timeout",
          near.empty() ? "" : absl::StrCat("; did you mean ", near, "?")));
    }
    classes |= found;
  }
  return classes;
}

}  // namespace atsfuzz::cli
