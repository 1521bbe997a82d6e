/* Threads side by side: whose turn it is, and what each of them waits for. */

#include <stdint.h>
#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

/* Longer than any wait of the driver: a CMD_SYNC times out after one second. */
enum { MOST_TIME_MS = 20000 };
/* Of a thread, that are told: there is room for other events. */
enum { MOST_STOPS = 500 };
/* Looks that find the same are a loop without a relaxing body. */
enum { LOOKS_OF_A_LOOP = 8 };

unsigned int atsfuzz_thread;
unsigned int atsfuzz_steps_left = ~0u;
unsigned int atsfuzz_changes;
unsigned int atsfuzz_atomic[THREADS];

static struct thread {
	uint32_t status; /* enum atsfuzz_thread_status */
	uint32_t stops;
	uint32_t spun_at;    /* atsfuzz_changes, when it began to spin */
	const int *words[2]; /* of the lock that it waits for, or takes next */
	uint32_t takes_lock; /* that is its next step */
	int synchronizes;    /* it waits until this grace period is over */
	struct atsfuzz_grace grace;
	/* Where it looked last, what it found, and how often in a row. */
	unsigned long looked_at;
	unsigned long long looked_like;
	uint32_t looks;
	struct atsfuzz_wait wait;
} threads[THREADS];

static uint32_t plain_left; /* accesses, once one step is left; 0: no end */
static int grace_is_held;   /* until they are told to go on */
static void (*leave)(void *);
static void *leave_data;
static uint32_t passed_ms;    /* in which nothing else changed */
static uint32_t changes_then; /* atsfuzz_changes, after time last passed */

void atsfuzz_threads_boot(void)
{
	atsfuzz_thread = 0;
	atsfuzz_steps_left = ~0u;
	memset(atsfuzz_atomic, 0, sizeof(atsfuzz_atomic));
	leave = NULL;
	atsfuzz_emulator_set_lazy(0);
}

int atsfuzz_threads_side_by_side(void)
{
	return leave != NULL;
}

