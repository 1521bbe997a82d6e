#ifndef ATSFUZZ_LINUX_KERNEL_RUNTIME_H_
#define ATSFUZZ_LINUX_KERNEL_RUNTIME_H_

/* What the runtime's own files share. libc's side of the boundary. */

#include "linux/module.h"

/* ---- runtime.c ------------------------------------------------------------ */

/* The operation that runs; NULL while booting or shutting down. */
const struct atsfuzz_request *atsfuzz_current_request(void);
void atsfuzz_runtime_boot(void);
/* Starts an operation, or with NULL a boot, a shutdown or a `par` block: clears the
 * events. */
void atsfuzz_runtime_begin(const struct atsfuzz_request *request);
/* The same for an operation in a `par` block: its events follow the others'. */
void atsfuzz_runtime_begin_beside(const struct atsfuzz_request *request);
/* Nonzero: an operation of a `par` block has not returned. */
int atsfuzz_runtime_in_flight(void);
void atsfuzz_runtime_pass_time(void);
const struct atsfuzz_event *atsfuzz_runtime_events(uint32_t *count);
/* Another number after each event but those of threads that stop. */
uint32_t atsfuzz_runtime_changes(void);
/*
 * Runs `step` until it returns, or until the kernel dies in it (BUG, endless
 * wait). Nonzero: it died, and nothing of the machine may run again.
 */
int atsfuzz_runtime_guard(void (*step)(void *), void *data);
/* It does not return, alone as it is: the kernel dies. */
void atsfuzz_runtime_hang(void);

/* ---- locks.c ---------------------------------------------------------------------- */

void atsfuzz_locks_boot(void);
/* An interrupt comes: its handler holds nothing, whatever the thread holds. Returns
 * what its end is to be told. */
uint32_t atsfuzz_locks_interrupt(void);
void atsfuzz_locks_interrupt_ends(uint32_t first);
/* The name of the index-th lock that a thread holds or waits for; NULL if there are not
 * so many. */
const char *atsfuzz_locks_asked_for(uint32_t thread, uint32_t index);
/* The thread's operation returns: it must hold nothing. */
void atsfuzz_locks_return(void);

/* ---- threads.c ------------------------------------------------------------ */

enum { THREADS = 1 + ATSFUZZ_MAX_THREADS };

extern const struct atsfuzz_threads atsfuzz_threads_table;
/* Outside of `par` blocks again, whatever was. */
void atsfuzz_threads_boot(void);
/* Nonzero: in a `par` block. */
int atsfuzz_threads_side_by_side(void);
/* Bit t: thread t is in a section that must not sleep. */
unsigned int atsfuzz_threads_readers(void);
/* Nonzero: grace periods go on only when the caller of the module says so. */
int atsfuzz_threads_hold_grace(void);
/*
 * A grace period. It begins with a barrier on each CPU that does not read, so that who
 * reads from then on sees what came before; and waits for the others, whose CPUs pass
 * one when they have left (Documentation/RCU/Design/Requirements/Requirements.rst,
 * "Memory-Barrier Guarantees").
 */
struct atsfuzz_grace {
	unsigned int asker; /* a thread: what it stored before it asked is seen, too */
	int begun;
	unsigned int readers; /* bit t: it waits for thread t */
};
/* Nothing, if it has begun. */
void atsfuzz_grace_begin(struct atsfuzz_grace *grace);
/* A thread has left. Nonzero: it was waited for. */
static inline int atsfuzz_grace_leave(struct atsfuzz_grace *grace, unsigned int thread)
{
	unsigned int readers = grace->readers;

	grace->readers &= ~(1u << thread);
	return readers != grace->readers;
}
static inline int atsfuzz_grace_is_over(const struct atsfuzz_grace *grace)
{
	return grace->begun && !grace->readers;
}
/* It can begin, or be over. */
static inline int atsfuzz_grace_can_go_on(const struct atsfuzz_grace *grace)
{
	return !grace->readers;
}
/* In a `par` block: lets others go on until there is a change. */
void atsfuzz_threads_spin(void);
/* module.c: runs an operation of the selected thread, after `begin`. */
void atsfuzz_module_begin_block(void);
int atsfuzz_module_operate_beside(const struct atsfuzz_request *request);
void atsfuzz_module_end_block(void);

/* ---- interrupts.c -------------------------------------------------------------- */

/* Forgets every request. */
void atsfuzz_interrupts_boot(void);
/*
 * Another CPU takes the interrupts that are pending: runs their handlers and wakes
 * their threads. Called wherever a CPU waits, whatever locks it holds and whether
 * or not it has its own interrupts off.
 */
void atsfuzz_interrupts_deliver(void);
/* The same, and runs the woken threads until none is left. No lock is held. */
void atsfuzz_interrupts_run_threads(void);

/* ---- memory.c --------------------------------------------------------------- */

