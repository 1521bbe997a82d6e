#ifndef ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_
#define ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_

#include <stdint.h>

/* What a snapshot's bytes are: this with `count` ranges, then their contents. */

enum { ATSFUZZ_SNAPSHOT_RANGES = 96 };

struct atsfuzz_snapshot_range {
	char *start;
	uint64_t bytes;
};

struct atsfuzz_snapshot {
	uint64_t bytes; /* of all */
	uint64_t count;
	struct atsfuzz_snapshot_range ranges[ATSFUZZ_SNAPSHOT_RANGES];
};

#endif /* ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_ */
