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

// Writes OUTPUT/index.html, OUTPUT/findings.sarif, and below OUTPUT/findings/
// for each finding a page, and beside it its run as a diagram and as a trace.
// Those of findings that are no more are removed. `state`: as above.
absl::Status WritePages(const report::IndexView& view, const std::string& state,
                        const std::string& output);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_PAGES_H_