void atsfuzz_memory_begin_operation(void);
/* Nonzero: the address lies in the arena. */
int atsfuzz_memory_holds(const void *address);
/* A thread is no reader any more. Nonzero: something that is to be freed waited for it. */
int atsfuzz_memory_quiescent(unsigned int thread);
/* Nonzero: a grace period of something that is to be freed can go on. */
int atsfuzz_memory_grace_ready(void);
/* They do. Returns the threads that are still waited for, a bit each. */
unsigned int atsfuzz_memory_move_grace(void);

/* ---- threads.c ------------------------------------------------------------------ */

/* Before an access to shared memory that is no step. */
void atsfuzz_plain_access(void);

/* ---- trace.c: empty in builds that do not record ------------------------------ */

int atsfuzz_trace_compiled_in(void);
void atsfuzz_trace_boot(void);
void atsfuzz_trace_begin(void);
/* After an operation: attributes what its events and stores changed. */
void atsfuzz_trace_end(void);
/* Records the current call stack; its index, 0 if not compiled in. */
uint32_t atsfuzz_trace_stack(void);
uint32_t atsfuzz_trace_frames(uint32_t stack, struct atsfuzz_frame *out, uint32_t max);
uint32_t atsfuzz_trace_last_writer(uint32_t fact, uint32_t index);
/* While the harness itself asks the driver's functions: nothing is recorded. */
void atsfuzz_trace_look_away(int on);
int atsfuzz_trace_looks_away(void);
/* One frame as a stack: of code at `pc`. */
uint32_t atsfuzz_trace_place(uint64_t pc);
/* The frame below which no kernel code runs. */
void atsfuzz_trace_bottom(const void *frame);

/* Memory that others may see: neither a stack nor the harness's own. */
int atsfuzz_trace_is_shared(uintptr_t address);

/* ---- races.c: empty in builds that do not record ------------------------------- */

/* From the next `par` block on: nonzero, data races are events. */
void atsfuzz_races_ask(int on);
void atsfuzz_races_begin(void);
/* Memory that is given out anew. */
void atsfuzz_races_forget(const void *address, unsigned long size);
/* Of kernel code at `pc`. */
void atsfuzz_race_access(uintptr_t address, unsigned int size, int written, int marked,
			 uint64_t pc);
void atsfuzz_races_large(void (*variable)(void *start, uint64_t bytes));

/* ---- footprint.c: empty in builds that do not record --------------------------- */

/* A thread or an SMMU is about to move. */
void atsfuzz_footprint_begin(void);
/* struct atsfuzz_threads, `touched`. */
const struct atsfuzz_touch *atsfuzz_footprint(uint32_t *count);
void atsfuzz_footprint_large(void (*variable)(void *start, uint64_t bytes));

/* ---- weak.c: empty in builds that do not record -------------------------------- */

void atsfuzz_weak_begin(void);
/* The thread that runs from now on, and whether its turn is weak. */
void atsfuzz_weak_select(uint32_t thread, int weak);
/* The thread leaves, and returns. `stop`, which may be NULL, is told what it holds
 * back. */
void atsfuzz_weak_leave(struct atsfuzz_event *stop);
void atsfuzz_weak_return(void);
/* Kernel code at `pc` is about to store; to set or copy so many bytes. */
void atsfuzz_weak_store(uintptr_t address, unsigned int size, int marked, uint64_t pc);
void atsfuzz_weak_fill(uintptr_t address, unsigned long size, uint64_t pc);
/* The thread waits, in a loop that looks again and again: what it stored is seen
 * after some time, and where it looked early it sees what is new. */
void atsfuzz_weak_wait(void);
/* The CPUs of all threads but these, a bit each, pass a barrier. */
void atsfuzz_weak_everywhere_but(unsigned int threads);
/* All that the CPU of a thread holds back becomes visible. */
void atsfuzz_weak_publish(unsigned int thread);
/* Memory that is freed. */
void atsfuzz_weak_forget(const void *memory, unsigned long size);
void atsfuzz_weak_large(void (*variable)(void *start, uint64_t bytes));

/* ---- snapshot.c --------------------------------------------------------------- */

/*
 * A snapshot holds every byte of the module's writable data, so that whoever adds
 * a variable need not think of it; but of the variables that *_large tells, only
 * what *_parts tells at that instant, beside what lies outside of the module. What
 * is left out must never be read before it is written.
 */
uint64_t atsfuzz_snapshot_take(void *buffer, uint64_t room);
void atsfuzz_snapshot_restore(const void *buffer);

void atsfuzz_memory_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_memory_parts(void (*part)(void *start, uint64_t bytes));
/* After a restore: what follows from the parts. */
void atsfuzz_memory_restored(void);
void atsfuzz_runtime_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_threads_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_runtime_parts(void (*part)(void *start, uint64_t bytes));
void atsfuzz_trace_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_trace_parts(void (*part)(void *start, uint64_t bytes));
/* module.c */
void atsfuzz_module_large(void (*variable)(void *start, uint64_t bytes));

#endif /* ATSFUZZ_LINUX_KERNEL_RUNTIME_H_ */
