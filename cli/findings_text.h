#ifndef ATSFUZZ_CLI_FINDINGS_TEXT_H_
#define ATSFUZZ_CLI_FINDINGS_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "fuzz/findings.h"
#include "report/json.h"

namespace atsfuzz::cli {

// A finding for people: what is wrong, what it needs, how small it got.
std::string HeadText(const fuzz::Finding& finding);

// How to see it: the machine, the trace and `replay`, a command line.
std::string BodyText(const fuzz::Finding& finding, absl::string_view trace,
                     absl::string_view replay);

// A known finding, in one line.
std::string KnownText(const fuzz::Finding& finding);

// `path`: where its scenario is.
report::FindingRecord RecordOf(const fuzz::Finding& finding,
                               const std::string& path);

// "402", "31 k", "1.9 M".
std::string Count(uint64_t number);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_FINDINGS_TEXT_H_
