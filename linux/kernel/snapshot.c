/*
 * The state of a machine as bytes: taken, and gone back to. Where the module's
 * writable data lies is asked of the dynamic linker, once.
 *
 * A restore looks at all that the snapshot holds and writes what differs. Most of
 * it is tables that the driver has hardly touched, so a chunk that says the same
 * in each of its lines is kept as that line: it is compared with registers, and
 * only the machine's memory is read. To be told what a run has changed costs more:
 * a page fault that notes the first store to a page takes longer than to compare
 * several dozen pages.
 */

#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "linux/emulator.h"
#include "linux/kernel/glue.h"
#include "linux/kernel/runtime.h"
#include "linux/kernel/snapshot.h"

enum { CHUNK = 1024, LINE = 64 };

/* The writable data without the large variables. */
static struct atsfuzz_snapshot_range fixed[ATSFUZZ_SNAPSHOT_RANGES];
static uint32_t fixed_count;

static void append(struct atsfuzz_snapshot_range *ranges, uint32_t count, char *start,
		   const char *end)
{
	if (count >= ATSFUZZ_SNAPSHOT_RANGES)
		abort();
	ranges[count].start = start;
	ranges[count].bytes = (uint64_t)(end - start);
}

/* Takes [start, start + bytes) out of the fixed ranges. */
static void leave_out(void *start, uint64_t bytes)
{
	char *from = start, *to = from + bytes;

	for (uint32_t i = 0; i < fixed_count; i++) {
		char *first = fixed[i].start, *last = first + fixed[i].bytes;

		if (to <= first || from >= last)
			continue;
		fixed[i].bytes = from > first ? (uint64_t)(from - first) : 0;
		if (to < last)
			append(fixed, fixed_count++, to, last);
	}
}

/* Sections that are not the machine's: counters, and what is the same for ever. */
extern char __start___sancov_cntrs[] __attribute__((weak));
extern char __stop___sancov_cntrs[] __attribute__((weak));
extern char __start___sancov_pcs[] __attribute__((weak));
extern char __stop___sancov_pcs[] __attribute__((weak));
extern char __start_atsfuzz_places[] __attribute__((weak));
extern char __stop_atsfuzz_places[] __attribute__((weak));

static int is_ours(const struct dl_phdr_info *object)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && (uintptr_t)fixed - start < segment->p_memsz)
			return 1;
	}
	return 0;
}

static int find_segments(struct dl_phdr_info *object, size_t size, void *data)
{
	(void)size, (void)data;
	if (!is_ours(object))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		char *start = (char *)object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W))
			append(fixed, fixed_count++, start, start + segment->p_memsz);
	}
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_GNU_RELRO)
			leave_out((char *)object->dlpi_addr + segment->p_vaddr, segment->p_memsz);
	}
	return 1;
}

static struct atsfuzz_snapshot layout;

static void find_fixed_ranges(void)
{
	uint32_t kept = 0;

	dl_iterate_phdr(find_segments, NULL);
	leave_out(__start___sancov_cntrs, __stop___sancov_cntrs - __start___sancov_cntrs);
	leave_out(__start___sancov_pcs, __stop___sancov_pcs - __start___sancov_pcs);
	leave_out(__start_atsfuzz_places, __stop_atsfuzz_places - __start_atsfuzz_places);
	leave_out(fixed, sizeof(fixed));
	leave_out(&fixed_count, sizeof(fixed_count));
	leave_out(&layout, sizeof(layout));
	atsfuzz_module_large(leave_out);
	atsfuzz_memory_large(leave_out);
	atsfuzz_runtime_large(leave_out);
	atsfuzz_threads_large(leave_out);
	atsfuzz_races_large(leave_out);
	atsfuzz_weak_large(leave_out);
	atsfuzz_footprint_large(leave_out);
	atsfuzz_emulator_large(leave_out);
	atsfuzz_trace_large(leave_out);
	atsfuzz_driver_large(leave_out);
	for (uint32_t i = 0; i < fixed_count; i++)
		if (fixed[i].bytes)
			fixed[kept++] = fixed[i];
	fixed_count = kept;
}

static void add_part(void *start, uint64_t bytes)
{
	if (bytes)
		append(layout.ranges, layout.count++, start, (char *)start + bytes);
}

static uint64_t header_bytes(const struct atsfuzz_snapshot *snapshot)
{
	return offsetof(struct atsfuzz_snapshot, ranges) +
	       snapshot->count * sizeof(struct atsfuzz_snapshot_range);
}

