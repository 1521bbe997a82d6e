#ifndef ATSFUZZ_LINUX_KUNIT_INVS_TABLE_H_
#define ATSFUZZ_LINUX_KUNIT_INVS_TABLE_H_

#include <stddef.h>
#include <stdint.h>

/*
 * The driver's invalidation arrays (arm_smmu_invs_merge, _unref, _purge), driven
 * directly and compared with a multiset after each call. A module with the
 * kernel's own tests exports this table, if its kernel has such arrays (7.1+).
 */

#ifdef __cplusplus
extern "C" {
#endif

#define ATSFUZZ_INVS_SYMBOL "atsfuzz_invs"

/*
 * An input: a byte that chooses the SMMUs' addresses, then operations. An
 * operation: a byte kind | argument << 3, a byte of flags; a list of entries
 * follows where one is made, as many as the argument says, plus 1, two bytes each.
 * What is cut off reads as 0; any bytes are an input.
 */
enum atsfuzz_invs_kind {
	ATSFUZZ_INVS_MERGE,	 /* a new attachment: its list joins the array */
	ATSFUZZ_INVS_MERGE_HELD, /* another attachment with a list that has joined */
	ATSFUZZ_INVS_ABORT,	 /* a merge whose result is dropped: attach failed */
	ATSFUZZ_INVS_UNREF,	 /* the argument's list leaves; trash stays */
	ATSFUZZ_INVS_DETACH,	 /* it leaves, and the array is purged */
	ATSFUZZ_INVS_PURGE,
	ATSFUZZ_INVS_REATTACH, /* a list joins and then leaves the new array */
	ATSFUZZ_INVS_READ,     /* a reader starts to walk the array */
	ATSFUZZ_INVS_KINDS,
};
enum atsfuzz_invs_flags {
	ATSFUZZ_INVS_FAIL = 1, /* the first allocation fails */
	/* Bits 1 to 3: accesses of the writer per step of the reader, less 1. */
	ATSFUZZ_INVS_PACE_SHIFT = 1,
};

struct atsfuzz_invs {
	/*
	 * Runs an input from an empty array, and drops everything at the end. How
	 * many operations ran; or -1 and what is wrong, with the operation's number.
	 */
	int (*run)(const uint8_t *bytes, size_t size, char *error, size_t room);
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_LINUX_KUNIT_INVS_TABLE_H_ */
