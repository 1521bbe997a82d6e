#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/invs_driver.h"
#include "linux/kunit/invs_table.h"

// The fuzz target of the driver's invalidation arrays: any bytes are a list of
// merges, unrefs and purges (linux/kunit/invs_table.h), run on the driver and
// compared with a multiset.

namespace {
const struct atsfuzz_invs* the_invs = nullptr;
}  // namespace

extern "C" {

int LLVMFuzzerInitialize(int*, char***) {
  the_invs = &atsfuzz::fuzz::TheInvs();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  char error[512] = "";
  if (the_invs->run(data, size, error, sizeof(error)) < 0) {
    // As in fuzz/libfuzzer_target.cc.
    std::fprintf(stderr, "atsfuzz: Assertion `%s' failed.\n", error);
    std::abort();
  }
  return 0;
}
}
