#ifndef ATSFUZZ_LINUX_KERNEL_BOUNDARY_H_
#define ATSFUZZ_LINUX_KERNEL_BOUNDARY_H_

/*
 * What the kernel's translation units ask of the world outside: plain C types
 * only, because kernel headers and libc headers never meet in one unit. Kernel
 * units see these names through the stub headers; runtime.c, memory.c and
 * trace.c define them with libc at hand.
 */

#include <stdarg.h>

#include "model/observation.h"

/* ---- Memory (memory.c) ------------------------------------------------ */

enum {
	ATSFUZZ_MEMORY_ZERO = 1,       /* cleared; otherwise filled with 0xaa */
	ATSFUZZ_MEMORY_DMA = 2,	       /* read by the SMMU; aligned to its size */
	ATSFUZZ_MEMORY_MANAGED = 4,    /* devm: freed with its device */
	ATSFUZZ_MEMORY_INFALLIBLE = 8, /* the harness's own: no fault, not counted */
};

/*
 * Where an allocation stands in the source. `site` is computed once per place:
 * enum atsfuzz_alloc_site + 1.
 */
struct atsfuzz_place {
	const char *file;
	const char *function;
	unsigned int line;
	unsigned char site;
};

void atsfuzz_memory_reset(void);
/* NULL if the operation's faults say so or the arena is full. */
void *atsfuzz_memory_allocate(unsigned long size, unsigned int flags, struct atsfuzz_place *place);
/* An allocation that has no memory: an id. Nonzero: it fails. */
int atsfuzz_memory_fails(unsigned long size, struct atsfuzz_place *place);
void atsfuzz_memory_free(const void *address);
/* kfree_rcu: freed when no reader can remain; outside of `par` blocks at the end of
 * the operation. */
void atsfuzz_memory_free_deferred(const void *address);
void atsfuzz_memory_grace_period(void);
unsigned long atsfuzz_memory_size(const void *address);
/* Nonzero: [address, address + 8) is memory that an SMMU may read. */
int atsfuzz_memory_is_dma(const void *address);
unsigned int atsfuzz_memory_live_count(void);
/*
 * Room of this many bytes for the kernel's description of a page that the SMMU may
 * read, by the page's address; and back.
 */
#define ATSFUZZ_PAGE_DESCRIPTOR_BYTES 96
void *atsfuzz_memory_page_descriptor(const void *address);
void *atsfuzz_memory_descriptor_page(const void *descriptor);
/* Devm memory of SMMU removal. */
void atsfuzz_memory_free_managed(void);

/* ---- Lock discipline (locks.c) -------------------------------------------- */

struct atsfuzz_lock_place {
	const char *file;
	const char *function;
	unsigned int line;
};

enum atsfuzz_lock_how {
	ATSFUZZ_LOCK_WRITE = 1,	    /* nobody else has it meanwhile */
	ATSFUZZ_LOCK_TRIED = 2,	    /* nobody waited for it */
	ATSFUZZ_LOCK_NESTED = 4,    /* the source says that one of its kind is held */
	ATSFUZZ_LOCK_RECURSIVE = 8, /* whoever has it may take it again */
};

/* A thread is about to take a lock, and has given it back. Reported are locks that
 * are taken in two orders, two of one class at a time, and what was not held. */
void atsfuzz_lock_taken(const void *lock, const char *kind, unsigned int how,
			const struct atsfuzz_lock_place *place);
void atsfuzz_lock_given(const void *lock, const char *name, const struct atsfuzz_lock_place *place);
/* With ATSFUZZ_LOCK_WRITE in `how`, only if nobody else has it. */
int atsfuzz_lock_is_held(const void *lock, unsigned int how);
/* RCU's sections, which nest. */
void atsfuzz_rcu_enter(void);
void atsfuzz_rcu_leave(void);
int atsfuzz_rcu_is_reader(void);
/* A rule of locking is broken: an ATSFUZZ_EVENT_LOCK_RULE. */
void atsfuzz_lock_report(const struct atsfuzz_lock_place *place, const char *format, ...);

