/*
 * Processes: lifetime, page tables and notifiers of an address space, as far as
 * devices that share it can tell (mm/mmu_notifier.c, kernel/fork.c, mm/mmap.c).
 *
 * Page tables are the CPU's: stage 1, 4K granule, four levels, and large pages
 * where a mapping allows. What a table or a page held is given back after the
 * notifier has returned, as mmu_gather does.
 */

#include <linux/iommu.h>

#include "linux/kernel/glue.h"
#include "linux/kernel/mm.h"

ATSFUZZ_HARNESS_BEGIN

enum { TABLE_ENTRIES = 512, LAST_LEVEL = 3, LARGE_PAGE_LEVEL = 2 };

#define PTE_VALID (1ull << 0)
#define PTE_TABLE (1ull << 1)
#define PTE_USER (1ull << 6)
#define PTE_INNER_SHAREABLE (3ull << 8)
#define PTE_ACCESSED (1ull << 10)
#define PTE_NOT_GLOBAL (1ull << 11)
#define PTE_ADDRESS 0xfffffffff000ull

static struct mm_struct *processes[ATSFUZZ_MAX_DOMAINS];

/* Notifiers and tables that nobody can reach any more but a reader of before. */
static struct mmu_notifier *dying_notifiers;
static u64 *dying_tables;

/* ---- Page tables -------------------------------------------------------------- */

static u64 *new_table(void)
{
	return __allocate(PAGE_SIZE,
			  ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_DMA | ATSFUZZ_MEMORY_INFALLIBLE);
}

static u64 bytes_of_entry(unsigned int level)
{
	return 1ull << (PAGE_SHIFT + 9 * (LAST_LEVEL - level));
}

static u64 *entry_of(u64 *table, unsigned int level, u64 address)
{
	return &table[(address / bytes_of_entry(level)) % TABLE_ENTRIES];
}

static u64 *next_table(u64 entry)
{
	return (u64 *)(entry & PTE_ADDRESS);
}

static bool is_table(u64 entry, unsigned int level)
{
	return level < LAST_LEVEL && (entry & PTE_VALID) && (entry & PTE_TABLE);
}

/* Maps one page, the largest that fits; its size. */
static u64 map_one(struct mm_struct *mm, u64 address, u64 physical, u64 left)
{
	const u64 large = bytes_of_entry(LARGE_PAGE_LEVEL);
	const bool fits = ((address | physical) & (large - 1)) == 0 && left >= large;
	const unsigned int leaf = fits ? LARGE_PAGE_LEVEL : LAST_LEVEL;
	u64 *table = mm->pgd;
	unsigned int level;
	u64 *entry;

	for (level = 0; level < leaf; level++) {
		entry = entry_of(table, level, address);
		if (!*entry)
			*entry = (u64)new_table() | PTE_VALID | PTE_TABLE;
		table = next_table(*entry);
	}
	*entry_of(table, leaf, address) = physical | PTE_VALID | PTE_USER | PTE_INNER_SHAREABLE |
					  PTE_ACCESSED | PTE_NOT_GLOBAL |
					  (leaf == LAST_LEVEL ? PTE_TABLE : 0);
	return bytes_of_entry(leaf);
}

