#ifndef ATSFUZZ_LINUX_SYSTEM_H_
#define ATSFUZZ_LINUX_SYSTEM_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/system.h"

namespace atsfuzz::linux_driver {

// Loads a driver module (linux/build.h) into this process. `name` is the
// driver's name for people ("linux:6.12"). At most one System per module file
// is alive at a time. Unavailable with the loader's message if it cannot be
// loaded, FailedPrecondition if its ABI is another one.
absl::StatusOr<std::unique_ptr<model::System>> LoadModule(
    const std::string& path, const std::string& name);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_SYSTEM_H_
