#ifndef ATSFUZZ_REPORT_HTML_H_
#define ATSFUZZ_REPORT_HTML_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "report/timeline.h"

// Static pages about findings: no script, nothing from a network, readable in
// dark and light, on a phone, by keyboard and by a screen reader.
namespace atsfuzz::report {

// Whether a finding's scenario shows it on another driver.
struct Elsewhere {
  std::string driver;
  bool runs = true;       // false: that driver cannot run it
  std::string signature;  // of the same invariant there; empty: it shows none
};

// A finding, for its page and its line of the index.
struct FindingView {
  std::string driver, signature, invariant, function;
  std::string assumes;  // "honest", or faults
  std::string reason;   // why it is understood; empty: nobody has said
  std::string message, expected, found;
  std::string scenario;
  std::vector<Row> rows;
  int64_t operations = 0, switches = 0;
  std::string state;    // "new", ...
  std::string instead;  // of "changed"
  int64_t first_night = 0, last_seen = 0, since = 0;
  std::vector<Elsewhere> elsewhere;
  std::string replay;  // the command
  std::string page;    // its page's path from the index
};

// A night, for the trends.
struct NightView {
  int64_t number = 0;
  std::string began;  // UTC
  std::string end;    // "done", ...
  int64_t operations = 0, runs = 0;
  struct Coverage {
    std::string driver;
    double percent = 0;
  };
  std::vector<Coverage> coverage;
};

struct IndexView {
  std::vector<NightView> nights;      // in order
  std::vector<FindingView> findings;  // in the order to be told
};

// The names of the files beside a finding's page that its run is in, as a
// Mermaid diagram and as trace events. There are none without rows.
std::string SequenceFile(const FindingView& finding);
std::string TraceFile(const FindingView& finding);

// What happened, in one paragraph of plain words.
std::string StoryOf(const FindingView& finding);

// Whole documents. `index`: the index' path from the page.
std::string FindingPage(const FindingView& finding, const std::string& index);
std::string IndexPage(const IndexView& view);

// Text for HTML and XML, attributes included: printable (report/printable.h),
// and nothing but text.
std::string Escape(absl::string_view text);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_HTML_H_
