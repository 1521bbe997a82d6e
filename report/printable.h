#ifndef ATSFUZZ_REPORT_PRINTABLE_H_
#define ATSFUZZ_REPORT_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

// Text that every reader takes, whatever a driver logged or a file is called:
// UTF-8 in which no byte ends a line or does anything else but to be shown.
// What is no UTF-8 becomes U+FFFD; a control character (ASCII's and C1),
// Unicode's line and paragraph separators, and U+FFFE and U+FFFF, which XML
// forbids, become spaces.
namespace atsfuzz::report {

std::string OneLine(absl::string_view text);

// The same of several lines: '\n' and tabs stay, "\r\n" is one line's end.
std::string Lines(absl::string_view text);

// The longest beginning of `text` of at most `bytes` bytes, "..." included if
// it is not all. `text` is UTF-8, and no character is cut. REQUIRES: bytes >=
// 3.
std::string Shortened(absl::string_view text, size_t bytes);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_PRINTABLE_H_
