/* The interrupt lines of the SMMUs, and who answers them. */

#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

enum {
	LINE_EVENTS,
	LINE_ERRORS,
	LINE_COMBINED,
	LINES_EACH,
	FIRST_LINE = 32,
	LINES = LINES_EACH * ATSFUZZ_MAX_SMMUS,
};

static const char *const names[LINES_EACH] = { "eventq", "gerror", "combined" };

static struct {
	atsfuzz_interrupt_handler handler, thread;
	void *data;
	unsigned char woken;
	unsigned char running; /* the thread: one CPU at a time has it */
} lines[LINES];
/* An interrupt does not interrupt another one's handler. */
static int delivering;

void atsfuzz_interrupts_boot(void)
{
	memset(lines, 0, sizeof(lines));
	delivering = 0;
}

int atsfuzz_interrupt_line(unsigned int smmu, const char *name)
{
	int combined = smmu % 2;

	for (int i = 0; i < LINES_EACH; i++)
		if (!strcmp(name, names[i]) && (i == LINE_COMBINED) == combined)
			return FIRST_LINE + (int)smmu * LINES_EACH + i;
	return -1;
}

void atsfuzz_interrupt_request(int line, atsfuzz_interrupt_handler handler,
			       atsfuzz_interrupt_handler thread, void *data)
{
	int at = line - FIRST_LINE;

	if (at < 0 || at >= LINES)
		return;
	lines[at].handler = handler;
	lines[at].thread = thread;
	lines[at].data = data;
}

static void fire(int at)
{
	int result = ATSFUZZ_INTERRUPT_WAKE_THREAD;

	if (lines[at].handler) {
		uint32_t interrupted = atsfuzz_locks_interrupt();

		atsfuzz_enter_atomic();
		result = lines[at].handler(FIRST_LINE + at, lines[at].data);
		atsfuzz_leave_atomic();
		atsfuzz_locks_interrupt_ends(interrupted);
	}
	if (result == ATSFUZZ_INTERRUPT_WAKE_THREAD && lines[at].thread)
		lines[at].woken = 1;
}

void atsfuzz_interrupts_deliver(void)
{
	if (delivering)
		return;
	delivering = 1;
	atsfuzz_race_acquire(&delivering);
	for (unsigned int smmu = 0; smmu < ATSFUZZ_MAX_SMMUS; smmu++) {
		unsigned int raised = atsfuzz_emulator_take_interrupts(smmu);
		int first = (int)smmu * LINES_EACH;

		if (raised)
			atsfuzz_touch_hardware(1);
		if (raised &&
		    (lines[first + LINE_COMBINED].handler || lines[first + LINE_COMBINED].thread)) {
			fire(first + LINE_COMBINED);
			continue;
		}
		if (raised & ATSFUZZ_INTERRUPT_GERROR)
			fire(first + LINE_ERRORS);
		if (raised & ATSFUZZ_INTERRUPT_EVTQ)
			fire(first + LINE_EVENTS);
	}
	atsfuzz_race_release(&delivering);
	delivering = 0;
}

void atsfuzz_interrupts_run_threads(void)
{
	int ran;

	do {
		ran = 0;
		atsfuzz_interrupts_deliver();
		for (int at = 0; at < LINES; at++) {
			if (!lines[at].woken || lines[at].running)
				continue;
			lines[at].woken = 0;
			lines[at].running = 1;
			atsfuzz_race_acquire(&lines[at]);
			lines[at].thread(FIRST_LINE + at, lines[at].data);
			atsfuzz_race_release(&lines[at]);
			lines[at].running = 0;
			ran = 1;
		}
	} while (ran);
}
