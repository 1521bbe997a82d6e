#ifndef ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_
#define ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_

#include <stdint.h>

/*
 * What a snapshot's bytes are: this with `count` ranges; for each of the chunks
 * that the ranges are cut into a byte, 1 if all its lines are alike; of each chunk
 * its contents, or that line.
 */

enum { ATSFUZZ_SNAPSHOT_RANGES = 96 };

struct atsfuzz_snapshot_range {
	char *start;
	uint64_t bytes;
};

struct atsfuzz_snapshot {
	uint64_t bytes; /* of all */
	uint64_t count, chunks;
	struct atsfuzz_snapshot_range ranges[ATSFUZZ_SNAPSHOT_RANGES];
};

#endif /* ATSFUZZ_LINUX_KERNEL_SNAPSHOT_H_ */
