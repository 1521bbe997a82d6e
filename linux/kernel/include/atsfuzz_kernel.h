#ifndef ATSFUZZ_KERNEL_H_
#define ATSFUZZ_KERNEL_H_

/*
 * Force-included before every kernel source: stands in for the headers that are
 * not taken from the tree. Order matters: each file uses what stands above.
 */

/*
 * Kernel data lies in sections of its own, so that a boot can restore it without
 * touching the runtime's.
 */
#pragma clang section bss = "kernel_bss" data = "kernel_data" relro = "kernel_relro"

#include "linux/kernel/boundary.h"
#include "linux/module.h"

#include "atsfuzz_basic.h"
#include "atsfuzz_lock.h"
#include "atsfuzz_memory.h"
#include "atsfuzz_device.h"
#include "atsfuzz_bus.h"
#include "atsfuzz_older.h"
#include "atsfuzz_mm.h"

#endif /* ATSFUZZ_KERNEL_H_ */
