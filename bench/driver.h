#ifndef ATSFUZZ_BENCH_DRIVER_H_
#define ATSFUZZ_BENCH_DRIVER_H_

#include "model/system.h"

namespace atsfuzz::bench {

// The driver that is measured: the plain build of the kernel that
// ATSFUZZ_BENCH_KERNEL names (a version or a path; 6.12 if unset), loaded once.
// Exits with status 3 and the reason if it cannot be had.
model::System& Driver();

}  // namespace atsfuzz::bench

#endif  // ATSFUZZ_BENCH_DRIVER_H_
