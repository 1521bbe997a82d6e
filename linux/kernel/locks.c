/* What every kernel build with lockdep checks: which locks a thread holds, and in
 * which order locks were ever taken together. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

enum {
	MOST_HELD = 32,	   /* by one thread */
	MOST_CLASSES = 64, /* a bit each */
	MOST_ORDERS = 256,
	CACHED = 64,
};

struct held {
	const void *lock;
	const char *class;
	uint8_t how; /* enum atsfuzz_lock_how */
};

static struct {
	struct held held[MOST_HELD];
	uint32_t count;
	uint32_t first;	  /* what lies below is held by whom an interrupt interrupts */
	uint32_t readers; /* depth of RCU's sections */
} threads[THREADS];

/* Classes in the order in which they were first taken beside others. */
static const char *classes[MOST_CLASSES];
static uint32_t class_count;
/* Bit n of [m]: a lock of class n was taken while one of class m was held; and what
 * follows from that by way of others. */
static uint64_t directly[MOST_CLASSES], after[MOST_CLASSES];
static struct order {
	uint8_t held, taken;
	const char *function;
} orders[MOST_ORDERS];
static uint32_t order_count;
/* By a class' address: where it may stand in classes. */
static uint8_t cached[CACHED];

void atsfuzz_locks_boot(void)
{
	for (int i = 0; i < THREADS; i++)
		threads[i].count = threads[i].first = threads[i].readers = 0;
	class_count = order_count = 0;
	memset(directly, 0, sizeof(directly));
	memset(after, 0, sizeof(after));
}

static uint32_t number_of(const char *class)
{
	uint8_t *cache = &cached[((uintptr_t) class >> 3) % CACHED];

	if (*cache < class_count && classes[*cache] == class)
		return *cache;
	for (uint32_t i = 0; i < class_count; i++)
		if (classes[i] == class)
			return *cache = (uint8_t)i;
	if (class_count == MOST_CLASSES)
		return MOST_CLASSES;
	classes[class_count] = class;
	return *cache = (uint8_t)class_count++;
}

static const struct order *order_of(uint32_t held, uint32_t taken)
{
	for (uint32_t i = 0; i < order_count; i++)
		if (orders[i].held == held && orders[i].taken == taken)
			return &orders[i];
	return NULL;
}

/* The shortest chain of orders that leads from class `from` to class `to`, which
 * there is; in words. */
static void describe_chain(char *out, size_t room, uint32_t from, uint32_t to)
{
	uint8_t next[MOST_CLASSES], queue[MOST_CLASSES];
	uint64_t seen = 1ull << to;
	uint32_t head = 0, tail = 0;

	queue[tail++] = (uint8_t)to;
	while (head < tail && !(seen >> from & 1)) {
		uint32_t at = queue[head++];

		for (uint32_t i = 0; i < class_count; i++)
			if (directly[i] >> at & 1 && !(seen >> i & 1)) {
				seen |= 1ull << i;
				next[i] = (uint8_t)at;
				queue[tail++] = (uint8_t)i;
			}
	}
	*out = 0;
	while (from != to && seen >> from & 1) {
		const struct order *order = order_of(from, next[from]);
		size_t used = strlen(out);

		snprintf(out + used, room - used, "%s%s while %s is held, in %s", used ? "; " : "",
			 classes[next[from]], classes[from],
			 order ? order->function : "another place");
		from = next[from];
	}
}

static void learn(uint32_t held, uint32_t taken, const struct atsfuzz_lock_place *place)
{
	if (order_count < MOST_ORDERS) {
		orders[order_count].held = (uint8_t)held;
		orders[order_count].taken = (uint8_t)taken;
		orders[order_count++].function = place->function;
	}
	directly[held] |= 1ull << taken;
	for (uint32_t i = 0; i < class_count; i++)
		if (i == held || after[i] >> held & 1)
			after[i] |= 1ull << taken | after[taken];
}

