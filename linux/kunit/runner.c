/* The table of the kernel's own tests: runs a case and tells how it went. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"
#include "linux/kunit/case.h"
#include "linux/kunit/table.h"

extern const struct atsfuzz_module atsfuzz_module;

static jmp_buf leave;
static struct atsfuzz_kunit_result *result;

/* The place of a file in its tree, wherever that lies. */
static const char *in_tree(const char *file)
{
	const char *at = strstr(file, "/drivers/iommu/");

	return at ? at + 1 : file;
}

void atsfuzz_kunit_failed(const char *file, int line, const char *format, ...)
{
	va_list arguments;
	int length;

	if (!result->passed)
		return;
	result->passed = 0;
	length = snprintf(result->failure, sizeof(result->failure), "%s:%d: ", in_tree(file), line);
	if (length < 0 || (size_t)length >= sizeof(result->failure))
		return;
	va_start(arguments, format);
	vsnprintf(result->failure + length, sizeof(result->failure) - (size_t)length, format,
		  arguments);
	va_end(arguments);
}

void atsfuzz_kunit_leave(void)
{
	longjmp(leave, 1);
}

static void run_step(void *data)
{
	if (!setjmp(leave))
		atsfuzz_kunit_run(*(const uint32_t *)data);
}

static void finish_step(void *data)
{
	(void)data;
	atsfuzz_kunit_finish();
}

static uint32_t count_warnings(void)
{
	const struct atsfuzz_event *events;
	uint32_t count, warnings = 0;

	events = atsfuzz_runtime_events(&count);
	for (uint32_t i = 0; i < count; i++)
		warnings += events[i].kind == ATSFUZZ_EVENT_WARN ||
			    events[i].kind == ATSFUZZ_EVENT_MEMORY_ERROR;
	return warnings;
}

static void run(uint32_t index, struct atsfuzz_kunit_result *out)
{
	static const struct atsfuzz_machine nothing;

	memset(out, 0, sizeof(*out));
	result = out;
	out->passed = 1;
	if (atsfuzz_module.boot(&nothing)) {
		atsfuzz_kunit_failed(__FILE__, __LINE__, "the machine did not boot");
		return;
	}
	out->died = atsfuzz_runtime_guard(run_step, &index) != 0;
	if (out->died)
		atsfuzz_kunit_failed(__FILE__, __LINE__, "the kernel died in the case");
	else
		atsfuzz_runtime_guard(finish_step, NULL);
	atsfuzz_memory_grace_period();
	out->warnings = count_warnings();
	out->leaked = atsfuzz_memory_live_count();
}

static const char *name(uint32_t index)
{
	return atsfuzz_kunit_name(index);
}

__attribute__((visibility("default"))) const struct atsfuzz_kunit atsfuzz_kunit = {
	.abi = ATSFUZZ_KUNIT_ABI,
	.name = name,
	.run = run,
};
