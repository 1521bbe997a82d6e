#ifndef ATSFUZZ_FUZZ_INVS_DRIVER_H_
#define ATSFUZZ_FUZZ_INVS_DRIVER_H_

#include "linux/kunit/invs_table.h"

namespace atsfuzz::fuzz {

// The invalidation arrays of the driver that the program which defines this has
// chosen, or has inside. Says why and exits with status 3 if there are none.
const atsfuzz_invs& TheInvs();

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_INVS_DRIVER_H_
