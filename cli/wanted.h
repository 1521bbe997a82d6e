#ifndef ATSFUZZ_CLI_WANTED_H_
#define ATSFUZZ_CLI_WANTED_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/scenario.h"
#include "properties/violation.h"

namespace atsfuzz::cli {

// Of the violations that a file shows on a driver, in order of appearance, the
// one that a command for a single violation is about: that of the file's first
// `expect violation` line about the driver, or, without such a line, the first.
// NotFound, as the end of a sentence "FILE: on DRIVER ...": none is shown, or
// not what is expected. `to` says what for: "to keep while shrinking".
absl::StatusOr<size_t> WantedViolation(
    const model::Scenario& scenario, absl::string_view driver,
    const std::vector<properties::Invariant>& shown, absl::string_view to);

// The same where a flag names the invariant. InvalidArgument if that is no name
// of one.
absl::StatusOr<size_t> NamedViolation(
    absl::string_view name, const std::vector<properties::Invariant>& shown);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_WANTED_H_
