#ifndef ATSFUZZ_LINUX_KUNIT_CASE_H_
#define ATSFUZZ_LINUX_KUNIT_CASE_H_

/*
 * Between the unit that holds the driver and its tests (suite.c) and the one that
 * has libc (runner.c). Plain C types.
 */

/* Case `index` of all suites in order: its name; NULL beyond the last. */
const char *atsfuzz_kunit_name(unsigned int index);
/* Initialises the case's suite and runs the case. */
void atsfuzz_kunit_run(unsigned int index);
/* After a case, however it ended: frees what KUnit frees. */
void atsfuzz_kunit_finish(void);

/* An expectation does not hold. The first one of a case is kept. */
void atsfuzz_kunit_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Leaves the case that runs. */
void atsfuzz_kunit_leave(void) __attribute__((noreturn));

#endif /* ATSFUZZ_LINUX_KUNIT_CASE_H_ */
