#ifndef ATSFUZZ_FUZZ_FAULTS_H_
#define ATSFUZZ_FUZZ_FAULTS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fuzz/dice.h"
#include "model/operation.h"

namespace atsfuzz::fuzz {

// The most that model::Faults can number of a class; 1 if it cannot tell one
// occurrence from another.
int Numbers(model::FaultClass fault);

// The fault that hits the `number`-th occurrence, counted from 1 to
// Numbers(fault).
model::Faults FaultAt(model::FaultClass fault, int number);

// A random fault of one of `classes` (a non-empty set of FaultClass) for an
// operation of this kind; none if none of them can hit it.
model::Faults DrawFault(Dice& dice, model::OperationKind kind, uint8_t classes);

// The set of FaultClass that a user names: "none", "all" or a comma list.
// InvalidArgument with what was found and what was expected.
absl::StatusOr<uint8_t> ParseFaultClasses(absl::string_view text);

// `faults` without those outside `classes`.
model::Faults OnlyClasses(const model::Faults& faults, uint8_t classes);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_FAULTS_H_
