#ifndef ATSFUZZ_LINUX_KUNIT_TABLE_H_
#define ATSFUZZ_LINUX_KUNIT_TABLE_H_

#include <stddef.h>
#include <stdint.h>

/*
 * The boundary between the program and the driver compiled with the kernel's own
 * tests: a module (linux/module.h) that exports this table too. Plain C; not
 * thread-safe.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define ATSFUZZ_KUNIT_ABI 1
#define ATSFUZZ_KUNIT_SYMBOL "atsfuzz_kunit"

struct atsfuzz_kunit_result {
	uint8_t passed;
	uint8_t died;	   /* BUG(), or a wait that never ends */
	uint32_t warnings; /* WARN_ON and the like, of a case that may have passed */
	uint32_t leaked;   /* allocations that the case left behind */
	/* The first expectation that does not hold: "FILE:LINE: EXPRESSION, ...". */
	char failure[512];
};

struct atsfuzz_kunit {
	uint32_t abi; /* ATSFUZZ_KUNIT_ABI */
	/* The name of a case, in the suite's order; NULL beyond the last. */
	const char *(*name)(uint32_t index);
	/* Runs a case in a machine of its own. */
	void (*run)(uint32_t index, struct atsfuzz_kunit_result *out);
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_LINUX_KUNIT_TABLE_H_ */
