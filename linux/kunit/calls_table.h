#ifndef ATSFUZZ_LINUX_KUNIT_CALLS_TABLE_H_
#define ATSFUZZ_LINUX_KUNIT_CALLS_TABLE_H_

#include <stdint.h>

/*
 * What the driver asks of its invalidation arrays: each call of arm_smmu_invs_merge,
 * _unref and _purge with what it was given, written down while a scenario runs
 * (linux/module.h), or an input of the arrays' own table (linux/kunit/invs_table.h).
 * A module with the kernel's own tests exports this, if its kernel has such arrays.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define ATSFUZZ_INVS_CALLS_SYMBOL "atsfuzz_invs_calls"

enum atsfuzz_invs_call_kind {
	ATSFUZZ_INVS_CALL_MERGE,
	ATSFUZZ_INVS_CALL_UNREF,
	ATSFUZZ_INVS_CALL_PURGE,
};

/* Of a list that joins or leaves. */
struct atsfuzz_invs_entry {
	uint64_t smmu; /* its address: arrays sort by it */
	uint32_t type; /* enum atsfuzz_inv_type */
	uint32_t id;
	uint32_t ssid; /* ATS entries; 0 for others */
	uint32_t pad;
};

struct atsfuzz_invs_call {
	uint32_t kind;
	/* Arrays are numbered from 1 as they are allocated, 0: of before. */
	uint32_t array;
	uint32_t result;       /* of merge and purge; 0: no array */
	uint32_t first, count; /* the list, among the entries */
};

struct atsfuzz_invs_calls {
	/* Forgets everything, and records from now on, or no more. A boot ends it. */
	void (*record)(int on);
	const struct atsfuzz_invs_call *(*calls)(uint32_t *count);
	const struct atsfuzz_invs_entry *(*entries)(void);
	/* The number of the array that a domain has now; 0: none, or not known. */
	uint32_t (*array_of)(uint32_t slot);
	/* Nonzero: there was more to record than there is room for. */
	int (*overflow)(void);
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_LINUX_KUNIT_CALLS_TABLE_H_ */
