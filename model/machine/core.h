#ifndef ATSFUZZ_MODEL_MACHINE_CORE_H_
#define ATSFUZZ_MODEL_MACHINE_CORE_H_

#include "model/machine/driver.h"

// The IOMMU core (drivers/iommu/iommu.c): groups, ownership, default domains,
// PASID arrays, resets; and the operations that begin there.
namespace atsfuzz::machine {

// Runs the core's next step. kWait: a group's mutex is held by another thread.
Outcome CoreStep(Context& c);

// Whether the operation begins by taking the mutex of its function's group.
bool TakesGroupMutex(const Request& request);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_CORE_H_
