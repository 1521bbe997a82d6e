#ifndef ATSFUZZ_NIGHTLY_TAKE_IN_H_
#define ATSFUZZ_NIGHTLY_TAKE_IN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Between what other engines and other machines keep, and scenarios.
namespace atsfuzz::nightly {

// The inputs of a folder, in order of their paths: of an AFL++ output folder (a
// shared one with several instances, or one instance's) what its queues,
// crashes and hangs hold; of any other the files in it. A folder that is not
// there has none.
std::vector<std::string> InputsOf(const std::string& folder);

// Writes each input as a scenario, INTO/<hash>.ats; a file of that name stays.
// An input is bytes, or a scenario's text if its name ends in .ats. Those that
// cannot be read are left out. Returns how many there are.
absl::StatusOr<size_t> WriteAsScenarios(const std::vector<std::string>& inputs,
                                        const std::string& into);

// Writes each scenario of a folder as bytes, INTO/<its name without .ats>.
absl::Status WriteAsBytes(const std::string& folder, const std::string& into);

// Copies the scenarios of the folder `from` that are not in `to` yet.
absl::Status AddScenarios(const std::string& from, const std::string& to);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_TAKE_IN_H_
