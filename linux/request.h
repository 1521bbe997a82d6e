#ifndef ATSFUZZ_LINUX_REQUEST_H_
#define ATSFUZZ_LINUX_REQUEST_H_

#include <cstdint>

#include "linux/module.h"
#include "model/ids.h"
#include "model/operation.h"
#include "model/topology.h"

// A scenario's machine and operations as a module takes them (linux/module.h).
namespace atsfuzz::linux_driver {

atsfuzz_machine MachineOf(const model::Topology& topology);

// `through` is the function of a domain-new; `physical` is where a map maps to.
atsfuzz_request RequestOf(const model::Topology& topology,
                          const model::Operation& operation,
                          model::FunctionId through, uint64_t physical);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_REQUEST_H_
