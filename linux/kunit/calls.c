/* Included by suite.c: writes the calls down that calls.h notes. */

#include "linux/kunit/calls_table.h"

#define ARRAYS 512
#define RECORDED_CALLS 512
#define RECORDED_ENTRIES 4096

static struct {
	int on, overflow;
	/* By number, less 1; an address that is given out anew has the last one. */
	const struct arm_smmu_invs *arrays[ARRAYS];
	u32 array_count, call_count, entry_count;
	struct atsfuzz_invs_call calls[RECORDED_CALLS];
	struct atsfuzz_invs_entry entries[RECORDED_ENTRIES];
} recorded;

static u32 number_of(const struct arm_smmu_invs *invs)
{
	u32 i = recorded.array_count;

	if (IS_ERR_OR_NULL(invs))
		return 0;
	while (i && recorded.arrays[i - 1] != invs)
		i--;
	return i;
}

static struct arm_smmu_invs *note_alloc(struct arm_smmu_invs *invs)
{
	if (!recorded.on || !invs)
		return invs;
	if (recorded.array_count == ARRAYS)
		recorded.overflow = 1;
	else
		recorded.arrays[recorded.array_count++] = invs;
	return invs;
}

static void note_call(u32 kind, const struct arm_smmu_invs *invs, const struct arm_smmu_invs *list,
		      const struct arm_smmu_invs *result)
{
	struct atsfuzz_invs_call *call = &recorded.calls[recorded.call_count];
	size_t count = IS_ERR_OR_NULL(list) ? 0 : list->num_invs;
	size_t i;

	if (!recorded.on)
		return;
	if (recorded.call_count == RECORDED_CALLS ||
	    count > RECORDED_ENTRIES - recorded.entry_count) {
		recorded.overflow = 1;
		return;
	}
	recorded.call_count++;
	call->kind = kind;
	call->array = number_of(invs);
	call->result = number_of(result);
	call->first = recorded.entry_count;
	call->count = count;
	for (i = 0; i < count; i++) {
		const struct arm_smmu_inv *inv = &list->inv[i];
		struct atsfuzz_invs_entry *entry = &recorded.entries[recorded.entry_count++];

		entry->smmu = (u64)inv->smmu;
		entry->type = inv->type;
		entry->id = inv->id;
		entry->ssid = arm_smmu_inv_is_ats(inv) ? inv->ssid : 0;
	}
}

static struct arm_smmu_invs *note_merge(struct arm_smmu_invs *invs, struct arm_smmu_invs *list,
					struct arm_smmu_invs *result)
{
	note_call(ATSFUZZ_INVS_CALL_MERGE, invs, list, result);
	return result;
}

static void note_unref(struct arm_smmu_invs *invs, struct arm_smmu_invs *list)
{
	note_call(ATSFUZZ_INVS_CALL_UNREF, invs, list, NULL);
}

static struct arm_smmu_invs *note_purge(struct arm_smmu_invs *invs, struct arm_smmu_invs *result)
{
	note_call(ATSFUZZ_INVS_CALL_PURGE, invs, NULL, result);
	return result;
}

/* ---- The table ---------------------------------------------------------------- */

static void record_calls(int on)
{
	memset(&recorded, 0, sizeof(recorded));
	recorded.on = on;
}

static const struct atsfuzz_invs_call *recorded_calls(u32 *count)
{
	*count = recorded.call_count;
	return recorded.calls;
}

static const struct atsfuzz_invs_entry *recorded_entries(void)
{
	return recorded.entries;
}

static u32 array_of_slot(u32 slot)
{
	struct iommu_domain *domain = atsfuzz_core_domain(slot);

	if (!domain || is_nested(domain) || !to_smmu_domain(domain)->smmu)
		return 0;
	return number_of(rcu_dereference_protected(to_smmu_domain(domain)->invs, true));
}

static int recorded_overflow(void)
{
	return recorded.overflow;
}

__attribute__((visibility("default"))) const struct atsfuzz_invs_calls atsfuzz_invs_calls = {
	.record = record_calls,
	.calls = recorded_calls,
	.entries = recorded_entries,
	.array_of = array_of_slot,
	.overflow = recorded_overflow,
};