unsigned int atsfuzz_threads_readers(void)
{
	unsigned int readers = 0;

	atsfuzz_touch(atsfuzz_atomic, sizeof(atsfuzz_atomic), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		if (atsfuzz_atomic[i])
			readers |= 1u << i;
	return readers;
}

void atsfuzz_quiescent(void)
{
	int waited = 0;

	if (!leave)
		return;
	for (unsigned int i = 1; i < THREADS; i++)
		waited |= atsfuzz_grace_leave(&threads[i].grace, atsfuzz_thread);
	if (atsfuzz_memory_quiescent(atsfuzz_thread) || waited)
		atsfuzz_weak_order_all();
}

void atsfuzz_grace_begin(struct atsfuzz_grace *grace)
{
	if (grace->begun)
		return;
	grace->begun = 1;
	grace->readers = atsfuzz_threads_readers();
	atsfuzz_weak_publish(grace->asker);
	atsfuzz_weak_everywhere_but(grace->readers);
}

int atsfuzz_threads_hold_grace(void)
{
	return grace_is_held;
}

uint32_t atsfuzz_running_thread(void)
{
	return atsfuzz_thread;
}

void atsfuzz_hardware_step(void)
{
	atsfuzz_step();
	atsfuzz_touch_hardware(1);
}

/* ---- Leaving ------------------------------------------------------------------ */

static void leave_as(uint32_t status)
{
	struct thread *self = &threads[atsfuzz_thread];
	struct atsfuzz_event *stop = NULL;
	const int looks_away = atsfuzz_trace_looks_away();

	/* The others are none of the harness. */
	atsfuzz_trace_look_away(0);
	if (status != ATSFUZZ_THREAD_READY)
		atsfuzz_weak_wait();
	if (atsfuzz_trace_compiled_in() && self->stops++ < MOST_STOPS) {
		stop = atsfuzz_event_add(ATSFUZZ_EVENT_STOP);
		stop->a = status;
	}
	atsfuzz_weak_leave(stop);
	self->status = status;
	leave(leave_data);
	self->status = ATSFUZZ_THREAD_READY;
	atsfuzz_weak_return();
	atsfuzz_trace_look_away(looks_away);
}

void atsfuzz_out_of_steps(void)
{
	if (leave) {
		leave_as(ATSFUZZ_THREAD_READY);
		return;
	}
	atsfuzz_steps_left = ~0u;
	atsfuzz_runtime_hang();
}

void atsfuzz_plain_access(void)
{
	if (leave && atsfuzz_steps_left == 1 && plain_left && !--plain_left)
		leave_as(ATSFUZZ_THREAD_READY);
}

/* Whether the thread has to wait is part of where it stands. */
static void look_at_lock(const struct thread *self)
{
	atsfuzz_touch(self->words[0], sizeof(int), 0);
	atsfuzz_touch(self->words[1], sizeof(int), 0);
}

void atsfuzz_out_of_steps_before(const int *writer, const int *readers)
{
	struct thread *self = &threads[atsfuzz_thread];

	self->words[0] = writer;
	self->words[1] = readers;
	self->takes_lock = 1;
	look_at_lock(self);
	atsfuzz_out_of_steps();
	self->takes_lock = 0;
}

void atsfuzz_threads_spin(void)
{
	threads[atsfuzz_thread].spun_at = atsfuzz_changes;
	threads[atsfuzz_thread].looks = 0;
	leave_as(ATSFUZZ_THREAD_SPINNING);
}

/*
 * arm_smmu_cmdq_issue_cmdlist has arm_smmu_cmdq_poll_until_not_full read CONS, or try
 * to get the queue, again and again without a delay between, as long as the queue is
 * not full and yet has no room for all its commands.
 */
void atsfuzz_looked(unsigned long address, unsigned long long value)
{
	struct thread *self = &threads[atsfuzz_thread];

	if (!leave)
		return;
	if (self->looked_at != address || self->looked_like != value)
		self->looks = 0;
	self->looked_at = address;
	self->looked_like = value;
	if (++self->looks == LOOKS_OF_A_LOOP)
		atsfuzz_threads_spin();
}

static int is_free(const struct thread *thread)
{
	return !*thread->words[0] && !*thread->words[1];
}

int atsfuzz_wait_for(const int *writer, const int *readers, const char *lock, const char *file,
		     unsigned int line, const char *function)
{
	struct thread *self = &threads[atsfuzz_thread];

	if (!leave || *writer == (int)atsfuzz_thread + 1) {
		atsfuzz_warn(file, line, function, 0, "deadlock: %s is held", lock);
		return 1;
	}
	self->words[0] = writer;
	self->words[1] = readers;
	self->wait = (struct atsfuzz_wait){ lock, file, line, 0 };
	while (!is_free(self)) {
		look_at_lock(self);
		leave_as(ATSFUZZ_THREAD_WAITING);
	}
	return 0;
}

void atsfuzz_synchronize(void)
{
	struct thread *self = &threads[atsfuzz_thread];

	if (!leave) {
		atsfuzz_memory_grace_period();
		return;
	}
	atsfuzz_weak_order_all();
	self->grace = (struct atsfuzz_grace){ .asker = atsfuzz_thread };
	self->synchronizes = 1;
	if (!grace_is_held)
		atsfuzz_grace_begin(&self->grace);
	while (!atsfuzz_grace_is_over(&self->grace) || (grace_is_held && self->synchronizes)) {
		atsfuzz_threads_spin();
		atsfuzz_threads_readers(); /* that is what it looks at */
	}
	self->synchronizes = 0;
	atsfuzz_weak_order_all();
}

/* ---- The caller's side ----------------------------------------------------------- */

static void begin(void (*switch_away)(void *), void *data)
{
	memset(threads, 0, sizeof(threads));
	passed_ms = 0;
	grace_is_held = 0;
	atsfuzz_module_begin_block();
	atsfuzz_races_begin();
	atsfuzz_weak_begin();
	leave = switch_away;
	leave_data = data;
	atsfuzz_emulator_set_lazy(1);
}

static void select_thread(uint32_t thread, uint32_t steps, uint32_t plain, int weak)
{
	atsfuzz_thread = thread;
	atsfuzz_steps_left = steps;
	plain_left = plain;
	atsfuzz_footprint_begin();
	atsfuzz_weak_select(thread, weak);
}

static uint32_t steps_left(void)
{
	return atsfuzz_steps_left;
}

static uint32_t status(uint32_t thread)
{
	return threads[thread].status;
}

static int ready(uint32_t thread)
{
	switch (threads[thread].status) {
	case ATSFUZZ_THREAD_WAITING:
		return is_free(&threads[thread]);
	case ATSFUZZ_THREAD_SPINNING:
		return threads[thread].spun_at != atsfuzz_changes;
	default:
		/* Who holds it already is to be told so. */
		return !threads[thread].takes_lock || is_free(&threads[thread]) ||
		       *threads[thread].words[0] == (int)thread + 1;
	}
}

static const struct atsfuzz_wait *wait_of(uint32_t thread)
{
	struct thread *waiter = &threads[thread];

	if (waiter->status != ATSFUZZ_THREAD_WAITING && !waiter->takes_lock)
		return NULL;
	waiter->wait.holder = *waiter->words[0] ? (uint32_t)*waiter->words[0] - 1 : ATSFUZZ_NONE;
	return &waiter->wait;
}

/* The lock that it waits for is the last of those that it has asked for. */
static const char *held_by(uint32_t thread, uint32_t index)
{
	uint32_t waits = threads[thread].status == ATSFUZZ_THREAD_WAITING;

	return atsfuzz_locks_asked_for(thread, index + waits) ?
		       atsfuzz_locks_asked_for(thread, index) :
		       NULL;
}

static int smmu_ready(uint32_t smmu)
{
	return atsfuzz_emulator_can_consume(smmu);
}

static void smmu_step(uint32_t smmu)
{
	atsfuzz_thread = ATSFUZZ_NONE;
	atsfuzz_steps_left = ~0u;
	atsfuzz_footprint_begin();
	atsfuzz_touch_hardware(1);
	atsfuzz_emulator_consume(smmu);
	atsfuzz_changed();
	atsfuzz_thread = 0;
}

static void hold_grace_periods(void)
{
	grace_is_held = 1;
}

static int grace_period_ready(void)
{
	if (!grace_is_held)
		return 0;
	for (int i = 1; i < THREADS; i++)
		if (threads[i].synchronizes && atsfuzz_grace_can_go_on(&threads[i].grace))
			return 1;
	return atsfuzz_memory_grace_ready();
}

static void move_grace_periods(void)
{
	unsigned int readers;

	atsfuzz_thread = 0;
	atsfuzz_steps_left = ~0u;
	atsfuzz_footprint_begin();
	readers = atsfuzz_memory_move_grace();
	for (int i = 1; i < THREADS; i++) {
		if (!threads[i].synchronizes)
			continue;
		atsfuzz_grace_begin(&threads[i].grace);
		readers |= threads[i].grace.readers;
		threads[i].synchronizes = !atsfuzz_grace_is_over(&threads[i].grace);
	}
	atsfuzz_event_add(ATSFUZZ_EVENT_GRACE_PERIOD)->a = readers;
	atsfuzz_changed();
}

static int pass_time(void)
{
	int spinning = 0;

	for (int i = 1; i < THREADS; i++)
		spinning |= threads[i].status == ATSFUZZ_THREAD_SPINNING;
	if (atsfuzz_changes != changes_then)
		passed_ms = 0;
	if (!spinning || passed_ms++ == MOST_TIME_MS)
		return 0;
	atsfuzz_runtime_pass_time();
	atsfuzz_changed();
	changes_then = atsfuzz_changes;
	return 1;
}

static void end(void)
{
	grace_is_held = 0;
	atsfuzz_threads_boot();
	atsfuzz_module_end_block();
}

/* Whoever looks at the machine counts too; only a `par` block asks for the counts,
 * and there are no snapshots in one. */
void atsfuzz_threads_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(&atsfuzz_steps_left, sizeof(atsfuzz_steps_left));
	variable(&atsfuzz_changes, sizeof(atsfuzz_changes));
}

const struct atsfuzz_threads atsfuzz_threads_table = {
	.begin = begin,
	.select = select_thread,
	.touched = atsfuzz_footprint,
	.steps_left = steps_left,
	.operate = atsfuzz_module_operate_beside,
	.status = status,
	.ready = ready,
	.wait = wait_of,
	.held = held_by,
	.smmu_ready = smmu_ready,
	.smmu_step = smmu_step,
	.hold_grace_periods = hold_grace_periods,
	.grace_period_ready = grace_period_ready,
	.move_grace_periods = move_grace_periods,
	.pass_time = pass_time,
	.end = end,
};
