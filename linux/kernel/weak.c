/*
 * Weak memory, in instrumented builds. In a weak turn (model/schedule.h) a thread's
 * CPU keeps to itself, as far as the memory model lets it
 * (tools/memory-model/Documentation/explanation.txt; Arm ARM, B2.3):
 *
 * - Its plain stores and WRITE_ONCEs are held back. To others they become visible
 *   when a barrier demands it: a full one, a release, the end of the operation, a
 *   wait, a grace period; or, after a barrier that orders stores, the next store that
 *   is not held back, be it to memory, to a register or to config space. Until then
 *   memory has what it had whenever somebody else runs. Within one turn, stores to
 *   different words pass each other as the next turns' marks say.
 * - Its marked loads see what memory had when the thread last passed a barrier that
 *   orders loads: an acquire, a lock, a full one, a read of config space, a grace
 *   period; but nothing older than what it has itself stored there or seen there, and
 *   nothing of before it has loaded a pointer, on which an address may depend.
 *
 * Read-modify-write operations, locks and what the harness itself stores are never
 * held back, and registers are never read early. So whatever is seen here, hardware
 * may do; hardware may do more.
 */

#include <stdint.h>
#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

#ifdef ATSFUZZ_INSTRUMENTED

enum {
	WORD = 16,	   /* the largest access */
	MOST_HELD = 256,   /* stores of a thread; with more, all become visible */
	MOST_FILLED = 512, /* bytes that a memset or memcpy holds back */
	HISTORY = 1 << 12, /* stores that are remembered */
	SIGHTINGS = 64,	   /* of a thread, by a hash of the address */
	EARLY = 8,
};

/* A store that others do not see: while they run, memory has `was`. */
struct held {
	uintptr_t address;
	uint32_t size;
	uint32_t epoch;
	uint64_t pc;
	uint8_t was[WORD], is[WORD];
};

static struct cpu {
	int weak, away, releases;
	uint32_t epoch; /* barriers that order stores */
	uint64_t since; /* its last barrier that orders loads */
	uint32_t count;
	struct held stores[MOST_HELD];
	struct {
		uintptr_t address;
		uint64_t when;
	} seen[SIGHTINGS];
	/* Where it has looked early since it last waited. */
	uintptr_t early_at[EARLY];
	uint32_t early_count;
	uint8_t early[WORD];
} cpus[THREADS];

/* Stores in the order in which they became visible; number n is at n % HISTORY. */
static struct past {
	uintptr_t address; /* 0: the memory was freed since */
	uint32_t size, thread;
	uint8_t was[WORD];
} history[HISTORY];
static uint64_t now;

/* What the next store to this address is: a WRITE_ONCE. */
static uintptr_t once;

static struct cpu *running(void)
{
	if (!atsfuzz_threads_side_by_side() || atsfuzz_trace_looks_away() ||
	    atsfuzz_thread >= THREADS || !atsfuzz_thread)
		return NULL;
	return &cpus[atsfuzz_thread];
}

void atsfuzz_weak_begin(void)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		struct cpu *cpu = &cpus[i];

		cpu->weak = cpu->away = cpu->releases = 0;
		cpu->epoch = cpu->count = 0;
		cpu->since = 0;
		cpu->early_count = 0;
		memset(cpu->seen, 0, sizeof(cpu->seen));
	}
	now = 1;
	once = 0;
}

void atsfuzz_weak_select(uint32_t thread, int weak)
{
	cpus[thread].weak = weak;
}

static int overlap(uintptr_t a, uint32_t a_size, uintptr_t b, uint32_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* ---- Stores ------------------------------------------------------------------- */

static void note(uint32_t thread, uintptr_t address, uint32_t size, const void *was)
{
	struct past *past = &history[now++ % HISTORY];

	past->address = address;
	past->size = size;
	past->thread = thread;
	memcpy(past->was, was, size);
}

/* The thread's stores up to an epoch become visible. */
static void publish(uint32_t thread, uint32_t epoch)
{
	struct cpu *cpu = &cpus[thread];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cpu->count; i++) {
		const struct held *store = &cpu->stores[i];

		if (store->epoch <= epoch)
			note(thread, store->address, store->size, store->was);
		else
			cpu->stores[kept++] = *store;
	}
	cpu->count = kept;
}

static void publish_all(uint32_t thread)
{
	publish(thread, UINT32_MAX);
	cpus[thread].epoch = 0;
	cpus[thread].releases = 0;
}

/* A store of the thread that runs is about to become visible. */
static void before_visible(struct cpu *cpu)
{
	if (cpu->releases)
		publish_all(atsfuzz_thread);
	else if (cpu->count && cpu->epoch)
		publish(atsfuzz_thread, cpu->epoch - 1);
}

void atsfuzz_weak_device(void)
{
	struct cpu *cpu = running();

	if (cpu)
		before_visible(cpu);
}

