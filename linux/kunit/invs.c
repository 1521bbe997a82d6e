/*
 * Included by suite.c: drives arm_smmu_invs_merge, _unref and _purge as the attach
 * path does, against a multiset, with a reader that walks meanwhile.
 *
 * The contract of a caller, from arm_smmu_attach_prepare_invs: lists are sorted,
 * and a list that leaves has joined before. A list may hold an entry twice (a
 * bridge repeats stream ids): the k-th copy in the array has as many users as there
 * are lists with at least k of them.
 */

#include "linux/kernel/runtime.h"
#include "linux/kunit/invs_table.h"

#define SMMUS 3
#define TYPES (INV_TYPE_ATS_FULL + 1)
#define IDS 3
#define SSIDS 3
#define KEYS (SMMUS * TYPES * IDS * SSIDS)
#define COPIES 4
#define HELD 16
#define LIST 8
/* Every list, and one that joins before it leaves. */
#define MOST_ENTRIES ((HELD + 1) * LIST)

struct list {
	unsigned int count;
	u16 keys[LIST]; /* ascending */
};

/* A CPU that walks an array as arm_smmu_domain_inv_range does. */
struct reader {
	struct arm_smmu_invs *invs;
	size_t at, end;
	unsigned int age; /* in operations */
	unsigned int pace, wait;
	/* By index: what stood there at the start; whether it is to be seen. */
	u16 keys[MOST_ENTRIES];
	u8 must[MOST_ENTRIES];
};

static struct {
	const u8 *bytes;
	size_t left;
	char *error;
	size_t room;
	unsigned int operations;
	bool wrong;
	struct arm_smmu_device *smmus[SMMUS]; /* by address */
	struct arm_smmu_invs *invs;
	int users[KEYS][COPIES];
	struct list held[HELD];
	unsigned int held_count;
	struct reader reader;
} run;

/*
 * Ascending addresses, which nobody follows: neighbours, in both halves of the
 * address space, and with the lower 32 bits in the opposite order.
 */
static const unsigned long inv_smmus[][SMMUS] = {
	{ 0x500000000000, 0x500000010000, 0x500000020000 },
	{ 0x10000, 0x500000000000, 0xffff800000000000 },
	{ 0x1ffff0000, 0x280000000, 0x300000000 },
};
static const u32 inv_ids[IDS] = { 0, 1, 0xffffffff };
static const u32 inv_ssids[SSIDS] = { 0, 1, 0xfffff };

static void wrong(const char *format, ...)
{
	va_list arguments;
	int length;

	if (run.wrong)
		return;
	run.wrong = true;
	length = __snprintf(run.error, run.room, "operation %u: ", run.operations);
	va_start(arguments, format);
	if ((size_t)length < run.room)
		atsfuzz_format(run.error + length, run.room - length, format, arguments);
	va_end(arguments);
}

static u8 next_byte(void)
{
	if (!run.left)
		return 0;
	run.left--;
	return *run.bytes++;
}

/* ---- Keys: in the order that the array has ----------------------------------- */

static unsigned int type_of(unsigned int key)
{
	return key / SSIDS / IDS % TYPES;
}

static bool is_ats(unsigned int key)
{
	return type_of(key) >= INV_TYPE_ATS;
}

static unsigned int key_from(u8 first, u8 second)
{
	unsigned int key = (first % SMMUS * TYPES + second % TYPES) * IDS + (first >> 4) % IDS;

	return key * SSIDS + (is_ats(key * SSIDS) ? (second >> 4) % SSIDS : 0);
}

/* Users and payload are arbitrary: what a build array holds from its last use. */
static void fill_entry(struct arm_smmu_inv *inv, unsigned int key)
{
	memset(inv, 0, sizeof(*inv));
	inv->smmu = run.smmus[key / SSIDS / IDS / TYPES];
	inv->type = type_of(key);
	inv->id = inv_ids[key / SSIDS % IDS];
	inv->size_opcode = key;
	inv->nsize_opcode = ~key;
	if (is_ats(key))
		inv->ssid = inv_ssids[key % SSIDS];
	else
		inv->pgsize = 0x1000ul + key;
	inv->users = (int)(key % 3) - 1;
}

static bool is_entry(const struct arm_smmu_inv *inv, unsigned int key)
{
	struct arm_smmu_inv expected;

	fill_entry(&expected, key);
	return inv->smmu == expected.smmu && inv->type == expected.type && inv->id == expected.id &&
	       inv->pgsize == expected.pgsize && inv->size_opcode == expected.size_opcode &&
	       inv->nsize_opcode == expected.nsize_opcode;
}

