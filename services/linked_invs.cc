#include "fuzz/invs_driver.h"

// The invalidation arrays of the driver that was linked into this program.

extern "C" const struct atsfuzz_invs atsfuzz_invs;

namespace atsfuzz::fuzz {

const struct atsfuzz_invs& TheInvs() { return ::atsfuzz_invs; }

}  // namespace atsfuzz::fuzz
