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
	MAX_EVENTS = 8192,
	TEXT_BYTES = 1 << 16,
	/* Spins after which nothing can end a wait any more: no other CPU runs. */
	SPINS_TIMEOUT = 1000,
	SPINS_HANG = 200000,
};

static struct atsfuzz_event events[MAX_EVENTS + 1];
static uint32_t event_count;
static char texts[TEXT_BYTES];
static uint32_t text_used;
static struct atsfuzz_request current;
static int running;
static uint64_t now_ns;
static uint32_t spins, stalled_spins;
static jmp_buf death;
static int guarded;

const struct atsfuzz_request *atsfuzz_current_request(void)
{
	return running ? &current : NULL;
}

void atsfuzz_runtime_boot(void)
{
	now_ns = 0;
	running = 0;
	event_count = text_used = 0;
}

void atsfuzz_runtime_begin(const struct atsfuzz_request *request)
{
	running = request != NULL;
	if (request)
		current = *request;
	event_count = text_used = 0;
	spins = stalled_spins = 0;
}

const struct atsfuzz_event *atsfuzz_runtime_events(uint32_t *count)
{
	*count = event_count;
	return events;
}

struct atsfuzz_event *atsfuzz_event_add(uint16_t kind)
{
	struct atsfuzz_event *event = &events[event_count];

	if (event_count < MAX_EVENTS)
		event_count++;
	memset(event, 0, sizeof(*event));
	event->kind = event_count < MAX_EVENTS ? kind : ATSFUZZ_EVENT_OVERFLOW;
	event->smmu = event->function = ATSFUZZ_NONE;
	event->stack = atsfuzz_trace_stack();
	return event;
}

int atsfuzz_runtime_guard(void (*step)(void *), void *data)
{
	int died;

	guarded = 1;
	died = setjmp(death);
	if (!died)
		step(data);
	guarded = 0;
	return died;
}

static void die(void)
{
	if (guarded)
		longjmp(death, 1);
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
	if (!running && level >= 6)
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

/* ---- Time ------------------------------------------------------------------------ */

unsigned long long atsfuzz_time_ns(void)
{
	return now_ns;
}

void atsfuzz_delay_ns(unsigned long long ns)
{
	now_ns += ns;
	atsfuzz_relax();
}

void atsfuzz_relax(void)
{
	now_ns += 1000;
	atsfuzz_interrupts_deliver();
	/* A stall is the scenario's; whoever waits for its end gives up by the clock. */
	if (atsfuzz_emulator_stalled()) {
		if (++stalled_spins == SPINS_HANG)
			die();
		return;
	}
	if (++spins == SPINS_TIMEOUT)
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
	if (!running)
		return 0;
	return call == ATSFUZZ_PCI_PREPARE_ATS ? current.prepare_ats : current.enable_ats;
}

void atsfuzz_store(volatile void *address, unsigned long long old_value,
		   unsigned long long new_value)
{
	struct atsfuzz_event *event;
	unsigned int ssid, owner;

	if (atsfuzz_emulator_stored((const void *)address, old_value, new_value))
		return;
	owner = atsfuzz_driver_cd_owner(address, &ssid);
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
	variable(&death, sizeof(death));
}

void atsfuzz_runtime_parts(void (*part)(void *start, uint64_t bytes))
{
	part(events, event_count * sizeof(events[0]));
	part(texts, text_used);
}
