#ifndef ATSFUZZ_LINUX_KERNEL_RUNTIME_H_
#define ATSFUZZ_LINUX_KERNEL_RUNTIME_H_

/* What the runtime's own files share. libc's side of the boundary. */

#include "linux/module.h"

/* ---- runtime.c ------------------------------------------------------------ */

/* The operation that runs; NULL while booting or shutting down. */
const struct atsfuzz_request *atsfuzz_current_request(void);
void atsfuzz_runtime_boot(void);
/* Starts an operation, or with NULL a boot or shutdown: clears the events. */
void atsfuzz_runtime_begin(const struct atsfuzz_request *request);
const struct atsfuzz_event *atsfuzz_runtime_events(uint32_t *count);
/*
 * Runs `step` until it returns, or until the kernel dies in it (BUG, endless
 * wait). Nonzero: it died, and nothing of the machine may run again.
 */
int atsfuzz_runtime_guard(void (*step)(void *), void *data);

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
/* The frame below which no kernel code runs. */
void atsfuzz_trace_bottom(const void *frame);

#endif /* ATSFUZZ_LINUX_KERNEL_RUNTIME_H_ */