/* ---- Log (runtime.c) ---------------------------------------------------- */

void atsfuzz_log(int level, const char *device, const char *format, ...);
void atsfuzz_warn(const char *file, unsigned int line, const char *function, int is_bug,
		  const char *format, ...);
int atsfuzz_format(char *out, unsigned long size, const char *format, va_list arguments);

/* Code of the harness in a kernel's unit: its accesses are nobody's business. */
#if defined(__clang__)
#define ATSFUZZ_HARNESS __attribute__((no_sanitize("thread")))
/* The string must stay in one piece. */
/* clang-format off */
#define ATSFUZZ_HARNESS_BEGIN \
	_Pragma("clang attribute push(__attribute__((no_sanitize(\"thread\"))), apply_to = function)")
/* clang-format on */
#define ATSFUZZ_HARNESS_END _Pragma("clang attribute pop")
#else
#define ATSFUZZ_HARNESS
#endif

/* ---- Threads (threads.c) --------------------------------------------------- */

/* Who runs; 0 outside of `par` blocks. */
extern unsigned int atsfuzz_thread;
/* How many steps the thread may still take, and one. */
extern unsigned int atsfuzz_steps_left;
/* Counts what a spinning thread may wait for: stores, releases, answers. */
extern unsigned int atsfuzz_changes;
/* By thread: how deep it is in sections that must not sleep, RCU's included. */
extern unsigned int atsfuzz_atomic[];
void atsfuzz_out_of_steps(void);

/* Before an access that somebody else may see. */
ATSFUZZ_HARNESS static inline void atsfuzz_step(void)
{
	if (__builtin_expect(!--atsfuzz_steps_left, 0))
		atsfuzz_out_of_steps();
}

/* The same before a lock is taken: nobody goes on to that as long as it is held. */
void atsfuzz_out_of_steps_before(const int *writer, const int *readers);
ATSFUZZ_HARNESS static inline void atsfuzz_step_before(const int *writer, const int *readers)
{
	if (__builtin_expect(!--atsfuzz_steps_left, 0))
		atsfuzz_out_of_steps_before(writer, readers);
}

/* A register was read, or a compare-and-exchange found something else than it
 * expected. In a `par` block, who finds the same for ever spins. */
void atsfuzz_looked(unsigned long address, unsigned long long value);

/* ---- What was touched (footprint.c), instrumented builds ------------------------ */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) /* of a kernel unit */
#define ATSFUZZ_FOOTPRINTS
#endif
#endif
#ifdef ATSFUZZ_INSTRUMENTED /* of the runtime's */
#define ATSFUZZ_FOOTPRINTS
#endif
#ifdef ATSFUZZ_FOOTPRINTS
void atsfuzz_touch(const volatile void *address, unsigned long size, int written);
void atsfuzz_touch_hardware(int written);
#else
#define atsfuzz_touch(address, size, written) ((void)(address))
#define atsfuzz_touch_hardware(written) ((void)0)
#endif

/* ---- Data races (races.c), instrumented builds ------------------------------- */

/* The thread takes along what others have left at `key`, or leaves its own there. */
void atsfuzz_race_acquire(const void *key);
void atsfuzz_race_release(const void *key);
/* A barrier: marked writes after it leave what was before it. */
void atsfuzz_race_fence(void);

/* ---- Weak memory (weak.c), instrumented builds ---------------------------------- */

/* A barrier: for stores, for loads, for both. A release, here or by the next store
 * that is not held back. */
void atsfuzz_weak_order_stores(void);
void atsfuzz_weak_order_loads(void);
void atsfuzz_weak_order_all(void);
void atsfuzz_weak_release(void);
void atsfuzz_weak_release_next(void);
/* A register is about to be written: nobody holds that back. */
void atsfuzz_weak_device(void);
/* The next store to the address is no read-modify-write. */
void atsfuzz_weak_once(const volatile void *address);
/* Where a marked load of so many bytes is to look. */
const volatile void *atsfuzz_weak_see(const volatile void *address, unsigned int size);
/* A read-modify-write is about to look here. */
void atsfuzz_weak_saw(const volatile void *address);

