#ifndef ATSFUZZ_REPORT_HTML_PAGE_H_
#define ATSFUZZ_REPORT_HTML_PAGE_H_

#include <string>

// What all pages share.
namespace atsfuzz::report {

// A document: its title, and what stands in its <main>.
std::string Document(const std::string& title, const std::string& main);

// "<span class=...>new</span>".
std::string StateBadge(const std::string& state);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_HTML_PAGE_H_
