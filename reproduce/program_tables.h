#ifndef ATSFUZZ_REPRODUCE_PROGRAM_TABLES_H_
#define ATSFUZZ_REPRODUCE_PROGRAM_TABLES_H_

#include <span>
#include <string>

#include "model/scenario.h"
#include "reproduce/recorded_run.h"

// The tables of a reproducing C program (reproduce/program.h), as C text.
namespace atsfuzz::reproduce {

// "static const struct atsfuzz_machine machine = { ... };"
std::string MachineTable(const model::Topology& topology);

// "static const struct call calls[] = { ... };"
std::string CallsTable(const model::Topology& topology,
                       std::span<const RecordedCall> calls);

// "static const struct turn schedule[] = { ... };" with `struct turn` and TURNS
// before it.
std::string ScheduleTable(const model::Schedule& schedule);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_PROGRAM_TABLES_H_