void atsfuzz_weak_once(const volatile void *address)
{
	once = (uintptr_t)address;
}

static void hold(struct cpu *cpu, uintptr_t address, uint32_t size, uint64_t pc)
{
	struct held *store;

	if (cpu->count == MOST_HELD)
		publish_all(atsfuzz_thread);
	for (uint32_t i = 0; i < cpu->count; i++) {
		store = &cpu->stores[i];
		/* It has the older value already. */
		if (store->address == address && store->size == size && store->epoch == cpu->epoch)
			return;
	}
	store = &cpu->stores[cpu->count++];
	store->address = address;
	store->size = size;
	store->epoch = cpu->epoch;
	store->pc = pc;
	memcpy(store->was, (const void *)address, size);
}

void atsfuzz_weak_store(uintptr_t address, unsigned int size, int marked, uint64_t pc)
{
	struct cpu *cpu = running();
	const int may_wait = !marked || once == address;

	if (!cpu || !atsfuzz_trace_is_shared(address))
		return;
	once = 0;
	if (cpu->weak && may_wait) {
		hold(cpu, address, size, pc);
		return;
	}
	before_visible(cpu);
	for (uint32_t i = 0; i < cpu->count; i++) {
		if (overlap(cpu->stores[i].address, cpu->stores[i].size, address, size)) {
			publish_all(atsfuzz_thread);
			break;
		}
	}
	note(atsfuzz_thread, address, size, (const void *)address);
}

void atsfuzz_weak_fill(uintptr_t address, unsigned long size, uint64_t pc)
{
	for (unsigned long at = 0; at < size; at += WORD)
		atsfuzz_weak_store(address + at,
				   size - at < WORD ? (unsigned int)(size - at) : WORD,
				   size > MOST_FILLED, pc);
}

/* ---- Loads -------------------------------------------------------------------- */

static void saw(struct cpu *cpu, uintptr_t address)
{
	const uint32_t slot = (uint32_t)(address * 0x9e3779b97f4a7c15ull >> 58) % SIGHTINGS;

	/* What is forgotten bounds all. */
	if (cpu->seen[slot].address != address && cpu->seen[slot].when > cpu->since)
		cpu->since = cpu->seen[slot].when;
	cpu->seen[slot].address = address;
	cpu->seen[slot].when = now;
}

void atsfuzz_weak_saw(const volatile void *address)
{
	struct cpu *cpu = running();

	if (cpu)
		saw(cpu, (uintptr_t)address);
}

/* How old a value may be. */
static uint64_t bound_of(const struct cpu *cpu, uintptr_t address)
{
	const uint32_t slot = (uint32_t)(address * 0x9e3779b97f4a7c15ull >> 58) % SIGHTINGS;
	uint64_t bound = cpu->since;

	if (cpu->seen[slot].address == address && cpu->seen[slot].when > bound)
		bound = cpu->seen[slot].when;
	return now - bound < HISTORY ? bound : now - HISTORY;
}

static int is_pointer(const volatile void *address, unsigned int size)
{
	uintptr_t value;

	if (size != sizeof(value))
		return 0;
	memcpy(&value, (const void *)address, sizeof(value));
	return atsfuzz_trace_is_shared(value);
}

/* `value` becomes what it was before `past`, as far as the two overlap. */
static void undo(uint8_t *value, uintptr_t address, unsigned int size, const struct past *past)
{
	for (uint32_t i = 0; i < past->size; i++) {
		const uintptr_t at = past->address + i;

		if (at >= address && at < address + size)
			value[at - address] = past->was[i];
	}
}

const volatile void *atsfuzz_weak_see(const volatile void *where, unsigned int size)
{
	const uintptr_t address = (uintptr_t)where;
	struct cpu *cpu = running();
	struct atsfuzz_event *event;

	if (!cpu || size > WORD || !atsfuzz_trace_is_shared(address))
		return where;
	if (!cpu->weak) {
		saw(cpu, address);
		if (is_pointer(where, size))
			cpu->since = now;
		return where;
	}
	for (uint32_t i = 0; i < cpu->count; i++)
		if (overlap(cpu->stores[i].address, cpu->stores[i].size, address, size))
			return where;
	memcpy(cpu->early, (const void *)where, size);
	for (uint64_t n = now; n-- > bound_of(cpu, address);) {
		const struct past *past = &history[n % HISTORY];

		if (!overlap(past->address, past->size, address, size))
			continue;
		if (past->thread == atsfuzz_thread)
			break;
		undo(cpu->early, address, size, past);
	}
	if (!memcmp(cpu->early, (const void *)where, size))
		return where;
	if (cpu->early_count == EARLY) {
		saw(cpu, address);
		return where;
	}
	cpu->early_at[cpu->early_count++] = address;
	event = atsfuzz_event_add(ATSFUZZ_EVENT_EARLY_LOAD);
	event->stack = atsfuzz_trace_place((uint64_t)(uintptr_t)__builtin_return_address(0));
	memcpy(&event->a, cpu->early, size < 8 ? size : 8);
	memcpy(&event->b, (const void *)where, size < 8 ? size : 8);
	return cpu->early;
}

