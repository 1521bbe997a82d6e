/*
 * The driver and the kernel's own suite of it, unmodified, in one unit with the
 * accessors that a module has. A kernel without the suite has no cases. ATSFUZZ_CASES:
 * a source that somebody has given (linux/build.h, BuildCases) instead of the suite.
 */

#if defined(ATSFUZZ_CASES) || __has_include("drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-test.c")
#define HAS_SUITE
/* What the suite's Kconfig entry asks for. */
#define CONFIG_KUNIT 1
#endif

#ifdef ATSFUZZ_HAS_ARRAYS
#include "linux/kunit/access.h"
#include "linux/kunit/calls.h"
#endif

#include "linux/kernel/driver.c"

#include "linux/kunit/case.h"

#ifdef HAS_SUITE
#ifdef ATSFUZZ_CASES
#include "cases.c"
#else
#include "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-test.c"
#endif

static struct kunit_case *find_case(unsigned int index, struct kunit_suite **suite)
{
	struct kunit_suite *const *at;
	struct kunit_case *found;

	for (at = atsfuzz_kunit_suites; *at; at++) {
		for (found = (*at)->test_cases; found->run_case; found++) {
			if (index-- == 0) {
				*suite = *at;
				return found;
			}
		}
	}
	return NULL;
}

const char *atsfuzz_kunit_name(unsigned int index)
{
	struct kunit_suite *suite;
	struct kunit_case *found = find_case(index, &suite);

	return found ? found->name : NULL;
}

/* Outlives a case that is left by an assertion. */
static struct kunit the_test;

void atsfuzz_kunit_finish(void)
{
	while (the_test.memory_count)
		kfree(the_test.memory[--the_test.memory_count]);
}

void atsfuzz_kunit_run(unsigned int index)
{
	struct kunit_suite *suite;
	struct kunit_case *found = find_case(index, &suite);

	the_test.name = found->name;
	if (suite->suite_init && suite->suite_init(suite))
		KUNIT_FAIL_AND_ABORT(&the_test, "suite_init of %s failed", suite->name);
	if (suite->init && suite->init(&the_test))
		KUNIT_FAIL_AND_ABORT(&the_test, "init of %s failed", suite->name);
	found->run_case(&the_test);
	if (suite->exit)
		suite->exit(&the_test);
	if (suite->suite_exit)
		suite->suite_exit(suite);
}
#else
const char *atsfuzz_kunit_name(unsigned int index)
{
	return NULL;
}

void atsfuzz_kunit_run(unsigned int index) {}

void atsfuzz_kunit_finish(void) {}
#endif

#ifdef ATSFUZZ_HAS_ARRAYS
#include "linux/kunit/calls.c"
#include "linux/kunit/invs.c"
#endif