ATSFUZZ_HARNESS static inline void atsfuzz_changed(void)
{
	atsfuzz_changes++;
}

/* The thread that runs, from 1, and whether it may not sleep. */
ATSFUZZ_HARNESS static inline int atsfuzz_me(void)
{
	return (int)atsfuzz_thread + 1;
}
ATSFUZZ_HARNESS static inline int atsfuzz_is_atomic(void)
{
	return atsfuzz_atomic[atsfuzz_thread] != 0;
}

ATSFUZZ_HARNESS static inline void atsfuzz_enter_atomic(void)
{
	atsfuzz_touch(&atsfuzz_atomic[atsfuzz_thread], sizeof(atsfuzz_atomic[0]), 1);
	atsfuzz_atomic[atsfuzz_thread]++;
}
/* The thread has left its last such section: no reader any more. */
void atsfuzz_quiescent(void);
ATSFUZZ_HARNESS static inline void atsfuzz_leave_atomic(void)
{
	atsfuzz_touch(&atsfuzz_atomic[atsfuzz_thread], sizeof(atsfuzz_atomic[0]), 1);
	if (!--atsfuzz_atomic[atsfuzz_thread])
		atsfuzz_quiescent();
}

/*
 * A lock is held as long as one of two words is not zero. Lets others go on until
 * it is free. Nonzero: nobody will ever free it; reported.
 */
int atsfuzz_wait_for(const int *writer, const int *readers, const char *lock, const char *file,
		     unsigned int line, const char *function);
/* Until every reader of now has left its section. */
void atsfuzz_synchronize(void);

/* ---- Time, scheduling (runtime.c) ----------------------------------------- */

unsigned long long atsfuzz_time_ns(void);
void atsfuzz_delay_ns(unsigned long long ns);
/* A CPU spins. */
void atsfuzz_relax(void);

/* ---- Stores that hardware may see (glue) -------------------------------- */

/* A WRITE_ONCE of eight bytes to memory that an SMMU may read. */
void atsfuzz_store(volatile void *address, unsigned long long old_value,
		   unsigned long long new_value);

/* The stream tree may have changed (trace.c). */
void atsfuzz_trace_streams(void);

/* ---- Interrupts (interrupts.c) -------------------------------------------- */

/* As the kernel's irq_handler_t, and its IRQ_WAKE_THREAD. */
typedef int (*atsfuzz_interrupt_handler)(int line, void *data);
#define ATSFUZZ_INTERRUPT_WAKE_THREAD 2
/*
 * The line of an SMMU by its name in the firmware table; negative if it has none of
 * that name. Every second SMMU has one combined line, the others have a line for
 * each queue and one for errors.
 */
int atsfuzz_interrupt_line(unsigned int smmu, const char *name);
/* Either may be NULL. */
void atsfuzz_interrupt_request(int line, atsfuzz_interrupt_handler handler,
			       atsfuzz_interrupt_handler thread, void *data);

/* ---- PCI faults (runtime.c) ----------------------------------------------- */

enum atsfuzz_pci_call { ATSFUZZ_PCI_PREPARE_ATS, ATSFUZZ_PCI_ENABLE_ATS };
int atsfuzz_pci_call_fails(int call);

/* ---- libc, by other names ------------------------------------------------- */

/* Tests have its headers. */
#ifndef __cplusplus
void *memset(void *, int, unsigned long);
void *memcpy(void *, const void *, unsigned long);
void *memmove(void *, const void *, unsigned long);
int memcmp(const void *, const void *, unsigned long);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, unsigned long);
unsigned long strlen(const char *);
char *strchr(const char *, int);
char *strstr(const char *, const char *);
#endif

#endif /* ATSFUZZ_LINUX_KERNEL_BOUNDARY_H_ */
