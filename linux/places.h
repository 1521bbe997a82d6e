#ifndef ATSFUZZ_LINUX_PLACES_H_
#define ATSFUZZ_LINUX_PLACES_H_

#include <cstdint>
#include <string>

#include "model/system.h"

namespace atsfuzz::linux_driver {

// Addresses of a driver's code as places in the source. Not thread-safe.
class Places {
 public:
  virtual ~Places() = default;

  // The place of the call that returns to `return_address`. Not known() if it
  // lies in the harness and not in a kernel source. Valid as long as this is.
  virtual const model::Location& CallBefore(uint64_t return_address) = 0;

  // A line of a source file, white space folded; empty if it cannot be read.
  virtual std::string LineText(const std::string& file, int line) = 0;
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_PLACES_H_
