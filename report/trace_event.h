#ifndef ATSFUZZ_REPORT_TRACE_EVENT_H_
#define ATSFUZZ_REPORT_TRACE_EVENT_H_

#include <span>
#include <string>
#include <vector>

#include "report/json.h"
#include "report/timeline.h"

// Runs in Chromium's trace-event format, a JSON object that Perfetto's viewer
// and chrome://tracing open.
//
// A run is a process, each of its lanes (report/lanes.h) a thread of it: the
// CPU, the CPUs that run a block's threads, SMMUs, functions, domains. Time is
// logical: one microsecond a step, each run from 0, and no clock is asked. An
// operation is a slice from its call to its return, and what its CPU does
// meanwhile are slices in it; what an SMMU, a function or a domain does or has
// done to it is a slice of one step on its own track. A context switch is an
// instant on the track of the CPU that comes, a violation an instant of the
// whole process.
//
// Arrows (flows) show what is known to have happened before what:
//  - outside of a block, the CPU hands commands over -> the SMMU consumes them;
//  - an SMMU consumes an ATC_INV -> the function's ATC receives it;
//  - a thread stops or waits -> who ran meanwhile, turn by turn -> it goes on.
// In a block no arrow leads to an SMMU's commands: CPUs share its queue, and no
// event tells whose they are. Of locks the last kind shows no more than that a
// thread waited, and when it went on; who handed the lock over no event tells.
namespace atsfuzz::report {

// A run and what its process is called: a scenario's path, a signature.
struct NamedRun {
  std::string name;
  std::span<const Row> rows;
};

// `driver`: "linux:6.12 (6.12.117)".
Json TraceEventsOf(std::span<const NamedRun> runs, const std::string& driver);

// One run, as the text of a file.
std::string TraceOf(std::span<const Row> rows, const std::string& name,
                    const std::string& driver);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_TRACE_EVENT_H_
