#ifndef ATSFUZZ_LINUX_MODULE_SYSTEM_H_
#define ATSFUZZ_LINUX_MODULE_SYSTEM_H_

#include <memory>
#include <string>

#include "linux/module.h"
#include "linux/places.h"
#include "model/system.h"

namespace atsfuzz::linux_driver {

// A driver module as a System, wherever its table comes from: out of a shared
// object (linux/system.h), or linked into this program (BuildForLinking in
// linux/build.h). `name` is the driver's name for people ("linux:6.12").
// `places` tells the places of an instrumented build's stacks; nullptr: they
// are unknown. `library` holds what `module` lies in; it is let go last, and
// may be empty. At most one System per module is alive at a time.
std::unique_ptr<model::System> MakeModuleSystem(const atsfuzz_module& module,
                                                const std::string& name,
                                                std::unique_ptr<Places> places,
                                                std::shared_ptr<void> library);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_MODULE_SYSTEM_H_
