#ifndef ATSFUZZ_CLI_DIFFERENCE_TEXT_H_
#define ATSFUZZ_CLI_DIFFERENCE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fuzz/compare.h"
#include "report/json.h"

namespace atsfuzz::cli {

// A difference for people, to be pasted into a mail: what differs, in which
// scenario, what each side shows and where that came from. `again` is the
// command line that repeats it.
std::string DifferenceText(const fuzz::FoundDifference& found,
                           absl::string_view left, absl::string_view right,
                           absl::string_view again);

// `path`: where its scenario is.
report::Json DifferenceJson(const fuzz::FoundDifference& found,
                            const std::string& path);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_DIFFERENCE_TEXT_H_
