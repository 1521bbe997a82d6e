#ifndef ATSFUZZ_LINUX_KERNEL_MM_H_
#define ATSFUZZ_LINUX_KERNEL_MM_H_

/*
 * The processes of a scenario, by the slot of their domain. A process begins when
 * it is first asked for, and again after it has ended and nothing holds it.
 */

struct mm_struct;

/* The address space of a process, living or ended; NULL: there is none. */
struct mm_struct *atsfuzz_mm_find(unsigned int process);
/* The same; begins the process if there is none. */
struct mm_struct *atsfuzz_mm_get(unsigned int process);

#endif /* ATSFUZZ_LINUX_KERNEL_MM_H_ */
