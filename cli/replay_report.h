#ifndef ATSFUZZ_CLI_REPLAY_REPORT_H_
#define ATSFUZZ_CLI_REPLAY_REPORT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/driver.h"
#include "cli/format.h"
#include "cli/traced_run.h"
#include "model/scenario.h"
#include "report/json.h"
#include "report/test_run.h"

// A replay of files, told in every format.
namespace atsfuzz::cli {

// A file and what came of it.
struct Replayed {
  std::string path;
  model::Scenario scenario;
  TracedRun run;
  // Its violations, one for each signature.
  std::vector<report::FindingRecord> records;
  // What it expects of this driver; of one that expects nothing, that it shows
  // no violation.
  std::vector<report::TestCheck> checks;
  bool has_expectations = false;
  // Expectations that were not met, as sentences.
  std::vector<std::string> missed;
  // Why this driver cannot run it; OK: it can.
  absl::Status refused;
};

// An expectation was missed; without any, that it shows a violation.
bool Failed(const Replayed& file);

// For people, one file: its violations; with `trace`, step by step.
std::string TextOf(const Replayed& file, bool trace);

// All of a replay, in a format that is not text. `seconds`: how long it took;
// in JSON only. REQUIRES: for Mermaid, one file, which ran.
std::string ReplayIn(Format format, const Driver& driver,
                     const std::vector<Replayed>& files, double seconds,
                     bool trace);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_REPLAY_REPORT_H_
