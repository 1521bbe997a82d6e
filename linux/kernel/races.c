/*
 * Data races, in instrumented builds and when asked for: two threads of a `par` block
 * access the same bytes, one of them writes, one of them without READ_ONCE,
 * WRITE_ONCE or an atomic, and nothing orders the two
 * (tools/memory-model/Documentation/explanation.txt, "plain accesses and data races").
 *
 * Each thread has a vector clock. Whoever releases something (a lock, a pointer that
 * it publishes) leaves its clock there, and whoever acquires it takes it along: an
 * access that the clock covers came before. A marked read takes along what the
 * marked write that it may see has left, as if all that follows depended on it; so
 * races are missed where nothing does, and none is made up. What the trees call
 * smp_wmb, dma_wmb and so on makes each marked write after it leave the clock of the
 * barrier.
 */

#include <stdint.h>
#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

#ifdef ATSFUZZ_INSTRUMENTED

enum {
	GRANULE_SHIFT = 3,
	GRANULES = 1 << 13, /* of a block, that are remembered */
	POINTS = 1 << 10,   /* locks and words by which threads meet */
	MOST_RACES = 24,    /* of a block, that are told */
};

struct clock {
	uint32_t of[THREADS];
};

/* A thread's last access of a kind to a granule. */
struct access {
	uint32_t when; /* by its own clock; 0: none */
	uint8_t bytes; /* mask */
	uint64_t pc;
};

struct granule {
	uint64_t key;
	uint32_t block;
	struct access of[THREADS][2][2]; /* thread, written, plain */
};

struct point {
	const void *key;
	uint32_t block;
	struct clock clock;
};

static int asked;
static uint32_t block; /* what was in others does not count */
static struct clock now[THREADS], fenced[THREADS];
static struct granule granules[GRANULES];
static struct point points[POINTS];
static struct race {
	uint64_t pc[2];
} races[MOST_RACES];
static uint32_t race_count;

static int watching(void)
{
	return asked && atsfuzz_threads_side_by_side() && atsfuzz_thread < THREADS;
}

void atsfuzz_races_ask(int on)
{
	asked = on;
}

void atsfuzz_races_begin(void)
{
	block++;
	race_count = 0;
	memset(fenced, 0, sizeof(fenced));
	for (unsigned int i = 0; i < THREADS; i++) {
		memset(&now[i], 0, sizeof(now[i]));
		now[i].of[i] = 1;
	}
}

static void join(struct clock *to, const struct clock *from)
{
	for (unsigned int i = 0; i < THREADS; i++)
		if (from->of[i] > to->of[i])
			to->of[i] = from->of[i];
}

static uint32_t slot_of(uint64_t key, uint32_t slots)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (slots - 1);
}

/* NULL if there is no room, or, unless it is to be `made`, if it is unknown. */
static struct point *point_of(const void *key, int made)
{
	uint32_t at = slot_of((uintptr_t)key, POINTS);

	for (unsigned int i = 0; i < 32; i++, at = (at + 1) & (POINTS - 1)) {
		struct point *point = &points[at];

		if (point->block == block && point->key == key)
			return point;
		if (point->block != block) {
			if (!made)
				return NULL;
			*point = (struct point){ .key = key, .block = block };
			return point;
		}
	}
	return NULL;
}

static struct granule *granule_of(uint64_t key, int made)
{
	uint32_t at = slot_of(key, GRANULES);

	for (unsigned int i = 0; i < 64; i++, at = (at + 1) & (GRANULES - 1)) {
		struct granule *granule = &granules[at];

		if (granule->block == block && granule->key == key)
			return granule;
		if (granule->block != block) {
			if (!made)
				return NULL;
			memset(granule, 0, sizeof(*granule));
			granule->key = key;
			granule->block = block;
			return granule;
		}
	}
	return NULL;
}

static void leave_at(const void *key, const struct clock *clock)
{
	struct point *point = point_of(key, 1);

	if (point)
		join(&point->clock, clock);
}

void atsfuzz_race_acquire(const void *key)
{
	struct point *point = watching() ? point_of(key, 0) : NULL;

	if (point)
		join(&now[atsfuzz_thread], &point->clock);
}

void atsfuzz_race_release(const void *key)
{
	if (!watching())
		return;
	leave_at(key, &now[atsfuzz_thread]);
	now[atsfuzz_thread].of[atsfuzz_thread]++;
}

