#ifndef ATSFUZZ_MODEL_MACHINE_SYSTEM_H_
#define ATSFUZZ_MODEL_MACHINE_SYSTEM_H_

#include <memory>
#include <string>

#include "model/machine/design.h"
#include "model/machine/mutation.h"
#include "model/system.h"

namespace atsfuzz::machine {

// The abstract machine as a system under test: boots topologies within its
// limits (capabilities()), runs each operation to its end step by step, and
// fills the observation and the events that the checker judges. Locates: a
// location is the kernel function that a step stands for, with the step's name
// as text. `name`: "model:6.12".
std::unique_ptr<model::System> MakeSystem(const Design& design,
                                          const std::string& name,
                                          Mutation mutation = {});

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_SYSTEM_H_
