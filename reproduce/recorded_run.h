#ifndef ATSFUZZ_REPRODUCE_RECORDED_RUN_H_
#define ATSFUZZ_REPRODUCE_RECORDED_RUN_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/crash.h"
#include "fuzz/recording.h"
#include "fuzz/round.h"
#include "model/scenario.h"
#include "properties/violation.h"
#include "reproduce/symptom.h"

// A run of a scenario as a program without a runner can repeat it: every call
// of the kernel with what came back, and what each violation shows itself by.
namespace atsfuzz::reproduce {

struct RecordedCall {
  fuzz::Call call;
  // Of the scenario's operations, which; none: the allocation of a domain that
  // no line of the scenario asks for.
  std::optional<size_t> operation;
  bool returned = false;
  int result = 0;
};

struct Shown {
  properties::Violation violation;  // without event, entry and subject
  Symptom symptom;
};

struct RecordedRun {
  // In the order in which they were made; those of the `par` block by thread.
  std::vector<RecordedCall> calls;
  std::vector<Shown> shown;  // in order of appearance
  // What ended the run early, during the last of the calls.
  std::optional<fuzz::Death> death;
};

// Runs the scenario in a child process. FailedPrecondition if the kernel could
// not do one of the operations or the machine does not boot; otherwise fails as
// `load` fails.
absl::StatusOr<RecordedRun> Record(const fuzz::LoadSystem& load,
                                   const model::Scenario& scenario);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_RECORDED_RUN_H_
