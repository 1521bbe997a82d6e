/*
 * Instrumented builds: which driver line changed a fact, and the call stack of an
 * event. The kernel's units are compiled with the thread sanitizer's
 * instrumentation, whose callbacks this file defines, and everything with frame
 * pointers, which are walked for stacks. Other builds compile only the empty
 * halves.
 */

#include <stdint.h>
#include <string.h>

#include "linux/kernel/boundary.h"
#include "linux/kernel/glue.h"
#include "linux/kernel/runtime.h"

#ifdef ATSFUZZ_INSTRUMENTED

enum {
	MAX_DEPTH = 24,
	MAX_STACKS = 8192,
	FACT_INDICES = ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_STREAMS,
	/* Last writers live behind the operation's stacks. */
	LAST_BASE = 1 << 20,
};

struct stack {
	uint64_t frames[MAX_DEPTH];
	uint32_t depth;
};

static struct stack stacks[MAX_STACKS];
static uint32_t stack_count;
static struct stack last[ATSFUZZ_FACTS][FACT_INDICES];

/* Facts in memory: those whose stores no event shows. */
enum { WATCHES = ATSFUZZ_MAX_FUNCTIONS + ATSFUZZ_MAX_DOMAIN_SLOTS };
static struct watch {
	const uint8_t *address;
	unsigned int size;
	uint8_t fact, index, mask;
	uint8_t seen[8];
	uint8_t pending;
	struct stack writer;
} watches[WATCHES];
static uintptr_t watch_low, watch_high;
static int any_pending;
static uint32_t refreshed_at; /* atsfuzz_runtime_changes() then */
static const void *bottoms[THREADS];

/* The frame below which the running thread's kernel code lies; NULL: none runs. */
static const void *bottom(void)
{
	return atsfuzz_thread < THREADS ? bottoms[atsfuzz_thread] : NULL;
}

int atsfuzz_trace_compiled_in(void)
{
	return 1;
}

void atsfuzz_trace_bottom(const void *frame)
{
	bottoms[atsfuzz_thread] = frame;
}

/* Return addresses from the caller's caller outwards, up to the bottom frame. */
static void walk(struct stack *stack, const void *frame, uint64_t first)
{
	const uint64_t *at = frame;

	stack->depth = 0;
	if (first)
		stack->frames[stack->depth++] = first;
	while (at && (const void *)at < bottom() && stack->depth < MAX_DEPTH) {
		const uint64_t *up = (const uint64_t *)at[0];

		stack->frames[stack->depth++] = at[1];
		if (up <= at)
			break;
		at = up;
	}
}

uint32_t atsfuzz_trace_stack(void)
{
	if (stack_count + 1 >= MAX_STACKS || !bottom())
		return 0;
	walk(&stacks[++stack_count], __builtin_frame_address(0), 0);
	return stack_count;
}

uint32_t atsfuzz_trace_place(uint64_t pc)
{
	if (stack_count + 1 >= MAX_STACKS)
		return 0;
	stacks[++stack_count] = (struct stack){ .frames = { pc }, .depth = 1 };
	return stack_count;
}

/* Copies the fact's bits to `seen`; nonzero if they differ from what was there. */
static int look(struct watch *w)
{
	int changed = 0;

	for (unsigned int i = 0; i < w->size; i++) {
		uint8_t value = w->address[i] & w->mask;

		changed |= value != w->seen[i];
		w->seen[i] = value;
	}
	return changed;
}

static void settle(void)
{
	if (!any_pending)
		return;
	any_pending = 0;
	for (int i = 0; i < WATCHES; i++) {
		struct watch *w = &watches[i];

		if (!w->pending)
			continue;
		w->pending = 0;
		if (look(w))
			last[w->fact][w->index] = w->writer;
	}
}

static void watch(struct watch *w, unsigned int fact, unsigned int index)
{
	unsigned int size = 0;
	unsigned char mask = 0xff;
	const uint8_t *address = atsfuzz_driver_fact(fact, index, &size, &mask);
	int moved = w->address != address;

	w->address = address;
	w->size = size;
	w->mask = mask;
	w->fact = fact;
	w->index = index;
	if (moved) {
		w->pending = 0;
		memset(&last[fact][index], 0, sizeof(last[fact][index]));
		if (address)
			look(w);
	}
	if (!address)
		return;
	if ((uintptr_t)address < watch_low)
		watch_low = (uintptr_t)address;
	if ((uintptr_t)address + size > watch_high)
		watch_high = (uintptr_t)address + size;
}

/*
 * Records and domains come and go: look up again where the facts are. That takes no
 * steps: a schedule means the same in builds that nobody watches.
 */
