#ifndef ATSFUZZ_CLI_TRACED_RUN_H_
#define ATSFUZZ_CLI_TRACED_RUN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/round.h"
#include "fuzz/sighting.h"
#include "model/scenario.h"
#include "report/timeline.h"

namespace atsfuzz::cli {

// One run on an instrumented system, in a child process.
struct TracedRun {
  std::vector<report::Row> rows;
  std::string trace;                      // the rows as text
  std::vector<fuzz::Sighting> sightings;  // in order of appearance
  size_t operations = 0;                  // that ran

  // Adds a violation that the rows do not tell: `phase` says where it was
  // seen, `where` in the driver, innermost first.
  void Add(const std::string& phase, const fuzz::Sighting& sighting,
           std::vector<model::Location> where = {});
};

// FailedPrecondition if the kernel could not do one of the operations or the
// machine does not boot; otherwise fails as `load` fails.
absl::StatusOr<TracedRun> RunTraced(const fuzz::LoadSystem& load,
                                    const model::Scenario& scenario);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_TRACED_RUN_H_
