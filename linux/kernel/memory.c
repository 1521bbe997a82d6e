/*
 * The allocator of a machine. One arena at a fixed address, halves for kernel
 * memory and for memory that an SMMU reads; blocks of power-of-two size, aligned
 * to their size (at least 64 bytes), so addresses follow from the sequence of
 * calls alone. A boot starts the arena over.
 *
 * Sanitized builds never reuse a block within a boot and poison what is not
 * allocated, so that AddressSanitizer reports a use after free or an overflow.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/runtime.h"

#if defined(__has_feature) && __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define SANITIZED 1
#define POISON(address, size) __asan_poison_memory_region(address, size)
#define UNPOISON(address, size) __asan_unpoison_memory_region(address, size)
#else
#define SANITIZED 0
#define POISON(address, size) ((void)(address))
#define UNPOISON(address, size) ((void)(address))
#endif

enum {
	HALF_SHIFT = 25, /* 32 MiB each */
	UNIT_SHIFT = 6,
	CLASSES = 20,
	MAX_MANAGED = 64,
	MAX_DEFERRED = 256,
	UNITS = 1 << (HALF_SHIFT - UNIT_SHIFT),
};
#define HALF_SIZE (1ul << HALF_SHIFT)

struct block {
	uint32_t unit; /* where it starts */
	uint32_t size; /* as asked for */
	uint8_t class; /* log2 of the block's size */
	uint8_t live;
	uint8_t flags;
	uint32_t next; /* free list: number + 1 of the next free block */
	const struct atsfuzz_place *place;
};

/*
 * Blocks are numbered in the order in which they were cut from the half, and stay.
 * What `numbers` says of a unit counts only if that block says that it starts
 * there: nothing must be cleared when a boot or a snapshot starts over.
 */
struct half {
	uint8_t *base;
	struct block *blocks; /* by number */
	uint32_t *numbers;    /* by unit */
	uint32_t count;	      /* blocks in this boot */
	size_t used;	      /* bytes from base ever handed out in this boot */
	uint32_t free[CLASSES];
};

static struct half halves[2]; /* kernel memory, DMA memory */
static uint32_t live;
static const void *managed[MAX_MANAGED];
static uint32_t managed_count;
static struct {
	const void *address;
	struct atsfuzz_grace grace;
} deferred[MAX_DEFERRED];
static uint32_t deferred_count;
/* By thread: of its operation's last allocation, from 1. */
static uint64_t numbers[THREADS];

/* Arenas of modules in one process lie side by side, at the first free place. */
static uint8_t *reserve(size_t size)
{
	for (uintptr_t at = 0x500000000000; at < 0x540000000000; at += 0x1000000000) {
		void *got = mmap((void *)at, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				 -1, 0);
		if (got == (void *)at)
			return got;
		if (got != MAP_FAILED)
			munmap(got, size);
	}
	fprintf(stderr, "atsfuzz: no room for the driver's memory at its fixed address\n");
	abort();
}

static void *anywhere(size_t size)
{
	void *got = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (got == MAP_FAILED)
		abort();
	return got;
}

static void set_up(void)
{
	uint8_t *base = reserve(2 * HALF_SIZE);

	for (int i = 0; i < 2; i++) {
		halves[i].base = base + i * HALF_SIZE;
		halves[i].blocks = anywhere(UNITS * sizeof(struct block));
		halves[i].numbers = anywhere(UNITS * sizeof(uint32_t));
		POISON(halves[i].base, HALF_SIZE);
	}
}

/* The module is unloaded: its place is free for the next one. */
__attribute__((destructor)) static void give_back(void)
{
	if (!halves[0].base)
		return;
	UNPOISON(halves[0].base, 2 * HALF_SIZE);
	munmap(halves[0].base, 2 * HALF_SIZE);
	for (int i = 0; i < 2; i++) {
		munmap(halves[i].blocks, UNITS * sizeof(struct block));
		munmap(halves[i].numbers, UNITS * sizeof(uint32_t));
	}
}

void atsfuzz_memory_reset(void)
{
	if (!halves[0].base)
		set_up();
	live = managed_count = deferred_count = 0;
	memset(numbers, 0, sizeof(numbers));
	for (int i = 0; i < 2; i++) {
		POISON(halves[i].base, halves[i].used);
		halves[i].used = halves[i].count = 0;
		memset(halves[i].free, 0, sizeof(halves[i].free));
	}
}

void atsfuzz_memory_begin_operation(void)
{
	numbers[atsfuzz_thread] = 0;
}

