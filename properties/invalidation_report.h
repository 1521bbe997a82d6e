#ifndef ATSFUZZ_PROPERTIES_INVALIDATION_REPORT_H_
#define ATSFUZZ_PROPERTIES_INVALIDATION_REPORT_H_

#include <string>

#include "properties/command.h"
#include "properties/step.h"

// How invalidations-exact tells what it found.
namespace atsfuzz::properties {

// Subjects: a number space of its own for each kind of complaint.
enum InvalidationComplaint : uint64_t {
  kTlbiTag = 1 << 16,
  kTlbiRange = 2 << 16,
  kTlbiMissing = 3 << 16,
  kTlbiQueued = 4 << 16,
  kAtcStranger = 5 << 16,
  kAtcOff = 6 << 16,
  kAtcForeign = 7 << 16,
  kAtcRange = 8 << 16,
  kAtcMissing = 9 << 16,
  kAtcPasid = 10 << 16,
  kTlbiUnused = 11 << 16,
  kClearEarly = 12 << 16,
  kClearMissing = 13 << 16,
  kAtcTooWide = 14 << 16,
};

struct InvalidationWords {
  std::string message, expected, found;
  const char* aspect;
};

// `fact`: whose last change explains it; a belief's function gives the aspect.
void ReportInvalidation(const StepView& step, uint64_t subject, int event,
                        model::Fact fact, InvalidationWords words);

// "[0x40000000, 0x40001000)", and the operation in backquotes.
std::string Text(const Range& range);
std::string Text(const StepView& step);

// The probed function, or the operation's own, that lists a stream id; -1.
int FunctionOfStream(const StepView& step, int smmu, uint32_t stream);

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_INVALIDATION_REPORT_H_
