#ifndef ATSFUZZ_REPORT_EVENTS_H_
#define ATSFUZZ_REPORT_EVENTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/observation.h"
#include "model/topology.h"

namespace atsfuzz::report {

// A line about an event; `event` is its index, so that a caller can say where
// it came from.
struct EventLine {
  std::string text;
  size_t event = 0;
  // Of commands: the functions whose ATC an ATC_INV among them reached, each
  // once, as indices of the topology.
  std::vector<uint8_t> invalidated;
};

// What a person wants to know of an operation's events, in order: log lines,
// warnings, failed PCI calls, faults that were injected, device accesses and,
// in one line each, the commands up to and including a CMD_SYNC. Writes of
// tables are left to the changes that they made.
std::vector<EventLine> LinesOf(const model::Topology& topology,
                               std::span<const atsfuzz_event> events);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_EVENTS_H_