/* Each entry tells its key by its payload; is_entry checks the rest. */
static unsigned int key_of(const struct arm_smmu_inv *inv)
{
	return inv->size_opcode;
}

/* ---- The reader -------------------------------------------------------------- */

static void reader_step(void)
{
	struct reader *reader = &run.reader;
	size_t at = reader->at++;
	const struct arm_smmu_inv *inv = &reader->invs->inv[at];
	int users = *(const volatile int *)&inv->users;

	if (users < 0 || users > HELD || !is_entry(inv, reader->keys[at]))
		wrong("a reader finds entry %zu of the array changed", at);
	else if (!users && reader->must[at])
		wrong("a reader misses entry %zu, which is in use all the time", at);
	if (reader->at >= reader->end)
		reader->invs = NULL;
}

static void meanwhile(void)
{
	if (run.reader.invs && ++run.reader.wait > run.reader.pace) {
		run.reader.wait = 0;
		reader_step();
	}
}

static void reader_start(u8 flags)
{
	struct reader *reader = &run.reader;
	size_t i;

	if (reader->invs || !run.invs->num_invs)
		return;
	memset(reader, 0, sizeof(*reader));
	reader->invs = run.invs;
	reader->end = run.invs->num_invs;
	reader->pace = flags >> ATSFUZZ_INVS_PACE_SHIFT & 7;
	for (i = 0; i < reader->end; i++) {
		reader->keys[i] = key_of(&run.invs->inv[i]);
		reader->must[i] = run.invs->inv[i].users > 0;
	}
}

/* The array's users are about to become `run.users`: what may a reader miss? */
static void reader_expects_less(void)
{
	unsigned int key, last = KEYS, copy = 0;
	size_t i;

	if (run.reader.invs != run.invs)
		return;
	for (i = 0; i < run.reader.end; i++) {
		if (!run.reader.must[i])
			continue;
		key = run.reader.keys[i];
		copy = key == last ? copy + 1 : 0;
		last = key;
		if (!run.users[key][copy])
			run.reader.must[i] = 0;
	}
}

/* ---- The multiset ------------------------------------------------------------ */

static void count_list(const struct list *list, int by)
{
	unsigned int i, copy = 0;

	for (i = 0; i < list->count; i++) {
		copy = i && list->keys[i] == list->keys[i - 1] ? copy + 1 : 0;
		run.users[list->keys[i]][copy] += by;
	}
}

static void verify_live(struct arm_smmu_invs *invs)
{
	unsigned int key, copy;
	size_t at = 0, trash = 0;
	bool ats = false;

	for (key = 0; key < KEYS; key++) {
		for (copy = 0; copy < COPIES && run.users[key][copy]; copy++) {
			while (at < invs->num_invs && !invs->inv[at].users) {
				at++;
				trash++;
			}
			if (at == invs->num_invs)
				return wrong("the array lacks entry %u", key);
			if (!is_entry(&invs->inv[at], key))
				return wrong("entry %zu is another one than %u", at, key);
			if (invs->inv[at].users != run.users[key][copy])
				return wrong("entry %zu has %d users, not %d", at,
					     invs->inv[at].users, run.users[key][copy]);
			ats |= is_ats(key);
			at++;
		}
	}
	if (at != invs->num_invs)
		return wrong("%zu entries behind the last one in use", invs->num_invs - at);
	if (trash != invs->num_trashes)
		return wrong("num_trashes is %zu, not %zu", invs->num_trashes, trash);
	if (ats && !invs->has_ats)
		return wrong("has_ats is off, and an entry has ATS");
}

static void verify(struct arm_smmu_invs *invs)
{
	size_t i;

	if (invs->num_invs > invs->max_invs)
		return wrong("%zu entries in room for %zu", invs->num_invs, invs->max_invs);
	for (i = 1; i < invs->num_invs; i++)
		if (arm_smmu_inv_cmp(&invs->inv[i - 1], &invs->inv[i]) > 0)
			return wrong("entries %zu and %zu are not in order", i - 1, i);
	verify_live(invs);
}

/* A new array holds no trash, and knows exactly whether it has ATS. */
static void verify_new(struct arm_smmu_invs *invs)
{
	bool ats = false;
	size_t i;

	verify(invs);
	if (invs->num_trashes || invs->num_invs != invs->max_invs)
		wrong("a new array with room for trash");
	for (i = 0; i < invs->num_invs; i++)
		ats |= invs->inv[i].type >= INV_TYPE_ATS;
	if (ats != invs->has_ats)
		wrong("has_ats of a new array is %d, not %d", invs->has_ats, ats);
}

