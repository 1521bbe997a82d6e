#ifndef ATSFUZZ_FUZZ_TALLY_H_
#define ATSFUZZ_FUZZ_TALLY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "model/observation.h"
#include "model/operation.h"

// What one kernel entry asked of its environment, counted from its events: how
// often a fault of each class could have hit it, and how often one did.
namespace atsfuzz::fuzz {

struct Tally {
  // By fault class, in the order of its bits. Allocations and writes to config
  // space are numbered from 1 within an operation, as model::Faults has them.
  std::array<uint32_t, model::kFaultClasses> asked = {}, hit = {};

  bool operator==(const Tally&) const = default;
};

// `faults`: those of the operation.
Tally TallyOf(std::span<const atsfuzz_event> events,
              const model::Faults& faults);

// A tally with the operation it is of.
struct OperationTally {
  uint32_t operation = 0;  // index in the scenario
  bool implicit = false;   // of the allocation of the operation's domain
  Tally tally;
};

// Where a class stands in a Tally.
size_t IndexOf(model::FaultClass fault);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_TALLY_H_