/* The block that starts in the unit of `address`, or NULL. */
static struct block *block_at(struct half *half, const void *address)
{
	uint32_t unit = (uint32_t)(((const uint8_t *)address - half->base) >> UNIT_SHIFT);
	uint32_t at = half->numbers[unit];

	return at < half->count && half->blocks[at].unit == unit ? &half->blocks[at] : NULL;
}

static struct half *half_of(const void *address)
{
	size_t offset = (const uint8_t *)address - halves[0].base;

	return offset < 2 * HALF_SIZE ? &halves[offset >> HALF_SHIFT] : NULL;
}

/* The record of the live block that starts at `address`, or NULL. */
static struct block *live_block(const void *address)
{
	struct half *half = half_of(address);
	struct block *block;

	if (!half || ((uintptr_t)address & ((1u << UNIT_SHIFT) - 1)))
		return NULL;
	block = block_at(half, address);
	return block && block->live ? block : NULL;
}

static uint8_t class_of(size_t size)
{
	return size <= (1u << UNIT_SHIFT) ? UNIT_SHIFT : (uint8_t)(64 - __builtin_clzll(size - 1));
}

/* A block of a class that has none to reuse; NULL: the half is full. */
static struct block *cut(struct half *half, uint8_t class)
{
	size_t bytes = 1ul << class;
	size_t start = (half->used + bytes - 1) & ~(bytes - 1);
	struct block *block = &half->blocks[half->count];

	if (start + bytes > HALF_SIZE)
		return NULL;
	/* What lies between blocks is the same in every run, too. */
	if (!SANITIZED)
		memset(half->base + half->used, 0, start - half->used);
	/* A gap after the block makes an overflow hit poison. */
	half->used = start + bytes + (SANITIZED ? 64 : 0);
	block->unit = (uint32_t)(start >> UNIT_SHIFT);
	block->class = class;
	half->numbers[block->unit] = half->count++;
	return block;
}

static struct block *take(struct half *half, uint8_t class)
{
	uint32_t *free;
	struct block *block;

	if (class - UNIT_SHIFT >= CLASSES)
		return NULL;
	free = &half->free[class - UNIT_SHIFT];
	if (SANITIZED || !*free)
		return cut(half, class);
	block = &half->blocks[*free - 1];
	*free = block->next;
	return block;
}

/* ---- Faults and sites ------------------------------------------------------ */

static const struct {
	const char *function;
	uint8_t site;
} sites[] = {
	{ "arm_smmu_probe_device", ATSFUZZ_ALLOC_MASTER },
	{ "arm_smmu_insert_master", ATSFUZZ_ALLOC_STREAMS },
	{ "arm_smmu_init_l2_strtab", ATSFUZZ_ALLOC_STREAM_TABLE },
	{ "arm_smmu_alloc_cd_tables", ATSFUZZ_ALLOC_CD_TABLE },
	{ "arm_smmu_alloc_cd_ptr", ATSFUZZ_ALLOC_CD_LEAF },
	{ "arm_smmu_alloc_cd_leaf_table", ATSFUZZ_ALLOC_CD_LEAF },
	{ "arm_smmu_attach_prepare", ATSFUZZ_ALLOC_ATTACHMENT },
	{ "arm_smmu_attach_prepare_vmaster", ATSFUZZ_ALLOC_ATTACHMENT },
	{ "arm_smmu_domain_alloc", ATSFUZZ_ALLOC_DOMAIN },
	{ "arm_vsmmu_alloc_domain_nested", ATSFUZZ_ALLOC_DOMAIN },
	{ "arm_smmu_domain_finalise_s1", ATSFUZZ_ALLOC_ID },
	{ "arm_smmu_domain_finalise_s2", ATSFUZZ_ALLOC_ID },
	{ "arm_lpae_alloc_pgtable", ATSFUZZ_ALLOC_PAGE_TABLE },
	{ "__arm_lpae_alloc_pages", ATSFUZZ_ALLOC_PAGE_TABLE },
	{ "iommu_alloc_pages_node", ATSFUZZ_ALLOC_PAGE_TABLE },
	{ "__iommu_alloc_pages", ATSFUZZ_ALLOC_PAGE_TABLE },
	{ "iommu_alloc_pages_node_sz", ATSFUZZ_ALLOC_PAGE_TABLE },
	{ "iommu_group_alloc", ATSFUZZ_ALLOC_GROUP },
	{ "iommu_group_alloc_device", ATSFUZZ_ALLOC_GROUP },
	{ "iommu_group_add_device", ATSFUZZ_ALLOC_GROUP },
	{ "arm_smmu_invs_alloc", ATSFUZZ_ALLOC_MERGE },
	{ "arm_smmu_invs_merge", ATSFUZZ_ALLOC_MERGE },
};