void atsfuzz_race_fence(void)
{
	if (!watching())
		return;
	fenced[atsfuzz_thread] = now[atsfuzz_thread];
	now[atsfuzz_thread].of[atsfuzz_thread]++;
}

void atsfuzz_races_forget(const void *address, unsigned long size)
{
	const uint64_t end = ((uintptr_t)address + size + 7) >> GRANULE_SHIFT;

	if (!watching())
		return;
	for (uint64_t key = (uintptr_t)address >> GRANULE_SHIFT; key < end; key++) {
		struct granule *granule = granule_of(key, 0);

		if (granule)
			memset(granule->of, 0, sizeof(granule->of));
	}
}

static void tell(uint64_t pc, int written, int plain, uint32_t other, int other_written,
		 int other_plain, uint64_t other_pc)
{
	struct atsfuzz_event *event;

	for (uint32_t i = 0; i < race_count; i++)
		if ((races[i].pc[0] == pc && races[i].pc[1] == other_pc) ||
		    (races[i].pc[1] == pc && races[i].pc[0] == other_pc))
			return;
	if (race_count == MOST_RACES)
		return;
	races[race_count].pc[0] = pc;
	races[race_count++].pc[1] = other_pc;
	event = atsfuzz_event_add(ATSFUZZ_EVENT_DATA_RACE);
	event->stack = atsfuzz_trace_place(pc);
	event->a = atsfuzz_trace_place(other_pc);
	event->b = (uint64_t)(written | plain << 1 | other_written << 2 | other_plain << 3);
	event->c = other;
}

static void look_at(struct granule *granule, uint8_t bytes, int written, int plain, uint64_t pc)
{
	for (uint32_t other = 1; other < THREADS; other++) {
		if (other == atsfuzz_thread)
			continue;
		for (int kind = 0; kind < 4; kind++) {
			const int other_written = kind >> 1, other_plain = kind & 1;
			const struct access *access =
				&granule->of[other][other_written][other_plain];

			if (!(access->bytes & bytes) || !(written | other_written) ||
			    !(plain | other_plain) || access->when <= now[atsfuzz_thread].of[other])
				continue;
			tell(pc, written, plain, other, other_written, other_plain, access->pc);
		}
	}
}

void atsfuzz_race_access(uintptr_t address, unsigned int size, int written, int marked, uint64_t pc)
{
	const uintptr_t end = address + size;

	if (!watching())
		return;
	if (marked) {
		if (written)
			leave_at((const void *)address, &fenced[atsfuzz_thread]);
		else
			atsfuzz_race_acquire((const void *)address);
	}
	/* What lies on a stack, the thread's own or another's, is handed over. */
	if (!atsfuzz_trace_is_shared(address))
		return;
	for (uint64_t key = address >> GRANULE_SHIFT; key << GRANULE_SHIFT < end; key++) {
		const uintptr_t start = key << GRANULE_SHIFT;
		const uint32_t from = address > start ? (uint32_t)(address - start) : 0;
		const uint32_t to = end - start < 8 ? (uint32_t)(end - start) : 8;
		const uint8_t bytes = (uint8_t)((1u << to) - (1u << from));
		struct granule *granule = granule_of(key, 1);
		struct access *own;

		if (!granule)
			return;
		look_at(granule, bytes, written, !marked, pc);
		own = &granule->of[atsfuzz_thread][written][!marked];
		own->bytes = own->when == now[atsfuzz_thread].of[atsfuzz_thread] ?
				     own->bytes | bytes :
				     bytes;
		own->when = now[atsfuzz_thread].of[atsfuzz_thread];
		own->pc = pc;
	}
}

/* Only a `par` block has races, and there are no snapshots in one. */
void atsfuzz_races_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(granules, sizeof(granules));
	variable(points, sizeof(points));
}

#else /* !ATSFUZZ_INSTRUMENTED */

void atsfuzz_races_ask(int on)
{
	(void)on;
}
void atsfuzz_races_begin(void) {}
void atsfuzz_race_acquire(const void *key)
{
	(void)key;
}
void atsfuzz_race_release(const void *key)
{
	(void)key;
}
void atsfuzz_races_forget(const void *address, unsigned long size)
{
	(void)address, (void)size;
}
void atsfuzz_races_large(void (*variable)(void *start, uint64_t bytes))
{
	(void)variable;
}

#endif
