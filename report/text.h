#ifndef ATSFUZZ_REPORT_TEXT_H_
#define ATSFUZZ_REPORT_TEXT_H_

#include <span>
#include <string>
#include <vector>

#include "model/system.h"
#include "report/timeline.h"

// A run as text that a kernel developer can paste into a mail: per operation
// its return value, what the kernel logged, which observed values changed and
// where in the driver; at a violation expected, found and the call stack.
namespace atsfuzz::report {

// "honest: needs no fault", "assumes alloc, enable-ats".
std::string AssumptionText(uint8_t classes);

// "arm_smmu_attach_commit  arm-smmu-v3.c:2801"; "" if unknown.
std::string LocationText(const model::Location& location);

// A call stack, one frame a line, as it stands below a violation.
std::string StackText(const std::vector<model::Location>& stack);

// The rows of a run; ends in a newline.
std::string TextOf(std::span<const Row> rows);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_TEXT_H_