static void refresh(void)
{
	const unsigned int steps_left = atsfuzz_steps_left;

	atsfuzz_steps_left = ~0u;
	watch_low = UINTPTR_MAX;
	watch_high = 0;
	for (unsigned int i = 0; i < ATSFUZZ_MAX_FUNCTIONS; i++)
		watch(&watches[i], ATSFUZZ_FACT_BELIEF, i);
	for (unsigned int i = 0; i < ATSFUZZ_MAX_DOMAIN_SLOTS; i++)
		watch(&watches[ATSFUZZ_MAX_FUNCTIONS + i], ATSFUZZ_FACT_COUNTER, i);
	atsfuzz_steps_left = steps_left;
}

static int quiet;

void atsfuzz_trace_look_away(int on)
{
	quiet = on;
}

int atsfuzz_trace_looks_away(void)
{
	return quiet;
}

static void stored(uintptr_t address, unsigned int size, const void *frame, uint64_t pc)
{
	const uint32_t changes = atsfuzz_runtime_changes();

	if (quiet || !bottom())
		return;
	settle();
	if (changes != refreshed_at) {
		refreshed_at = changes;
		quiet = 1;
		refresh();
		quiet = 0;
	}
	if (address + size <= watch_low || address >= watch_high)
		return;
	for (int i = 0; i < WATCHES; i++) {
		struct watch *w = &watches[i];

		if (!w->address || address + size <= (uintptr_t)w->address ||
		    address >= (uintptr_t)w->address + w->size)
			continue;
		walk(&w->writer, frame, pc);
		w->pending = any_pending = 1;
	}
}

extern char _etext[], _end[];

int atsfuzz_trace_is_shared(uintptr_t address)
{
	return atsfuzz_memory_holds((const void *)address) ||
	       (address >= (uintptr_t)_etext && address < (uintptr_t)_end);
}

/* Kernel code makes an access: `kind` is READS, WRITES or both, and MARKED. */
enum { READS = 1, WRITES = 2, MARKED = 4 };
#define ACCESS_CALLBACK(name, size, kind) \
	void name(void *address) \
	{ \
		const uint64_t pc = (uint64_t)__builtin_return_address(0); \
		if (quiet || !bottom()) \
			return; \
		if (atsfuzz_trace_is_shared((uintptr_t)address)) { \
			if ((kind) < MARKED) \
				atsfuzz_plain_access(); \
			atsfuzz_touch(address, size, ((kind)&WRITES) != 0); \
		} \
		if ((kind)&WRITES) \
			stored((uintptr_t)address, size, __builtin_frame_address(0), 0); \
		if ((kind)&READS) \
			atsfuzz_race_access((uintptr_t)address, size, 0, (kind) >= MARKED, pc); \
		if ((kind)&WRITES) { \
			atsfuzz_race_access((uintptr_t)address, size, 1, (kind) >= MARKED, pc); \
			atsfuzz_weak_store((uintptr_t)address, size, (kind) >= MARKED, pc); \
		} \
	}
