#ifndef ATSFUZZ_REPORT_MERMAID_H_
#define ATSFUZZ_REPORT_MERMAID_H_

#include <cstddef>
#include <span>
#include <string>

#include "report/timeline.h"

// A run as a Mermaid sequence diagram, for a mail or an issue: code services
// draw it where a block of text says that it is one, and as text it is still
// readable. A participant for each lane (report/lanes.h), in their order;
// operations and what is done to others are arrows, what somebody logs or
// changes is a note, the bar of a CPU in a block lasts as long as its turn, the
// time included that it waits.
namespace atsfuzz::report {

// Renderers refuse longer texts than 50,000 bytes unless they are told
// otherwise. Of a longer run a note in the middle says how many rows are left
// out, and where all are; the end, which shows the violation, stays.
inline constexpr size_t kMostMermaidBytes = 45000;

// `title` stands above the diagram.
std::string MermaidOf(std::span<const Row> rows, const std::string& title);

// Any text as a message or name of a diagram: one line, which no reader takes
// for anything else, at most some 300 bytes of text.
std::string MermaidText(const std::string& text);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_MERMAID_H_