/* ---- Barriers ------------------------------------------------------------------ */

void atsfuzz_weak_order_stores(void)
{
	struct cpu *cpu = running();

	if (cpu && cpu->count)
		cpu->epoch++;
}

void atsfuzz_weak_order_loads(void)
{
	struct cpu *cpu = running();

	if (cpu)
		cpu->since = now;
}

void atsfuzz_weak_release(void)
{
	if (running())
		publish_all(atsfuzz_thread);
}

void atsfuzz_weak_release_next(void)
{
	struct cpu *cpu = running();

	if (cpu)
		cpu->releases = 1;
}

void atsfuzz_weak_wait(void)
{
	struct cpu *cpu = running();

	if (!cpu)
		return;
	publish_all(atsfuzz_thread);
	while (cpu->early_count)
		saw(cpu, cpu->early_at[--cpu->early_count]);
}

void atsfuzz_weak_order_all(void)
{
	atsfuzz_weak_release();
	atsfuzz_weak_order_loads();
}

/* ---- Turns --------------------------------------------------------------------- */

static void go_away(struct cpu *cpu)
{
	for (uint32_t i = cpu->count; i-- > 0;) {
		struct held *store = &cpu->stores[i];

		memcpy(store->is, (const void *)store->address, store->size);
		memcpy((void *)store->address, store->was, store->size);
	}
	cpu->away = 1;
}

static void come_back(struct cpu *cpu)
{
	for (uint32_t i = 0; cpu->away && i < cpu->count; i++) {
		struct held *store = &cpu->stores[i];

		memcpy(store->was, (const void *)store->address, store->size);
		memcpy((void *)store->address, store->is, store->size);
	}
	cpu->away = 0;
}

void atsfuzz_weak_leave(struct atsfuzz_event *stop)
{
	struct cpu *cpu = running();

	if (!cpu)
		return;
	if (cpu->count && stop) {
		stop->b = cpu->count;
		stop->c = atsfuzz_trace_place(cpu->stores[0].pc);
	}
	go_away(cpu);
}

void atsfuzz_weak_return(void)
{
	struct cpu *cpu = running();

	if (cpu)
		come_back(cpu);
}

void atsfuzz_weak_publish(unsigned int thread)
{
	if (!atsfuzz_threads_side_by_side() || !thread)
		return;
	come_back(&cpus[thread]);
	publish_all(thread);
}

void atsfuzz_weak_everywhere_but(unsigned int threads)
{
	if (!atsfuzz_threads_side_by_side())
		return;
	for (uint32_t i = 1; i < THREADS; i++) {
		if (threads >> i & 1)
			continue;
		come_back(&cpus[i]);
		publish_all(i);
	}
	for (uint32_t i = 1; i < THREADS; i++)
		if (!(threads >> i & 1))
			cpus[i].since = now;
}

void atsfuzz_weak_forget(const void *memory, unsigned long size)
{
	const uintptr_t address = (uintptr_t)memory;

	if (!atsfuzz_threads_side_by_side())
		return;
	for (uint32_t i = 1; i < THREADS; i++) {
		struct cpu *cpu = &cpus[i];
		uint32_t kept = 0;

		for (uint32_t k = 0; k < cpu->count; k++)
			if (!overlap(cpu->stores[k].address, cpu->stores[k].size, address,
				     (uint32_t)size))
				cpu->stores[kept++] = cpu->stores[k];
		cpu->count = kept;
	}
	for (uint64_t n = now > HISTORY ? now - HISTORY : 1; n < now; n++)
		if (overlap(history[n % HISTORY].address, history[n % HISTORY].size, address,
			    (uint32_t)size))
			history[n % HISTORY].address = 0;
}

/* Only a `par` block has turns, and there are no snapshots in one. */
void atsfuzz_weak_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(cpus, sizeof(cpus));
	variable(history, sizeof(history));
}

#else /* !ATSFUZZ_INSTRUMENTED */

void atsfuzz_weak_begin(void) {}
void atsfuzz_weak_select(uint32_t thread, int weak)
{
	(void)thread, (void)weak;
}
void atsfuzz_weak_leave(struct atsfuzz_event *stop)
{
	(void)stop;
}
void atsfuzz_weak_return(void) {}
void atsfuzz_weak_everywhere_but(unsigned int threads)
{
	(void)threads;
}
void atsfuzz_weak_publish(unsigned int thread)
{
	(void)thread;
}
void atsfuzz_weak_forget(const void *memory, unsigned long size)
{
	(void)memory, (void)size;
}
void atsfuzz_weak_order_all(void) {}
void atsfuzz_weak_wait(void) {}
void atsfuzz_weak_large(void (*variable)(void *start, uint64_t bytes))
{
	(void)variable;
}

#endif