#define CALLBACKS(size) \
	ACCESS_CALLBACK(__tsan_read##size, size, READS) \
	ACCESS_CALLBACK(__tsan_write##size, size, WRITES) \
	ACCESS_CALLBACK(__tsan_read_write##size, size, READS | WRITES) \
	ACCESS_CALLBACK(__tsan_unaligned_read##size, size, READS) \
	ACCESS_CALLBACK(__tsan_unaligned_write##size, size, WRITES) \
	ACCESS_CALLBACK(__tsan_unaligned_read_write##size, size, READS | WRITES) \
	ACCESS_CALLBACK(__tsan_volatile_read##size, size, READS | MARKED) \
	ACCESS_CALLBACK(__tsan_volatile_write##size, size, WRITES | MARKED) \
	ACCESS_CALLBACK(__tsan_unaligned_volatile_read##size, size, READS | MARKED) \
	ACCESS_CALLBACK(__tsan_unaligned_volatile_write##size, size, WRITES | MARKED)
CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)

void __tsan_vptr_read(void *address)
{
	(void)address;
}
void __tsan_init(void) {}
/* A loop over page table entries may become one of these. */
#define FILLS(to, size) \
	do { \
		if (!quiet && bottom()) { \
			touches(to, size, 1); \
			atsfuzz_weak_fill((uintptr_t)(to), size, \
					  (uint64_t)__builtin_return_address(0)); \
		} \
	} while (0)
static void touches(const void *at, unsigned long size, int written)
{
	if (atsfuzz_trace_is_shared((uintptr_t)at))
		atsfuzz_touch(at, size, written);
}
#define READS_FROM(from, size) \
	do { \
		if (!quiet && bottom()) \
			touches(from, size, 0); \
	} while (0)
void *__tsan_memset(void *to, int value, unsigned long size)
{
	FILLS(to, size);
	return memset(to, value, size);
}
void *__tsan_memcpy(void *to, const void *from, unsigned long size)
{
	READS_FROM(from, size);
	FILLS(to, size);
	return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, unsigned long size)
{
	READS_FROM(from, size);
	FILLS(to, size);
	return memmove(to, from, size);
}

/* By function and stream: whose record the driver found when last looked. */
static uint8_t owners[FACT_INDICES];

void atsfuzz_trace_streams(void)
{
	struct stack here;

	if (!bottom())
		return;
	walk(&here, __builtin_frame_address(0), 0);
	quiet = 1;
	for (unsigned int i = 0; i < FACT_INDICES; i++) {
		unsigned int owner = atsfuzz_driver_stream_owner(i / ATSFUZZ_MAX_STREAMS,
								 i % ATSFUZZ_MAX_STREAMS);

		if (owner != owners[i])
			last[ATSFUZZ_FACT_STREAM][i] = here;
		owners[i] = owner;
	}
	quiet = 0;
}

void atsfuzz_trace_boot(void)
{
	memset(owners, ATSFUZZ_NONE, sizeof(owners));
	memset(last, 0, sizeof(last));
	memset(watches, 0, sizeof(watches));
	any_pending = 0;
	refreshed_at = UINT32_MAX;
	stack_count = 0;
}

void atsfuzz_trace_begin(void)
{
	stack_count = 0;
	quiet = 1;
	refresh();
	quiet = 0;
}

/* The function and stream index of each store to a stream table entry. */
static void attribute_ste(uint32_t id, const struct stack *stack,
			  const struct atsfuzz_observation *seen)
{
	for (unsigned int f = 0; f < ATSFUZZ_MAX_FUNCTIONS; f++)
		for (unsigned int s = 0; s < seen->functions[f].stream_count; s++)
			if (seen->functions[f].streams[s].id == id)
				last[ATSFUZZ_FACT_STE][f * ATSFUZZ_MAX_STREAMS + s] = *stack;
}

void atsfuzz_trace_end(void)
{
	static struct atsfuzz_observation seen;
	uint32_t count;
	const struct atsfuzz_event *event = atsfuzz_runtime_events(&count);

	settle();
	quiet = 1;
	atsfuzz_driver_observe(&seen);
	quiet = 0;
	for (const struct atsfuzz_event *end = event + count; event < end; event++) {
		const struct stack *stack = &stacks[event->stack];

		if (event->kind == ATSFUZZ_EVENT_STE_WRITE)
			attribute_ste(event->stream, stack, &seen);
		if (event->kind == ATSFUZZ_EVENT_CONFIG_WRITE &&
		    event->a == ATSFUZZ_CONFIG_ATS_CONTROL)
			last[ATSFUZZ_FACT_ATS][event->function] = *stack;
		if (event->kind == ATSFUZZ_EVENT_CONFIG_WRITE &&
		    event->a == ATSFUZZ_CONFIG_PASID_CONTROL)
			last[ATSFUZZ_FACT_PASID][event->function] = *stack;
	}
}

uint32_t atsfuzz_trace_frames(uint32_t id, struct atsfuzz_frame *out, uint32_t max)
{
	const struct stack *stack =
		id >= LAST_BASE ? &((struct stack *)last)[id - LAST_BASE] : &stacks[id];
	uint32_t i;

	if (!id)
		return 0;
	for (i = 0; i < stack->depth && i < max; i++)
		out[i].address = stack->frames[i];
	return i;
}

uint32_t atsfuzz_trace_last_writer(uint32_t fact, uint32_t index)
{
	if (fact >= ATSFUZZ_FACTS || index >= FACT_INDICES || !last[fact][index].depth)
		return 0;
	return LAST_BASE + fact * FACT_INDICES + index;
}

void atsfuzz_trace_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(stacks, sizeof(stacks));
}

void atsfuzz_trace_parts(void (*part)(void *start, uint64_t bytes))
{
	part(stacks, (stack_count + 1) * sizeof(stacks[0]));
}

#else /* !ATSFUZZ_INSTRUMENTED */

void atsfuzz_trace_look_away(int on)
{
	(void)on;
}

int atsfuzz_trace_looks_away(void)
{
	return 0;
}

int atsfuzz_trace_compiled_in(void)
{
	return 0;
}
void atsfuzz_trace_streams(void) {}
void atsfuzz_trace_boot(void) {}
void atsfuzz_trace_begin(void) {}
void atsfuzz_trace_end(void) {}
uint32_t atsfuzz_trace_stack(void)
{
	return 0;
}
void atsfuzz_trace_bottom(const void *frame)
{
	(void)frame;
}
uint32_t atsfuzz_trace_frames(uint32_t id, struct atsfuzz_frame *out, uint32_t max)
{
	(void)id, (void)out, (void)max;
	return 0;
}
uint32_t atsfuzz_trace_last_writer(uint32_t fact, uint32_t index)
{
	(void)fact, (void)index;
	return 0;
}
void atsfuzz_trace_large(void (*variable)(void *start, uint64_t bytes))
{
	(void)variable;
}
void atsfuzz_trace_parts(void (*part)(void *start, uint64_t bytes))
{
	(void)part;
}

#endif
