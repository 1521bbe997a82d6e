#ifndef ATSFUZZ_KUNIT_TEST_H_
#define ATSFUZZ_KUNIT_TEST_H_

/*
 * KUnit's interface, as far as a suite of a driver uses it. An expectation that
 * does not hold is noted; an assertion also leaves the case.
 */

#include "linux/kunit/case.h"

#define DUMP_PREFIX_NONE 0
#define print_hex_dump_debug(prefix, type, row, group, buffer, size, ascii) \
	((void)(buffer), (void)(size))

struct kunit {
	void *priv;
	const char *name;
	/* What the case allocated, freed after it. */
	void *memory[64];
	unsigned int memory_count;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function) \
	{ \
		.run_case = function, .name = #function \
	}
#define kunit_test_suites(...) \
	struct kunit_suite *const atsfuzz_kunit_suites[] = { __VA_ARGS__, NULL }
#define kunit_test_suite(suite) kunit_test_suites(&suite)

static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	void *memory = kzalloc(size, gfp);

	if (test->memory_count == ARRAY_SIZE(test->memory)) {
		kfree(memory);
		return NULL;
	}
	if (memory)
		test->memory[test->memory_count++] = memory;
	return memory;
}
#define kunit_kmalloc(test, size, gfp) kunit_kzalloc(test, size, gfp)
#define kunit_kcalloc(test, n, size, gfp) kunit_kzalloc(test, size_mul(n, size), gfp)

#define __kunit_leave() atsfuzz_kunit_leave()
#define __kunit_stay() ((void)0)

