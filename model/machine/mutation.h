#ifndef ATSFUZZ_MODEL_MACHINE_MUTATION_H_
#define ATSFUZZ_MODEL_MACHINE_MUTATION_H_

#include "model/machine/step.h"

namespace atsfuzz::machine {

// A deliberate error in one kind of atomic step, for tests of those who must
// notice: a step of the driver is left out, a step of the core forgets what it
// changed. None in whatever is told about a design.
struct Mutation {
  Step step = Step::kDone;  // kDone: no error

  bool operator==(const Mutation&) const = default;
};

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_MUTATION_H_