static uint8_t site_of(struct atsfuzz_place *place)
{
	if (!place->site) {
		place->site = ATSFUZZ_ALLOC_CORE + 1;
		for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++)
			if (!strcmp(sites[i].function, place->function))
				place->site = sites[i].site + 1;
	}
	return place->site - 1;
}

int atsfuzz_memory_fails(unsigned long size, struct atsfuzz_place *place)
{
	const struct atsfuzz_request *request = atsfuzz_current_request();
	uint8_t site = site_of(place);
	uint64_t number = ++numbers[atsfuzz_thread];
	int fails;
	struct atsfuzz_event *event;

	fails = request && ((request->alloc_sites >> site & 1) ||
			    (number <= 64 && (request->alloc_numbers >> (number - 1) & 1)));
	event = atsfuzz_event_add(ATSFUZZ_EVENT_ALLOC);
	event->a = size;
	event->b = number;
	event->c = site | (fails ? 0x100 : 0);
	event->file = place->file;
	event->kernel_function = place->function;
	event->line = place->line;
	return fails;
}

/* Which address an allocation gets depends on those before. */
static void touch_allocator(void)
{
	atsfuzz_touch(&live, sizeof(live), 1);
}

void *atsfuzz_memory_allocate(unsigned long size, unsigned int flags, struct atsfuzz_place *place)
{
	struct half *half = &halves[(flags & ATSFUZZ_MEMORY_DMA) != 0];
	struct block *block;
	uint8_t class = class_of(size ? size : 1);
	void *memory;

	if (!(flags & ATSFUZZ_MEMORY_INFALLIBLE) && atsfuzz_memory_fails(size, place))
		return NULL;
	touch_allocator();
	block = take(half, class);
	if (!block)
		return NULL;
	memory = half->base + ((size_t)block->unit << UNIT_SHIFT);
	UNPOISON(memory, size);
	memset(memory, flags & ATSFUZZ_MEMORY_ZERO ? 0 : 0xaa, SANITIZED ? size : 1ul << class);
	block->size = size;
	block->live = 1;
	block->flags = flags;
	block->place = place;
	if (flags & ATSFUZZ_MEMORY_MANAGED) {
		if (managed_count < MAX_MANAGED)
			managed[managed_count++] = memory;
	} else if (!(flags & ATSFUZZ_MEMORY_INFALLIBLE)) {
		live++;
	}
	atsfuzz_races_forget(memory, size);
	atsfuzz_touch(memory, size, 1);
	if (flags & ATSFUZZ_MEMORY_DMA)
		atsfuzz_races_forget(atsfuzz_memory_page_descriptor(memory),
				     ATSFUZZ_PAGE_DESCRIPTOR_BYTES);
	return memory;
}

int atsfuzz_memory_holds(const void *address)
{
	return half_of(address) != NULL;
}

static void memory_error(const char *what, const void *address)
{
	struct half *half = half_of(address);
	struct block *block = half && !((uintptr_t)address & 63) ? block_at(half, address) : NULL;
	struct atsfuzz_event *event = atsfuzz_event_add(ATSFUZZ_EVENT_MEMORY_ERROR);

	event->text = what;
	if (block && block->place) {
		const struct atsfuzz_place *place = block->place;

		event->file = place->file;
		event->kernel_function = place->function;
		event->line = place->line;
	}
}

void atsfuzz_memory_free(const void *address)
{
	struct block *block;
	struct half *half;

	if ((uintptr_t)address <= 16) /* NULL and ZERO_SIZE_PTR */
		return;
	block = live_block(address);
	if (!block) {
		memory_error("free of memory that is not allocated (double free?), allocated here",
			     address);
		return;
	}
	half = half_of(address);
	touch_allocator();
	block->live = 0;
	atsfuzz_weak_forget(address, block->size);
	atsfuzz_touch(address, block->size, 1);
	if (!(block->flags & (ATSFUZZ_MEMORY_MANAGED | ATSFUZZ_MEMORY_INFALLIBLE)))
		live--;
	/* SLAB's poison: a use after free reads something recognisable. */
	memset((void *)address, 0x6b, block->size);
	POISON(address, 1ul << block->class);
	block->next = half->free[block->class - UNIT_SHIFT];
	half->free[block->class - UNIT_SHIFT] = (uint32_t)(block - half->blocks) + 1;
}

