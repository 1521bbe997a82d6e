/* Events, the kernel log, virtual time, and what ends a kernel's life. */

#include "linux/kernel/runtime.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/glue.h"

enum {
	MAX_EVENTS = 1 << 15,
	TEXT_BYTES = 1 << 16,
	/* Spins after which nothing can end a wait any more: no other CPU runs. */
	SPINS_TIMEOUT = 1000,
	SPINS_HANG = 200000,
	/* Of an operation that is alone: SPINS_HANG takes half as many. */
	STEPS_HANG = 1 << 21,
};

static struct atsfuzz_event events[MAX_EVENTS + 1];
static uint32_t event_count;
static uint32_t changes;
static char texts[TEXT_BYTES];
static uint32_t text_used;
static uint64_t now_ns;
static struct {
	struct atsfuzz_request request;
	uint32_t running, spins, stalled_spins;
} threads[THREADS];
/* Where a thread's kernel ends if it dies; not while unguarded. */
static jmp_buf death[THREADS];
static uint8_t guarded[THREADS];

const struct atsfuzz_request *atsfuzz_current_request(void)
{
	return threads[atsfuzz_thread].running ? &threads[atsfuzz_thread].request : NULL;
}

void atsfuzz_runtime_boot(void)
{
	now_ns = 0;
	changes = 0;
	memset(threads, 0, sizeof(threads));
	memset(guarded, 0, sizeof(guarded));
	atsfuzz_runtime_begin(NULL);
}

void atsfuzz_runtime_begin_beside(const struct atsfuzz_request *request)
{
	threads[atsfuzz_thread].running = request != NULL;
	if (request)
		threads[atsfuzz_thread].request = *request;
	threads[atsfuzz_thread].spins = threads[atsfuzz_thread].stalled_spins = 0;
}

int atsfuzz_runtime_in_flight(void)
{
	for (int i = 1; i < THREADS; i++)
		if (threads[i].running)
			return 1;
	return 0;
}

void atsfuzz_runtime_begin(const struct atsfuzz_request *request)
{
	event_count = text_used = 0;
	atsfuzz_runtime_begin_beside(request);
}

const struct atsfuzz_event *atsfuzz_runtime_events(uint32_t *count)
{
	*count = event_count;
	return events;
}

uint32_t atsfuzz_runtime_changes(void)
{
	return changes;
}

struct atsfuzz_event *atsfuzz_event_add(uint16_t kind)
{
	struct atsfuzz_event *event = &events[event_count];

	if (event_count < MAX_EVENTS)
		event_count++;
	memset(event, 0, sizeof(*event));
	event->kind = event_count < MAX_EVENTS ? kind : ATSFUZZ_EVENT_OVERFLOW;
	event->smmu = event->function = ATSFUZZ_NONE;
	event->thread = (uint8_t)atsfuzz_thread;
	event->stack = atsfuzz_trace_stack();
	if (kind != ATSFUZZ_EVENT_STOP)
		changes++;
	if (kind != ATSFUZZ_EVENT_ALLOC && kind != ATSFUZZ_EVENT_STOP &&
	    kind != ATSFUZZ_EVENT_DATA_RACE)
		atsfuzz_touch_hardware(1);
	return event;
}

int atsfuzz_runtime_guard(void (*step)(void *), void *data)
{
	int died;

	if (!atsfuzz_threads_side_by_side())
		atsfuzz_steps_left = STEPS_HANG;
	guarded[atsfuzz_thread] = 1;
	died = setjmp(death[atsfuzz_thread]);
	if (!died)
		step(data);
	guarded[atsfuzz_thread] = 0;
	return died;
}

static void die(void)
{
	if (guarded[atsfuzz_thread])
		longjmp(death[atsfuzz_thread], 1);
}

void atsfuzz_runtime_hang(void)
{
	struct atsfuzz_event *event = atsfuzz_event_add(ATSFUZZ_EVENT_TIMEOUT);

	event->a = event->b = 1;
	die();
}

/* ---- Log --------------------------------------------------------------------- */

/*
 * printk's own conversions, as far as the sources under test use them: %pa (a
 * pointer to an address), %pR and %pr (a resource), %pe, %pOF. They print a
 * placeholder: what matters is the message, and addresses are no results.
 */
int atsfuzz_format(char *out, unsigned long size, const char *format, va_list arguments)
{
	char plain[512];
	size_t at = 0;

	for (const char *p = format; *p && at + 4 < sizeof(plain); p++) {
		plain[at++] = *p;
		if (p[0] == '%' && p[1] == 'p') {
			while (p[1] == 'p' || p[1] == 'a' || p[1] == 'R' || p[1] == 'r' ||
			       p[1] == 'e' || p[1] == 'O' || p[1] == 'F')
				p++;
			memcpy(plain + at, ".0s", 3);
			at += 3;
		}
	}
	plain[at] = 0;
	return vsnprintf(out, size, plain, arguments);
}

