#ifndef ATSFUZZ_NIGHTLY_PAGES_H_
#define ATSFUZZ_NIGHTLY_PAGES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nightly/history.h"
#include "report/html.h"

// What the history holds, as pages.
namespace atsfuzz::nightly {

// As of the last night. Findings in the order of FindingState, then by driver
// and signature. `state`: the folder, for the commands that pages name.
absl::StatusOr<report::IndexView> ViewOf(History& history,
                                         const std::string& state);

// Writes OUTPUT/index.html, and a page for each finding below
// OUTPUT/findings/. Pages of findings that are no more are removed.
absl::Status WritePages(const report::IndexView& view,
                        const std::string& output);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_PAGES_H_
