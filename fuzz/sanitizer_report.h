#ifndef ATSFUZZ_FUZZ_SANITIZER_REPORT_H_
#define ATSFUZZ_FUZZ_SANITIZER_REPORT_H_

#include "absl/strings/string_view.h"
#include "fuzz/crash.h"

namespace atsfuzz::fuzz {

// Reads what AddressSanitizer or UndefinedBehaviorSanitizer wrote, with
// symbolize=0: sets error ("heap-use-after-free", "undefined-behaviour"), the
// report's first lines without addresses, and the stack of the access. Leaves
// `death` alone if there is no report.
void ParseSanitizerReport(absl::string_view text, Death* death);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SANITIZER_REPORT_H_
