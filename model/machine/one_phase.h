#ifndef ATSFUZZ_MODEL_MACHINE_ONE_PHASE_H_
#define ATSFUZZ_MODEL_MACHINE_ONE_PHASE_H_

#include "model/machine/driver.h"

// Linux 6.1 (Attach::kOnePhase). Its driver leaves the old domain before it
// looks at the new one; a domain gets its page table, tag and CD table from the
// first function that is attached to it. Its core has no blocked domain (a
// claim attaches a paging domain with nothing in it), does not roll back a
// group of which some device failed unless an attach asks for it, and attaches
// a function that joins a group twice: to the group's domain, then to its
// default domain, unless the group is owned.
//
// Simpler here than there: a domain's CD table is drawn as the function's, and
// a stream that two functions list is followed only until one of the two meets
// the other's entry (BUG).
namespace atsfuzz::machine::one_phase {

// Whether 6.1 has a step of the core of its own; if so it is run.
// REQUIRES: c.Is(Attach::kOnePhase), here and below.
bool CoreStep(Context& c, Outcome* outcome);
// Begins an operation of a function's group. The thread holds the group's
// mutex.
void BeginOperation(Context& c);

Outcome DriverStep(Context& c, Step step);
// arm_smmu_attach_dev; kNoDomain: arm_smmu_detach_dev.
void BeginAttach(Context& c, int f, Dom domain);

}  // namespace atsfuzz::machine::one_phase

#endif  // ATSFUZZ_MODEL_MACHINE_ONE_PHASE_H_
