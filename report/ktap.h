#ifndef ATSFUZZ_REPORT_KTAP_H_
#define ATSFUZZ_REPORT_KTAP_H_

#include <string>

#include "report/test_run.h"

// A run of tests in the kernel's format, KTAP version 1
// (Documentation/dev-tools/ktap.rst), for kunit.py parse and whatever else
// reads TAP: a plan, a result line for each scenario, below it nested, its
// expectations; a scenario that the driver cannot run is `ok ... # SKIP why`.
// What a scenario showed stands before its result as diagnostic lines; what
// happened, step by step, only if it failed.
namespace atsfuzz::report {

// Names in it have no `#`, which ends a name, and neither begin with `-` nor
// end with `{`, to which readers of TAP give a meaning: those characters are
// written as in a URI, "%23".
std::string KtapOf(const TestRun& run);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_KTAP_H_
