/*
 * Instrumented builds: what a thread of a `par` block, or an SMMU that moves, touched
 * since it was selected. Two moves that touch nothing in common, or only read what
 * they have in common, may change places: nobody can tell their order.
 *
 * Beside memory there is one place that stands for the hardware. Its state, and what
 * the checker sees of the order of events, count as one: who changes a register,
 * config space, a TLB or a log writes it, who reads a register reads it, and so does
 * who writes memory that an SMMU may read at any time.
 */

#include <stddef.h>
#include <stdint.h>

#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

#ifdef ATSFUZZ_INSTRUMENTED

enum {
	MOST = 1 << 14,
	PLACE_SHIFT = 2, /* bytes that are one place */
	HARDWARE = 0,	 /* no address */
};

static struct atsfuzz_touch touches[MOST];
static uint32_t touch_count; /* beyond MOST: they are not all there */

static void add(uint64_t place, uint64_t written)
{
	if (touch_count && touch_count <= MOST && touches[touch_count - 1].place == place &&
	    touches[touch_count - 1].written == written)
		return;
	if (touch_count < MOST)
		touches[touch_count] = (struct atsfuzz_touch){ place, written };
	if (touch_count <= MOST)
		touch_count++;
}

void atsfuzz_footprint_begin(void)
{
	touch_count = 0;
}

void atsfuzz_touch(const volatile void *address, unsigned long size, int written)
{
	const uint64_t end = ((uintptr_t)address + size + 3) >> PLACE_SHIFT;

	if (!atsfuzz_threads_side_by_side() || atsfuzz_trace_looks_away())
		return;
	for (uint64_t place = (uintptr_t)address >> PLACE_SHIFT; place < end; place++) {
		if (touch_count > MOST)
			return;
		add(place, written != 0);
	}
	if (written && atsfuzz_memory_is_dma((const void *)address))
		add(HARDWARE, 0);
}

void atsfuzz_touch_hardware(int written)
{
	if (atsfuzz_threads_side_by_side())
		add(HARDWARE, written != 0);
}

const struct atsfuzz_touch *atsfuzz_footprint(uint32_t *count)
{
	*count = touch_count > MOST ? ATSFUZZ_NOT_ALL : touch_count;
	return touches;
}

/* Only a `par` block has threads, and there are no snapshots in one. */
void atsfuzz_footprint_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(touches, sizeof(touches));
}

#else /* !ATSFUZZ_INSTRUMENTED */

void atsfuzz_footprint_begin(void) {}
const struct atsfuzz_touch *atsfuzz_footprint(uint32_t *count)
{
	*count = ATSFUZZ_NOT_ALL;
	return NULL;
}
void atsfuzz_footprint_large(void (*variable)(void *start, uint64_t bytes))
{
	(void)variable;
}

#endif