/* ---- Calls ------------------------------------------------------------------- */

static void begin(bool fail)
{
	struct atsfuzz_request request = { .alloc_numbers = fail };

	atsfuzz_runtime_begin(&request);
	atsfuzz_memory_begin_operation();
	atsfuzz_other_cpu = meanwhile;
}

/* The place of a file in its tree, wherever that lies. */
static const char *in_tree(const char *file)
{
	const char *at = file ? strstr(file, "/drivers/iommu/") : NULL;

	return at ? at + 1 : "";
}

static void end(void)
{
	const struct atsfuzz_event *events;
	u32 count, i;

	atsfuzz_other_cpu = NULL;
	events = atsfuzz_runtime_events(&count);
	for (i = 0; i < count; i++)
		if (events[i].kind == ATSFUZZ_EVENT_WARN ||
		    events[i].kind == ATSFUZZ_EVENT_MEMORY_ERROR)
			wrong("%s:%u: %s", in_tree(events[i].file), events[i].line, events[i].text);
}

static struct {
	struct arm_smmu_invs head;
	struct arm_smmu_inv inv[MOST_ENTRIES];
} saved;

static size_t bytes_of(const struct arm_smmu_invs *invs)
{
	return sizeof(*invs) + invs->max_invs * sizeof(invs->inv[0]);
}

/* The array that a call may not change. */
static void save(void)
{
	memcpy(&saved, run.invs, bytes_of(run.invs));
}

static void verify_unchanged(void)
{
	if (memcmp(&saved, run.invs, bytes_of(run.invs)))
		wrong("the old array was changed");
}

static struct arm_smmu_invs *build(const struct list *list)
{
	static union {
		struct arm_smmu_invs invs;
		char room[sizeof(struct arm_smmu_invs) + LIST * sizeof(struct arm_smmu_inv)];
	} built;
	unsigned int i;

	memset(&built, 0, sizeof(built));
	built.invs.max_invs = LIST;
	built.invs.num_invs = list->count;
	for (i = 0; i < list->count; i++)
		fill_entry(&built.invs.inv[i], list->keys[i]);
	return &built.invs;
}

/* The merged array, checked; NULL if the allocation failed. */
static struct arm_smmu_invs *merge(const struct list *list, bool fail)
{
	unsigned int live = atsfuzz_memory_live_count();
	struct arm_smmu_invs *merged;

	save();
	begin(fail);
	merged = arm_smmu_invs_merge(run.invs, build(list));
	end();
	verify_unchanged();
	if (IS_ERR_OR_NULL(merged)) {
		if (!fail || PTR_ERR(merged) != -ENOMEM)
			wrong("merge returned %ld", PTR_ERR(merged));
		if (atsfuzz_memory_live_count() != live)
			wrong("a merge that failed leaks");
		return NULL;
	}
	if (fail)
		wrong("merge succeeded without memory");
	count_list(list, 1);
	verify_new(merged);
	return merged;
}

static void replace_array(struct arm_smmu_invs *invs)
{
	kfree_rcu(run.invs, rcu);
	run.invs = invs;
}

static void join(const struct list *list, bool fail)
{
	struct arm_smmu_invs *merged;

	if (run.held_count == HELD)
		return;
	merged = merge(list, fail);
	if (!merged)
		return;
	run.held[run.held_count++] = *list;
	replace_array(merged);
}

/* The list leaves the array; the driver is told which entries are trash now. */
static void unref(const struct list *list)
{
	struct arm_smmu_invs *built = build(list);
	unsigned int i, copy = 0;

	count_list(list, -1);
	reader_expects_less();
	begin(true);
	arm_smmu_invs_unref(run.invs, built);
	end();
	for (i = 0; i < list->count; i++) {
		copy = i && list->keys[i] == list->keys[i - 1] ? copy + 1 : 0;
		if (!built->inv[i].users != !run.users[list->keys[i]][copy])
			wrong("unref reports %d users of entry %u, which has %d",
			      built->inv[i].users, list->keys[i], run.users[list->keys[i]][copy]);
	}
	verify(run.invs);
}

static void purge(bool fail)
{
	bool trash = run.invs->num_trashes != 0;
	struct arm_smmu_invs *purged;

	save();
	begin(fail);
	purged = arm_smmu_invs_purge(run.invs);
	end();
	verify_unchanged();
	if (!purged != (!trash || fail))
		wrong("purge of %zu trash entries returned %s array", saved.head.num_trashes,
		      purged ? "an" : "no");
	if (!purged)
		return;
	verify_new(purged);
	replace_array(purged);
}