static void lay_out(void)
{
	if (!fixed_count)
		find_fixed_ranges();
	memcpy(layout.ranges, fixed, fixed_count * sizeof(fixed[0]));
	layout.count = fixed_count;
	atsfuzz_memory_parts(add_part);
	atsfuzz_runtime_parts(add_part);
	atsfuzz_emulator_parts(add_part);
	atsfuzz_trace_parts(add_part);
	atsfuzz_driver_parts(add_part);
	layout.chunks = 0;
	for (uint32_t i = 0; i < layout.count; i++)
		layout.chunks += (layout.ranges[i].bytes + CHUNK - 1) / CHUNK;
}

/* Chunk after chunk of the ranges. */
struct cursor {
	const struct atsfuzz_snapshot *snapshot;
	uint64_t range, offset;
};

/* The next chunk and its bytes; NULL after the last. */
static char *next_chunk(struct cursor *at, uint64_t *bytes)
{
	const struct atsfuzz_snapshot_range *range = &at->snapshot->ranges[at->range];
	char *start;

	if (at->range == at->snapshot->count)
		return NULL;
	start = range->start + at->offset;
	*bytes = range->bytes - at->offset;
	if (*bytes > CHUNK) {
		*bytes = CHUNK;
		at->offset += CHUNK;
	} else {
		at->range++;
		at->offset = 0;
	}
	return start;
}

/* Whether each line of the chunk, which is whole, says what `line` does. */
static int says_only(const char *chunk, const char *line)
{
	unsigned long differs = 0;

	for (int i = 0; i < CHUNK; i += LINE)
		for (int n = 0; n < LINE; n += (int)sizeof(long)) {
			unsigned long is, should;

			memcpy(&is, chunk + i + n, sizeof(is));
			memcpy(&should, line + n, sizeof(should));
			differs |= is ^ should;
		}
	return !differs;
}

#ifdef __x86_64__
/* The same with registers of 32 bytes: as fast as the second-level cache gives. */
__attribute__((target("avx2"))) static int says_only_avx2(const char *chunk, const char *line)
{
	const __m256i *is = (const __m256i *)chunk;
	__m256i low = _mm256_loadu_si256((const __m256i *)line);
	__m256i high = _mm256_loadu_si256((const __m256i *)line + 1);
	__m256i differs[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };

#pragma GCC unroll 4
	for (int i = 0; i < CHUNK / LINE; i++) {
		differs[0] |= _mm256_loadu_si256(is + 2 * i) ^ low;
		differs[1] |= _mm256_loadu_si256(is + 2 * i + 1) ^ high;
	}
	differs[0] |= differs[1];
	return _mm256_testz_si256(differs[0], differs[0]);
}
#endif

/* Brings a chunk back to a line, again and again. */
static void repeat(char *chunk, const char *line)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") ? says_only_avx2(chunk, line) : says_only(chunk, line))
		return;
#else
	if (says_only(chunk, line))
		return;
#endif
	for (int i = 0; i < CHUNK; i += LINE)
		memcpy(chunk + i, line, LINE);
}

uint64_t atsfuzz_snapshot_take(void *buffer, uint64_t room)
{
	struct cursor at = { &layout, 0, 0 };
	uint8_t *repeats;
	char *out, *chunk;
	uint64_t bytes, most;

	lay_out();
	most = header_bytes(&layout) + layout.chunks * (1 + CHUNK);
	if (most > room)
		return most;
	repeats = (uint8_t *)buffer + header_bytes(&layout);
	out = (char *)repeats + layout.chunks;
	while ((chunk = next_chunk(&at, &bytes))) {
		*repeats = bytes == CHUNK && says_only(chunk, chunk);
		if (*repeats++)
			bytes = LINE;
		memcpy(out, chunk, bytes);
		out += bytes;
	}
	layout.bytes = (uint64_t)(out - (char *)buffer);
	memcpy(buffer, &layout, header_bytes(&layout));
	return layout.bytes;
}

void atsfuzz_snapshot_restore(const void *buffer)
{
	const struct atsfuzz_snapshot *snapshot = buffer;
	const uint8_t *repeats = (const uint8_t *)buffer + header_bytes(snapshot);
	const char *in = (const char *)repeats + snapshot->chunks;
	struct cursor at = { snapshot, 0, 0 };
	uint64_t bytes;
	char *chunk;

	atsfuzz_emulator_switch_off();
	while ((chunk = next_chunk(&at, &bytes))) {
		if (*repeats++) {
			repeat(chunk, in);
			in += LINE;
			continue;
		}
		if (memcmp(chunk, in, bytes))
			memcpy(chunk, in, bytes);
		in += bytes;
	}
	atsfuzz_memory_restored();
}
