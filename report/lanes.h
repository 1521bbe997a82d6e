#ifndef ATSFUZZ_REPORT_LANES_H_
#define ATSFUZZ_REPORT_LANES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "report/timeline.h"

// Who acts in a run or is changed by it: the columns of a page, the
// participants of a diagram, the tracks of a trace.
namespace atsfuzz::report {

// In the order in which they are shown.
enum class LaneKind : uint8_t {
  kCpu,       // "cpu": what runs outside of `par` blocks
  kThread,    // "t0": a CPU that runs a thread of a block
  kSmmu,      // "s0"
  kRcu,       // "rcu": where the schedule moves it
  kFunction,  // "p0", "v1", "f2"
  kDomain,    // "d0", "p0's default domain"
};
LaneKind LaneKindOf(absl::string_view lane);

// "CPU", "CPU t0", "SMMU s0", "RCU", "p0's default domain".
std::string LaneTitle(const std::string& lane);

// Every lane of the rows once, by kind, then by name.
std::vector<std::string> LanesOf(std::span<const Row> rows);

// A thread gives way because the schedule says so. One that waits gives way,
// too, but nobody has chosen that.
bool IsPreempted(const Row& row);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_LANES_H_
