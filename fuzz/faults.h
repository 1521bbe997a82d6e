#ifndef ATSFUZZ_FUZZ_FAULTS_H_
#define ATSFUZZ_FUZZ_FAULTS_H_

#include <cstdint>

#include "fuzz/dice.h"
#include "model/operation.h"

namespace atsfuzz::fuzz {

// A random fault of one of `classes` (a non-empty set of FaultClass) for an
// operation of this kind; none if none of them can hit it.
model::Faults DrawFault(Dice& dice, model::OperationKind kind, uint8_t classes);

// `faults` without those outside `classes`.
model::Faults OnlyClasses(const model::Faults& faults, uint8_t classes);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_FAULTS_H_
