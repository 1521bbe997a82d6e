#ifndef ATSFUZZ_REPORT_JUNIT_H_
#define ATSFUZZ_REPORT_JUNIT_H_

#include <string>

#include "report/test_run.h"

// A run of tests as the XML that continuous integration services read, in the
// shape that Jenkins' schema gives it: a suite of the driver's name, a testcase
// for each scenario, a failure in it for each expectation that was missed, with
// what happened step by step; `skipped` with the reason for one that the driver
// cannot run. There are no times in it: the same run gives the same bytes.
namespace atsfuzz::report {

std::string JunitOf(const TestRun& run);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_JUNIT_H_