/* ---- Operations -------------------------------------------------------------- */

static void read_list(unsigned int count, struct list *list)
{
	list->count = 0;
	while (count--) {
		u8 first = next_byte(), second = next_byte();
		unsigned int key = key_from(first, second), at = 0, copies = 0, i;

		for (i = 0; i < list->count; i++) {
			copies += list->keys[i] == key;
			at += list->keys[i] <= key;
		}
		if (copies == COPIES)
			continue;
		memmove(&list->keys[at + 1], &list->keys[at],
			(list->count - at) * sizeof(list->keys[0]));
		list->keys[at] = key;
		list->count++;
	}
}

static void leave(unsigned int index)
{
	struct list list;

	if (!run.held_count)
		return;
	index %= run.held_count;
	list = run.held[index];
	run.held[index] = run.held[--run.held_count];
	unref(&list);
}

static void abort_merge(const struct list *list, bool fail)
{
	struct arm_smmu_invs *merged = merge(list, fail);

	if (!merged)
		return;
	kfree(merged);
	count_list(list, -1);
}

static void reattach(unsigned int index, bool fail)
{
	struct arm_smmu_invs *merged;
	struct list list;

	if (!run.held_count)
		return;
	list = run.held[index % run.held_count];
	merged = merge(&list, fail);
	if (!merged)
		return;
	replace_array(merged);
	unref(&list);
	purge(false);
}

static void operate(void)
{
	u8 first = next_byte(), flags = next_byte();
	unsigned int argument = first >> 3;
	bool fail = flags & ATSFUZZ_INVS_FAIL;
	struct list list;

	switch (first % ATSFUZZ_INVS_KINDS) {
	case ATSFUZZ_INVS_MERGE:
		read_list(argument % LIST + 1, &list);
		join(&list, fail);
		break;
	case ATSFUZZ_INVS_MERGE_HELD:
		if (run.held_count) {
			list = run.held[argument % run.held_count];
			join(&list, fail);
		}
		break;
	case ATSFUZZ_INVS_ABORT:
		read_list(argument % LIST + 1, &list);
		abort_merge(&list, fail);
		break;
	case ATSFUZZ_INVS_UNREF:
		leave(argument);
		break;
	case ATSFUZZ_INVS_DETACH:
		leave(argument);
		purge(fail);
		break;
	case ATSFUZZ_INVS_PURGE:
		purge(fail);
		break;
	case ATSFUZZ_INVS_REATTACH:
		reattach(argument, fail);
		break;
	case ATSFUZZ_INVS_READ:
		reader_start(flags);
		break;
	}
	if (run.reader.invs && ++run.reader.age > HELD)
		while (run.reader.invs)
			reader_step();
	if (!run.reader.invs)
		atsfuzz_memory_grace_period();
}

static void finish(void)
{
	while (run.reader.invs)
		reader_step();
	while (run.held_count && !run.wrong)
		leave(0);
	if (run.invs->num_invs)
		wrong("%zu entries when every list has left", run.invs->num_invs);
	kfree(run.invs);
	atsfuzz_memory_grace_period();
	if (atsfuzz_memory_live_count())
		wrong("%u arrays leak", atsfuzz_memory_live_count());
}

static void run_step(void *data)
{
	const unsigned long *addresses = inv_smmus[next_byte() % ARRAY_SIZE(inv_smmus)];
	unsigned int i;

	for (i = 0; i < SMMUS; i++)
		run.smmus[i] = (struct arm_smmu_device *)addresses[i];
	run.invs = arm_smmu_invs_alloc(0);
	while (run.left && !run.wrong) {
		operate();
		run.operations++;
	}
	if (!run.wrong)
		finish();
}

static int run_invs(const uint8_t *bytes, size_t size, char *error, size_t room)
{
	memset(&run, 0, sizeof(run));
	run.bytes = bytes;
	run.left = size;
	run.error = error;
	run.room = room;
	atsfuzz_memory_reset();
	atsfuzz_runtime_boot();
	atsfuzz_runtime_begin(NULL);
	if (atsfuzz_runtime_guard(run_step, NULL))
		wrong("the kernel died");
	atsfuzz_other_cpu = NULL;
	return run.wrong ? -1 : (int)run.operations;
}

__attribute__((visibility("default"))) const struct atsfuzz_invs atsfuzz_invs = {
	.run = run_invs,
};