static const char *keep_text(const char *prefix, const char *format, va_list arguments)
{
	char *text = texts + text_used;
	size_t room = sizeof(texts) - text_used;
	int length = 0;

	if (room < 600)
		return "";
	if (prefix)
		length = snprintf(text, room, "%s: ", prefix);
	length += atsfuzz_format(text + length, room - length, format, arguments);
	if ((size_t)length >= room)
		length = (int)room - 1;
	while (length && text[length - 1] == '\n')
		text[--length] = 0;
	text_used += length + 1;
	return text;
}

void atsfuzz_log(int level, const char *device, const char *format, ...)
{
	struct atsfuzz_event *event;
	va_list arguments;

	/* What every boot prints is no news. */
	if (!atsfuzz_current_request() && level >= 6)
		return;
	event = atsfuzz_event_add(ATSFUZZ_EVENT_LOG);
	event->a = (uint64_t)level;
	va_start(arguments, format);
	event->text = keep_text(device, format, arguments);
	va_end(arguments);
}

void atsfuzz_warn(const char *file, unsigned int line, const char *function, int is_bug,
		  const char *format, ...)
{
	struct atsfuzz_event *event = atsfuzz_event_add(ATSFUZZ_EVENT_WARN);
	va_list arguments;

	event->a = (uint64_t)is_bug;
	event->file = file;
	event->line = line;
	event->kernel_function = function;
	va_start(arguments, format);
	event->text = keep_text(NULL, format, arguments);
	va_end(arguments);
	if (is_bug)
		die();
}

void atsfuzz_lock_report(const struct atsfuzz_lock_place *place, const char *format, ...)
{
	struct atsfuzz_event *event = atsfuzz_event_add(ATSFUZZ_EVENT_LOCK_RULE);
	va_list arguments;

	event->file = place->file;
	event->line = place->line;
	event->kernel_function = place->function;
	va_start(arguments, format);
	event->text = keep_text(NULL, format, arguments);
	va_end(arguments);
}

/* ---- Time ------------------------------------------------------------------------ */

unsigned long long atsfuzz_time_ns(void)
{
	return now_ns;
}

void atsfuzz_delay_ns(unsigned long long ns)
{
	if (!atsfuzz_threads_side_by_side())
		now_ns += ns;
	atsfuzz_relax();
}

void atsfuzz_runtime_pass_time(void)
{
	now_ns += 1000000;
}

static void relax_beside(void)
{
	atsfuzz_interrupts_deliver();
	atsfuzz_threads_spin();
}

void atsfuzz_relax(void)
{
	uint32_t spins;

	if (atsfuzz_threads_side_by_side()) {
		relax_beside();
		return;
	}
	now_ns += 1000;
	atsfuzz_interrupts_deliver();
	/* A stall is the scenario's; whoever waits for its end gives up by the clock. */
	if (atsfuzz_emulator_stalled()) {
		if (++threads[0].stalled_spins == SPINS_HANG)
			die();
		return;
	}
	spins = ++threads[0].spins;
	if (spins == SPINS_TIMEOUT)
		atsfuzz_event_add(ATSFUZZ_EVENT_TIMEOUT);
	if (spins > SPINS_TIMEOUT)
		now_ns += 1000000;
	if (spins == SPINS_HANG) {
		atsfuzz_event_add(ATSFUZZ_EVENT_TIMEOUT)->a = 1;
		die();
	}
}

/* ---- Faults and stores -------------------------------------------------------------- */

int atsfuzz_pci_call_fails(int call)
{
	const struct atsfuzz_request *request = atsfuzz_current_request();

	if (!request)
		return 0;
	return call == ATSFUZZ_PCI_PREPARE_ATS ? request->prepare_ats : request->enable_ats;
}

void atsfuzz_store(volatile void *address, unsigned long long old_value,
		   unsigned long long new_value)
{
	struct atsfuzz_event *event;
	unsigned int ssid, owner;

	if (atsfuzz_emulator_stored((const void *)address, old_value, new_value))
		return;
	atsfuzz_trace_look_away(1);
	owner = atsfuzz_driver_cd_owner(address, &ssid);
	atsfuzz_trace_look_away(0);
	if (owner == ATSFUZZ_NONE) {
		/* The address sanitizer notices by itself, with a stack. */
		if (!atsfuzz_dma_memory_live((uint64_t)(uintptr_t)address, 8))
			atsfuzz_event_add(ATSFUZZ_EVENT_MEMORY_ERROR)->text =
				"driver stored to memory that is not allocated";
		return;
	}
	event = atsfuzz_event_add(ATSFUZZ_EVENT_CD_WRITE);
	event->function = owner;
	event->stream = ssid;
	event->a = ((uintptr_t)address & 63) / 8;
	event->b = old_value;
	event->c = new_value;
}

/* ---- Snapshots --------------------------------------------------------------- */

void atsfuzz_runtime_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(events, sizeof(events));
	variable(texts, sizeof(texts));
	/* Set anew before each use; holds addresses of the stack. */
	variable(death, sizeof(death));
}

void atsfuzz_runtime_parts(void (*part)(void *start, uint64_t bytes))
{
	part(events, event_count * sizeof(events[0]));
	part(texts, text_used);
}