/* A lock of class `taken` is being taken while `held` is held. */
static void order(const struct held *held, const char *taken_class,
		  const struct atsfuzz_lock_place *place)
{
	uint32_t from = number_of(held->class), to = number_of(taken_class);

	if (from == MOST_CLASSES || to == MOST_CLASSES || directly[from] >> to & 1)
		return;
	if (after[to] >> from & 1) {
		char chain[400];

		describe_chain(chain, sizeof(chain), to, from);
		atsfuzz_lock_report(place, "%s is taken while %s is held, but elsewhere %s",
				    taken_class, held->class, chain);
	}
	learn(from, to, place);
}

void atsfuzz_lock_taken(const void *lock, const char *class, unsigned int how,
			const struct atsfuzz_lock_place *place)
{
	uint32_t count = threads[atsfuzz_thread].count;
	struct held *held = threads[atsfuzz_thread].held;

	if (count == MOST_HELD)
		return;
	for (uint32_t i = threads[atsfuzz_thread].first;
	     class && !(how & ATSFUZZ_LOCK_TRIED) && i < count; i++) {
		if (!held[i].class)
			continue;
		if (held[i].class != class)
			order(&held[i], class, place);
		else if (!(how & (ATSFUZZ_LOCK_NESTED | ATSFUZZ_LOCK_RECURSIVE)))
			atsfuzz_lock_report(place, "two locks of the same kind are held: %s",
					    class);
	}
	held[count].lock = lock;
	held[count].class = class;
	held[count].how = (uint8_t)how;
	threads[atsfuzz_thread].count++;
}

void atsfuzz_lock_given(const void *lock, const char *name, const struct atsfuzz_lock_place *place)
{
	struct held *held = threads[atsfuzz_thread].held;
	uint32_t *count = &threads[atsfuzz_thread].count;

	for (uint32_t i = *count; i-- > threads[atsfuzz_thread].first;) {
		if (held[i].lock != lock)
			continue;
		memmove(&held[i], &held[i + 1], (*count - i - 1) * sizeof(*held));
		--*count;
		return;
	}
	atsfuzz_lock_report(place, "%s is released, and not held", name);
}

int atsfuzz_lock_is_held(const void *lock, unsigned int how)
{
	const struct held *held = threads[atsfuzz_thread].held;

	for (uint32_t i = threads[atsfuzz_thread].count; i-- > threads[atsfuzz_thread].first;)
		if (held[i].lock == lock &&
		    (!(how & ATSFUZZ_LOCK_WRITE) || held[i].how & ATSFUZZ_LOCK_WRITE))
			return 1;
	return 0;
}

const char *atsfuzz_locks_asked_for(uint32_t thread, uint32_t index)
{
	const char *class;

	if (index >= threads[thread].count)
		return NULL;
	class = threads[thread].held[index].class;
	return class ? class : "a lock that nobody has initialised";
}

void atsfuzz_rcu_enter(void)
{
	threads[atsfuzz_thread].readers++;
}

void atsfuzz_rcu_leave(void)
{
	threads[atsfuzz_thread].readers--;
}

int atsfuzz_rcu_is_reader(void)
{
	return threads[atsfuzz_thread].readers != 0;
}

uint32_t atsfuzz_locks_interrupt(void)
{
	uint32_t first = threads[atsfuzz_thread].first;

	threads[atsfuzz_thread].first = threads[atsfuzz_thread].count;
	return first;
}

void atsfuzz_locks_interrupt_ends(uint32_t first)
{
	threads[atsfuzz_thread].first = first;
}

void atsfuzz_locks_return(void)
{
	static const struct atsfuzz_lock_place caller = { "", "", 0 };
	const struct held *held = threads[atsfuzz_thread].held;

	for (uint32_t i = 0; i < threads[atsfuzz_thread].count; i++)
		atsfuzz_lock_report(&caller, "the operation returns with %s held",
				    held[i].class ? held[i].class : "a lock");
	if (threads[atsfuzz_thread].readers)
		atsfuzz_lock_report(&caller, "the operation returns within an RCU section");
	threads[atsfuzz_thread].count = threads[atsfuzz_thread].readers = 0;
}