#define __kunit_fail(test, after, fmt, ...) \
	do { \
		(void)(test); \
		atsfuzz_kunit_failed(__FILE__, __LINE__, fmt, ##__VA_ARGS__); \
		after(); \
	} while (0)

/* `fmt`, a literal, and what follows: what is said beside the expectation. */
#define __kunit_compare_msg(test, after, left, op, right, fmt, ...) \
	do { \
		__auto_type __left = (left); \
		__auto_type __right = (right); \
\
		if (!(__left op __right)) \
			__kunit_fail(test, after, "%s %s %s, but they are %lld and %lld" fmt, \
				     #left, #op, #right, (long long)__left, (long long)__right, \
				     ##__VA_ARGS__); \
	} while (0)
#define __kunit_compare(test, after, left, op, right) \
	__kunit_compare_msg(test, after, left, op, right, "")

#define __kunit_holds_msg(test, after, condition, text, fmt, ...) \
	do { \
		if (!(condition)) \
			__kunit_fail(test, after, "%s" fmt, text, ##__VA_ARGS__); \
	} while (0)
#define __kunit_holds(test, after, condition, text) \
	__kunit_holds_msg(test, after, condition, text, "")

#define __kunit_memory(test, after, left, right, size) \
	do { \
		const unsigned char *__left = (const void *)(left); \
		const unsigned char *__right = (const void *)(right); \
		size_t __size = (size), __at = 0; \
\
		while (__at < __size && __left[__at] == __right[__at]) \
			__at++; \
		if (__at < __size) \
			__kunit_fail(test, after, \
				     "%s equals %s, but byte %lld is 0x%02x and 0x%02x", #left, \
				     #right, (long long)__at, __left[__at], __right[__at]); \
	} while (0)

#define KUNIT_FAIL(test, fmt, ...) __kunit_fail(test, __kunit_stay, fmt, ##__VA_ARGS__)
#define KUNIT_FAIL_AND_ABORT(test, fmt, ...) __kunit_fail(test, __kunit_leave, fmt, ##__VA_ARGS__)

#define KUNIT_EXPECT_EQ(test, a, b) __kunit_compare(test, __kunit_stay, a, ==, b)
#define KUNIT_EXPECT_EQ_MSG(test, a, b, fmt, ...) \
	__kunit_compare_msg(test, __kunit_stay, a, ==, b, ": " fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(test, a, b, fmt, ...) \
	__kunit_compare_msg(test, __kunit_stay, a, !=, b, ": " fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE(test, a, b) __kunit_compare(test, __kunit_stay, a, !=, b)
#define KUNIT_EXPECT_LT(test, a, b) __kunit_compare(test, __kunit_stay, a, <, b)
#define KUNIT_EXPECT_LE(test, a, b) __kunit_compare(test, __kunit_stay, a, <=, b)
#define KUNIT_EXPECT_GT(test, a, b) __kunit_compare(test, __kunit_stay, a, >, b)
#define KUNIT_EXPECT_GE(test, a, b) __kunit_compare(test, __kunit_stay, a, >=, b)
#define KUNIT_EXPECT_PTR_EQ(test, a, b) KUNIT_EXPECT_EQ(test, (long)(a), (long)(b))
#define KUNIT_EXPECT_PTR_EQ_MSG(test, a, b, fmt, ...) \
	KUNIT_EXPECT_EQ_MSG(test, (long)(a), (long)(b), fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_PTR_NE(test, a, b) KUNIT_EXPECT_NE(test, (long)(a), (long)(b))
#define KUNIT_EXPECT_TRUE(test, c) __kunit_holds(test, __kunit_stay, c, #c " is true")
#define KUNIT_EXPECT_TRUE_MSG(test, c, fmt, ...) \
	__kunit_holds_msg(test, __kunit_stay, c, #c " is true", ": " fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_FALSE(test, c) __kunit_holds(test, __kunit_stay, !(c), #c " is false")
#define KUNIT_EXPECT_NULL(test, p) __kunit_holds(test, __kunit_stay, !(p), #p " is NULL")
#define KUNIT_EXPECT_NOT_NULL(test, p) __kunit_holds(test, __kunit_stay, p, #p " is not NULL")
#define KUNIT_EXPECT_MEMEQ(test, a, b, size) __kunit_memory(test, __kunit_stay, a, b, size)

#define KUNIT_ASSERT_EQ(test, a, b) __kunit_compare(test, __kunit_leave, a, ==, b)
#define KUNIT_ASSERT_NE(test, a, b) __kunit_compare(test, __kunit_leave, a, !=, b)
#define KUNIT_ASSERT_LT(test, a, b) __kunit_compare(test, __kunit_leave, a, <, b)
#define KUNIT_ASSERT_LT_MSG(test, a, b, fmt, ...) \
	__kunit_compare_msg(test, __kunit_leave, a, <, b, ": " fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LE_MSG(test, a, b, fmt, ...) \
	__kunit_compare_msg(test, __kunit_leave, a, <=, b, ": " fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LE(test, a, b) __kunit_compare(test, __kunit_leave, a, <=, b)
#define KUNIT_ASSERT_GT(test, a, b) __kunit_compare(test, __kunit_leave, a, >, b)
#define KUNIT_ASSERT_GE(test, a, b) __kunit_compare(test, __kunit_leave, a, >=, b)
#define KUNIT_ASSERT_PTR_EQ(test, a, b) KUNIT_ASSERT_EQ(test, (long)(a), (long)(b))
#define KUNIT_ASSERT_PTR_NE(test, a, b) KUNIT_ASSERT_NE(test, (long)(a), (long)(b))
#define KUNIT_ASSERT_TRUE(test, c) __kunit_holds(test, __kunit_leave, c, #c " is true")
#define KUNIT_ASSERT_FALSE(test, c) __kunit_holds(test, __kunit_leave, !(c), #c " is false")
#define KUNIT_ASSERT_NULL(test, p) __kunit_holds(test, __kunit_leave, !(p), #p " is NULL")
#define KUNIT_ASSERT_NOT_NULL(test, p) __kunit_holds(test, __kunit_leave, p, #p " is not NULL")
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p) \
	__kunit_holds(test, __kunit_leave, !IS_ERR_OR_NULL(p), #p " is a pointer")
#define KUNIT_ASSERT_MEMEQ(test, a, b, size) __kunit_memory(test, __kunit_leave, a, b, size)

#endif /* ATSFUZZ_KUNIT_TEST_H_ */