static bool is_empty(const u64 *table)
{
	unsigned int i;

	for (i = 0; i < TABLE_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* A table that is unlinked: its first entry leads to the next such one. */
static void bury(u64 *table)
{
	table[0] = (u64)dying_tables;
	dying_tables = table;
}

/* Clears what maps [start, end) below `table`, and unlinks tables left empty. */
static void clear_range(u64 *table, unsigned int level, u64 start, u64 end)
{
	const u64 bytes = bytes_of_entry(level);
	u64 at, next;

	for (at = start; at < end; at = next) {
		u64 *entry = entry_of(table, level, at);

		next = (at & ~(bytes - 1)) + bytes;
		if (next > end)
			next = end;
		if (!is_table(*entry, level)) {
			*entry = 0;
			continue;
		}
		clear_range(next_table(*entry), level + 1, at, next);
		if (is_empty(next_table(*entry))) {
			u64 *empty = next_table(*entry);

			*entry = 0;
			bury(empty);
		}
	}
}

static void free_dying_tables(void)
{
	while (dying_tables) {
		u64 *table = dying_tables;

		dying_tables = (u64 *)table[0];
		atsfuzz_memory_free(table);
	}
}

/* ---- Lifetime ------------------------------------------------------------------ */

struct mm_struct *atsfuzz_mm_find(unsigned int process)
{
	return processes[process];
}

struct mm_struct *atsfuzz_mm_get(unsigned int process)
{
	struct mm_struct *mm = processes[process];

	if (mm)
		return mm;
	mm = __allocate(sizeof(*mm), ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_INFALLIBLE);
	mm->pgd = new_table();
	mm->mm_users = mm->mm_count = 1;
	processes[process] = mm;
	return mm;
}

void mmgrab(struct mm_struct *mm)
{
	WARN_ON(!mm->mm_count);
	mm->mm_count++;
}

/* __mmdrop, at the last one. */
void mmdrop(struct mm_struct *mm)
{
	unsigned int i;

	if (WARN_ON(!mm->mm_count) || --mm->mm_count)
		return;
#ifdef ATSFUZZ_HAS_SVA
	mm_pasid_drop(mm);
#endif
	kfree(mm->notifier_subscriptions);
	atsfuzz_memory_free(mm->pgd);
	for (i = 0; i < ARRAY_SIZE(processes); i++)
		if (processes[i] == mm)
			processes[i] = NULL;
	atsfuzz_memory_free(mm);
}

bool mmget_not_zero(struct mm_struct *mm)
{
	if (!mm->mm_users)
		return false;
	mm->mm_users++;
	return true;
}

/* mmu_notifier_release: once, after which no notifier is told of anything. */
static void release_notifiers(struct mm_struct *mm)
{
	struct mmu_notifier *at;

	if (!mm->notifier_subscriptions)
		return;
	for (at = mm->notifier_subscriptions->first; at; at = at->next)
		at->ops->release(at, mm);
	mm->notifier_subscriptions->first = NULL;
}

/* __mmput, at the last one: exit_mmap. */
void mmput(struct mm_struct *mm)
{
	if (WARN_ON(!mm->mm_users) || --mm->mm_users)
		return;
	release_notifiers(mm);
	clear_range(mm->pgd, 0, 0, 1ull << vabits_actual);
	free_dying_tables();
	mmdrop(mm);
}

/* ---- Notifiers ------------------------------------------------------------------- */

int mmu_notifier_register(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	if (!mm->notifier_subscriptions)
		mm->notifier_subscriptions =
			kzalloc(sizeof(*mm->notifier_subscriptions), GFP_KERNEL);
	if (!mm->notifier_subscriptions)
		return -ENOMEM;
	mmgrab(mm);
	notifier->mm = mm;
	notifier->users = 1;
	notifier->next = mm->notifier_subscriptions->first;
	mm->notifier_subscriptions->first = notifier;
	return 0;
}

void mmu_notifier_put(struct mmu_notifier *notifier)
{
	struct mmu_notifier **at;

	if (WARN_ON(!notifier->users) || --notifier->users)
		return;
	for (at = &notifier->mm->notifier_subscriptions->first; *at; at = &(*at)->next) {
		if (*at == notifier) {
			*at = notifier->next;
			break;
		}
	}
	notifier->next = dying_notifiers;
	dying_notifiers = notifier;
}

void mmu_notifier_synchronize(void)
{
	while (dying_notifiers) {
		struct mmu_notifier *notifier = dying_notifiers;
		struct mm_struct *mm = notifier->mm;

		dying_notifiers = notifier->next;
		notifier->ops->free_notifier(notifier);
		mmdrop(mm);
	}
}

void mmu_notifier_arch_invalidate_secondary_tlbs(struct mm_struct *mm, unsigned long start,
						 unsigned long end)
{
	struct mmu_notifier *at;

	if (!mm->notifier_subscriptions)
		return;
	for (at = mm->notifier_subscriptions->first; at; at = at->next)
		at->ops->arch_invalidate_secondary_tlbs(at, mm, start, end);
}

/* ---- What a process does ------------------------------------------------------------ */

void atsfuzz_mm_map(unsigned int process, unsigned long iova, unsigned long long physical,
		    unsigned long size)
{
	struct mm_struct *mm = atsfuzz_mm_get(process);
	u64 done;

	for (done = 0; done < size;)
		done += map_one(mm, iova + done, physical + done, size - done);
}

/* A CPU that invalidates ranges: flush_tlb_range tells the notifiers of this one. */
void atsfuzz_mm_unmap(unsigned int process, unsigned long iova, unsigned long size)
{
	struct mm_struct *mm = atsfuzz_mm_get(process);

	clear_range(mm->pgd, 0, iova, iova + size);
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, iova, iova + size);
	free_dying_tables();
}

/* flush_tlb_mm, as arm64 has it. */
void atsfuzz_mm_flush(unsigned int process)
{
	mmu_notifier_arch_invalidate_secondary_tlbs(atsfuzz_mm_get(process), 0, -1UL);
}

void atsfuzz_mm_exit(unsigned int process)
{
	mmput(atsfuzz_mm_get(process));
}

void atsfuzz_mm_exit_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(processes); i++)
		if (processes[i] && processes[i]->mm_users)
			mmput(processes[i]);
}

void atsfuzz_mm_grace_period(void)
{
	mmu_notifier_synchronize();
}

ATSFUZZ_HARNESS_END
