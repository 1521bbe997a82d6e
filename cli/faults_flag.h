#ifndef ATSFUZZ_CLI_FAULTS_FLAG_H_
#define ATSFUZZ_CLI_FAULTS_FLAG_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace atsfuzz::cli {

// The set of FaultClass that `--faults=` names: "none", "all" or a comma list.
// InvalidArgument with what was found and what was expected.
absl::StatusOr<uint8_t> ParseFaults(const std::string& text);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_FAULTS_FLAG_H_