static void free_unread(void)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < deferred_count; i++) {
		if (!atsfuzz_grace_is_over(&deferred[i].grace))
			deferred[kept++] = deferred[i];
		else
			atsfuzz_memory_free(deferred[i].address);
	}
	deferred_count = kept;
}

void atsfuzz_memory_free_deferred(const void *address)
{
	if (deferred_count == MAX_DEFERRED)
		atsfuzz_memory_grace_period();
	deferred[deferred_count].address = address;
	deferred[deferred_count].grace = (struct atsfuzz_grace){ .asker = atsfuzz_thread };
	/* The earliest end of a grace period is the hardest for whoever forgot one. */
	if (atsfuzz_threads_side_by_side() && !atsfuzz_threads_hold_grace())
		atsfuzz_grace_begin(&deferred[deferred_count].grace);
	deferred_count++;
	if (atsfuzz_threads_side_by_side())
		free_unread();
}

int atsfuzz_memory_quiescent(unsigned int thread)
{
	int waited = 0;

	for (uint32_t i = 0; i < deferred_count; i++)
		waited |= atsfuzz_grace_leave(&deferred[i].grace, thread);
	if (!atsfuzz_threads_hold_grace())
		free_unread();
	return waited;
}

int atsfuzz_memory_grace_ready(void)
{
	for (uint32_t i = 0; i < deferred_count; i++)
		if (atsfuzz_grace_can_go_on(&deferred[i].grace))
			return 1;
	return 0;
}

unsigned int atsfuzz_memory_move_grace(void)
{
	unsigned int readers = 0;

	for (uint32_t i = 0; i < deferred_count; i++) {
		atsfuzz_grace_begin(&deferred[i].grace);
		readers |= deferred[i].grace.readers;
	}
	free_unread();
	return readers;
}

void atsfuzz_memory_grace_period(void)
{
	atsfuzz_weak_everywhere_but(0);
	for (uint32_t i = 0; i < deferred_count; i++)
		atsfuzz_memory_free(deferred[i].address);
	deferred_count = 0;
}

void atsfuzz_memory_free_managed(void)
{
	while (managed_count)
		atsfuzz_memory_free(managed[--managed_count]);
}

unsigned long atsfuzz_memory_size(const void *address)
{
	struct block *block = live_block(address);

	return block ? block->size : 0;
}

int atsfuzz_memory_is_dma(const void *address)
{
	return (size_t)((const uint8_t *)address - halves[1].base) < HALF_SIZE;
}

static uint8_t descriptors[HALF_SIZE >> 12][ATSFUZZ_PAGE_DESCRIPTOR_BYTES]
	__attribute__((aligned(16)));

void *atsfuzz_memory_page_descriptor(const void *address)
{
	return descriptors[((const uint8_t *)address - halves[1].base) >> 12];
}

void *atsfuzz_memory_descriptor_page(const void *descriptor)
{
	size_t page = ((const uint8_t *)descriptor - descriptors[0]) / sizeof(descriptors[0]);

	return halves[1].base + (page << 12);
}

unsigned int atsfuzz_memory_live_count(void)
{
	return live;
}

int atsfuzz_dma_memory_live(uint64_t address, uint64_t size)
{
	struct half *half = &halves[1];

	if (address - (uint64_t)half->base >= HALF_SIZE)
		return 0;
	/* Blocks are aligned to their size: try each size that could hold it. */
	for (uint8_t class = UNIT_SHIFT; class < UNIT_SHIFT + CLASSES; class ++) {
		uint64_t start = address & ~((1ull << class) - 1);
		struct block *block;

		if (start < (uint64_t)half->base)
			return 0;
		block = block_at(half, (const void *)start);
		if (block && block->class == class && block->live)
			return address + size <= start + block->size;
	}
	return 0;
}

/* ---- Snapshots --------------------------------------------------------------- */

void atsfuzz_memory_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(descriptors, sizeof(descriptors));
}

void atsfuzz_memory_parts(void (*part)(void *start, uint64_t bytes))
{
	for (int i = 0; i < 2; i++) {
		part(halves[i].base, halves[i].used);
		part(halves[i].blocks, halves[i].count * sizeof(struct block));
	}
	part(descriptors, ((halves[1].used + 4095) >> 12) * sizeof(descriptors[0]));
}

void atsfuzz_memory_restored(void)
{
	for (int i = 0; i < 2; i++)
		for (uint32_t n = 0; n < halves[i].count; n++)
			halves[i].numbers[halves[i].blocks[n].unit] = n;
}
