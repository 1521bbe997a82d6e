/*
 * The driver, unmodified, with accessors to its statics in the same unit.
 */

#include "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c"
#ifdef ATSFUZZ_HAS_SVA
#include "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c"
#endif

#include "linux/emulator.h"
#include "linux/kernel/devices.h"

ATSFUZZ_HARNESS_BEGIN

const struct atsfuzz_features atsfuzz_the_features = {
#ifdef ATSFUZZ_HAS_PASIDS
	.pasids = 1,
#endif
#ifdef ATSFUZZ_HAS_REPLACE_PASID
	.replace_pasid = 1,
#endif
#ifdef ATSFUZZ_HAS_RESETS
	.resets = 1,
#endif
#ifdef ATSFUZZ_HAS_REQUIRES_ATS
	.requires_ats = 1,
#endif
#if defined(ATSFUZZ_HAS_DOMAIN_HEAD)
	.finalised = 2,
#elif defined(ATSFUZZ_HAS_ENABLE_NESTING)
	.finalised = 1,
#endif
#ifdef ATSFUZZ_HAS_REPLACE
	.replace = 1,
#endif
#ifdef ATSFUZZ_HAS_ATS_ASKS_PF
	.ats_asks_pf = 1,
#endif
#ifdef ATSFUZZ_HAS_NESTING
	.nesting = 1,
#endif
#ifdef ATSFUZZ_HAS_SVA
	.sva = 1,
#endif
};

int atsfuzz_driver_probe_smmu(unsigned int smmu)
{
	return arm_smmu_device_probe(&atsfuzz_smmus[smmu]);
}

void atsfuzz_driver_remove_smmu(unsigned int smmu)
{
	if (dev_get_drvdata(&atsfuzz_smmus[smmu].dev))
		arm_smmu_device_remove(&atsfuzz_smmus[smmu]);
}

static struct arm_smmu_master *master_of(unsigned int function)
{
	return dev_iommu_priv_get(atsfuzz_functions[function].dev);
}

static struct arm_smmu_device *smmu_of(unsigned int smmu)
{
	return smmu < ATSFUZZ_MAX_SMMUS ? dev_get_drvdata(&atsfuzz_smmus[smmu].dev) : NULL;
}

/* Index of a function by its record; ATSFUZZ_NONE for a record of none. */
static unsigned int function_of_master(const struct arm_smmu_master *master)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		if (master_of(i) == master)
			return i;
	return ATSFUZZ_NONE;
}

/*
 * The record that the driver finds for a stream id. Walks the tree itself: the
 * driver's own lookup wants its lock, and would follow a freed record.
 */
static unsigned int stream_owner(struct arm_smmu_device *smmu, u32 id)
{
	struct rb_node *node = smmu->streams.rb_node;

	while (node) {
		struct arm_smmu_stream *stream = rb_entry(node, struct arm_smmu_stream, node);

		if (id == stream->id)
			return function_of_master(stream->master);
		node = id < stream->id ? node->rb_left : node->rb_right;
	}
	return ATSFUZZ_NONE;
}

static unsigned int count_nodes(const struct rb_node *node)
{
	return node ? 1 + count_nodes(node->rb_left) + count_nodes(node->rb_right) : 0;
}

unsigned int atsfuzz_driver_stream_owner(unsigned int function, unsigned int stream)
{
	const struct atsfuzz_machine_function *f = &atsfuzz_the_machine.functions[function];
	struct arm_smmu_device *smmu = smmu_of(f->smmu);

	return smmu ? stream_owner(smmu, f->streams[stream]) : ATSFUZZ_NONE;
}

/*
 * The linker leads the driver's changes of its stream tree here (--wrap), so that
 * an instrumented build can tell which of them lost or gained a stream.
 */
void __real_rb_erase(struct rb_node *node, struct rb_root *root);
void __real_rb_insert_color(struct rb_node *node, struct rb_root *root);

void __wrap_rb_erase(struct rb_node *node, struct rb_root *root)
{
	__real_rb_erase(node, root);
	atsfuzz_trace_streams();
}

void __wrap_rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	__real_rb_insert_color(node, root);
	atsfuzz_trace_streams();
}

/* The PASIDs of processes and those that operations named since boot, ascending. */
static unsigned int named_pasids[ATSFUZZ_MAX_SUBSTREAMS];
static unsigned int named_pasid_count;

void atsfuzz_driver_note_pasid(unsigned int pasid)
{
	unsigned int i = named_pasid_count;

	while (i && named_pasids[i - 1] > pasid)
		i--;
	if ((i && named_pasids[i - 1] == pasid) || named_pasid_count == ATSFUZZ_MAX_SUBSTREAMS)
		return;
	memmove(&named_pasids[i + 1], &named_pasids[i],
		(named_pasid_count - i) * sizeof(named_pasids[0]));
	named_pasids[i] = pasid;
	named_pasid_count++;
}

#ifdef ATSFUZZ_HAS_PASIDS
/* Valid CDs in the table of a record, whether or not an STE leads to it now. */
static void observe_substreams(struct arm_smmu_master *master, struct atsfuzz_function *out)
{
	struct arm_smmu_ctx_desc_cfg *table = &master->cd_table;
	unsigned int i;

	if (!arm_smmu_cdtab_allocated(table))
		return;
	for (i = 0; i < named_pasid_count; i++) {
		struct atsfuzz_substream *seen = &out->substreams[out->substream_count];
		const struct arm_smmu_cd *cd;

		if (named_pasids[i] >> table->s1cdmax)
			continue;
		cd = arm_smmu_get_cd_ptr(master, named_pasids[i]);
		if (!cd || !(cd->data[0] & cpu_to_le64(CTXDESC_CD_0_V)))
			continue;
		seen->pasid = named_pasids[i];
		seen->asid = FIELD_GET(CTXDESC_CD_0_ASID, le64_to_cpu(cd->data[0]));
		seen->table = cd->data[0] & cpu_to_le64(CTXDESC_CD_0_TCR_EPD0) ?
				      0 :
				      le64_to_cpu(cd->data[1]) & CTXDESC_CD_1_TTB0_MASK;
		out->substream_count++;
	}
}
#else
static void observe_substreams(struct arm_smmu_master *master, struct atsfuzz_function *out) {}
#endif

static void observe_function(unsigned int index, struct atsfuzz_function *out)
{
	const struct atsfuzz_machine_function *f = &atsfuzz_the_machine.functions[index];
	struct arm_smmu_master *master = master_of(index);
	struct arm_smmu_device *smmu = smmu_of(f->smmu);
	unsigned int i;

	out->probed = master != NULL;
	out->belief = master && master->ats_enabled;
	out->stream_count = f->stream_count;
	out->group_domain = atsfuzz_core_group_slot(index);
	atsfuzz_emulator_observe_function(index, out);
	out->substream_count = 0;
	if (master && named_pasid_count)
		observe_substreams(master, out);
	if (!smmu)
		return;
	for (i = 0; i < f->stream_count; i++) {
		struct atsfuzz_stream *stream = &out->streams[i];

		stream->id = f->streams[i];
		atsfuzz_emulator_observe_stream(f->smmu, f->streams[i], stream);
		stream->master = stream_owner(smmu, f->streams[i]);
	}
}

/* The root table of a domain, as its entries would name it. */
static u64 root_table(struct arm_smmu_domain *domain)
{
	struct io_pgtable_cfg *cfg;

#ifdef ATSFUZZ_HAS_SVA
	if (domain->domain.type == IOMMU_DOMAIN_SVA)
		return (u64)domain->domain.mm->pgd;
#endif
	cfg = &io_pgtable_ops_to_pgtable(domain->pgtbl_ops)->cfg;
	return domain->stage == ARM_SMMU_DOMAIN_S1 ? cfg->arm_lpae_s1_cfg.ttbr :
						     cfg->arm_lpae_s2_cfg.vttbr;
}

static unsigned int index_of_smmu(const struct arm_smmu_device *smmu)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.smmu_count; i++)
		if (smmu_of(i) == smmu)
			return i;
	return ATSFUZZ_NONE;
}

static struct atsfuzz_inv seen_invs[512];
static unsigned int seen_inv_count;

#ifdef ATSFUZZ_HAS_ARRAYS
/* Arrays sort by the SMMUs' addresses: how many SMMUs lie below this one. */
static unsigned int rank_of_smmu(const struct arm_smmu_device *smmu)
{
	unsigned int i, rank = 0;

	for (i = 0; i < atsfuzz_the_machine.smmu_count; i++)
		rank += smmu_of(i) && smmu_of(i) < smmu;
	return rank;
}

static void observe_array(struct arm_smmu_domain *domain, struct atsfuzz_domain *out)
{
	struct arm_smmu_invs *invs = rcu_dereference_protected(domain->invs, true);
	size_t i;

	out->has_array = 1;
	out->has_ats = invs->has_ats;
	out->num_invs = invs->num_invs;
	out->max_invs = invs->max_invs;
	out->num_trashes = invs->num_trashes;
	out->inv_first = seen_inv_count;
	for (i = 0; i < invs->num_invs && seen_inv_count < ARRAY_SIZE(seen_invs); i++) {
		const struct arm_smmu_inv *inv = &invs->inv[i];
		struct atsfuzz_inv *seen = &seen_invs[seen_inv_count++];

		seen->smmu = index_of_smmu(inv->smmu);
		seen->rank = rank_of_smmu(inv->smmu);
		seen->type = inv->type;
		seen->id = inv->id;
		seen->ssid = arm_smmu_inv_is_ats(inv) ? inv->ssid : 0;
		seen->users = inv->users;
	}
}
#else
static void observe_array(struct arm_smmu_domain *domain, struct atsfuzz_domain *out) {}
#endif

#ifdef ATSFUZZ_HAS_DOMAIN_HEAD
static void observe_list(struct arm_smmu_domain *domain, struct atsfuzz_domain *out)
{
	struct arm_smmu_master *master;

	list_for_each_entry(master, &domain->devices, domain_head) {
		unsigned int i = function_of_master(master);

		if (i != ATSFUZZ_NONE)
			out->attachments[i]++;
	}
}

static unsigned int asid_of(const struct arm_smmu_domain *domain)
{
	return domain->s1_cfg.cd.asid;
}

/* iommu_enable_nesting makes a stage of its own. */
static unsigned int stage_of(const struct arm_smmu_domain *domain)
{
	return domain->stage == ARM_SMMU_DOMAIN_S1 ? 1 : 2;
}
#else
static void observe_list(struct arm_smmu_domain *domain, struct atsfuzz_domain *out)
{
	struct arm_smmu_master_domain *attachment;

	list_for_each_entry(attachment, &domain->devices, devices_elm) {
		unsigned int i = function_of_master(attachment->master);

		if (i == ATSFUZZ_NONE)
			continue;
		if (attachment->ssid == IOMMU_NO_PASID)
			out->attachments[i]++;
		else
			out->pasid_attachments[i]++;
	}
}

static unsigned int asid_of(const struct arm_smmu_domain *domain)
{
	return domain->cd.asid;
}

/* That of a process has a stage of its own. */
static unsigned int stage_of(const struct arm_smmu_domain *domain)
{
	return domain->stage == ARM_SMMU_DOMAIN_S2 ? 2 : 1;
}
#endif

/* Not an arm_smmu_domain; a kernel without them may not know the type. */
static bool is_nested(const struct iommu_domain *domain)
{
#ifdef ATSFUZZ_HAS_NESTING
	return domain->type == IOMMU_DOMAIN_NESTED;
#else
	return false;
#endif
}

static void observe_domain(unsigned int slot, struct atsfuzz_domain *out)
{
	struct iommu_domain *domain = atsfuzz_core_domain(slot);
	struct arm_smmu_domain *smmu_domain;

	if (!domain) {
		out->exists = 0;
		return;
	}
	memset(out, 0, sizeof(*out));
	out->exists = 1;
	if (is_nested(domain))
		return;
	smmu_domain = to_smmu_domain(domain);
	out->has_counter = 1;
	out->nr_ats_masters = atomic_read(&smmu_domain->nr_ats_masters);
	observe_list(smmu_domain, out);
	if (!smmu_domain->smmu)
		return;
	out->finalised = 1;
	out->stage = stage_of(smmu_domain);
	out->tag = out->stage == 1 ? asid_of(smmu_domain) : smmu_domain->s2_cfg.vmid;
	out->table = root_table(smmu_domain);
	out->smmu = index_of_smmu(smmu_domain->smmu);
	observe_array(smmu_domain, out);
}

void atsfuzz_driver_observe(struct atsfuzz_observation *out)
{
	unsigned int i;

	seen_inv_count = 0;
	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		observe_function(i, &out->functions[i]);
	for (i = 0; i < atsfuzz_the_machine.domain_count; i++)
		observe_domain(i, &out->domains[i]);
	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		observe_domain(ATSFUZZ_MAX_DOMAINS + i, &out->domains[ATSFUZZ_MAX_DOMAINS + i]);
#ifdef ATSFUZZ_HAS_DOMAIN_HEAD
	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		observe_domain(ATSFUZZ_FIRST_BLOCKING + i,
			       &out->domains[ATSFUZZ_FIRST_BLOCKING + i]);
#endif
	out->invs = seen_invs;
	out->inv_count = seen_inv_count;
	out->stream_nodes = 0;
	for (i = 0; i < atsfuzz_the_machine.smmu_count; i++)
		if (smmu_of(i))
			out->stream_nodes += count_nodes(smmu_of(i)->streams.rb_node);
}

#ifdef ATSFUZZ_HAS_DOMAIN_HEAD
/* CD tables are the domains', and are written before any entry leads to them. */
unsigned int atsfuzz_driver_cd_owner(const volatile void *address, unsigned int *ssid)
{
	return ATSFUZZ_NONE;
}
#else
unsigned int atsfuzz_driver_cd_owner(const volatile void *address, unsigned int *ssid)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.function_count; i++) {
		struct arm_smmu_master *master = master_of(i);
		struct arm_smmu_ctx_desc_cfg *table;
		unsigned int l1, first = 0;
		unsigned long at = (unsigned long)address, base, size;

		/* Another thread may be about to release it. */
		if (!master || !atsfuzz_memory_size(master) ||
		    !arm_smmu_cdtab_allocated(&master->cd_table))
			continue;
		table = &master->cd_table;
		if (table->s1fmt == STRTAB_STE_0_S1FMT_LINEAR) {
			base = (unsigned long)table->linear.table;
			size = table->linear.num_ents * sizeof(struct arm_smmu_cd);
			if (at - base < size) {
				*ssid = (at - base) / sizeof(struct arm_smmu_cd);
				return i;
			}
			continue;
		}
		if (!atsfuzz_memory_size(table->l2.l2ptrs))
			continue;
		for (l1 = 0; l1 < table->l2.num_l1_ents; l1++, first += CTXDESC_L2_ENTRIES) {
			base = (unsigned long)table->l2.l2ptrs[l1];
			if (base && at - base < sizeof(*table->l2.l2ptrs[l1])) {
				*ssid = first + (at - base) / sizeof(struct arm_smmu_cd);
				return i;
			}
			/* Only CD 0 and its leaf are in use without PASIDs. */
			if (l1 >= 3)
				break;
		}
	}
	return ATSFUZZ_NONE;
}
#endif

/* The byte of a record that holds the bit field ats_enabled, and the bit in it. */
static unsigned int belief_byte(unsigned char *mask)
{
	struct arm_smmu_master believing;
	unsigned int i = 0;

	memset(&believing, 0, sizeof(believing));
	believing.ats_enabled = true;
	while (!((unsigned char *)&believing)[i])
		i++;
	*mask = ((unsigned char *)&believing)[i];
	return i;
}

const void *atsfuzz_driver_fact(unsigned int fact, unsigned int index, unsigned int *size,
				unsigned char *mask)
{
	struct iommu_domain *domain;

	*mask = 0xff;
	switch (fact) {
	case ATSFUZZ_FACT_BELIEF:
		if (index >= atsfuzz_the_machine.function_count ||
		    !atsfuzz_memory_size(master_of(index)))
			return NULL;
		*size = 1;
		return (const unsigned char *)master_of(index) + belief_byte(mask);
	case ATSFUZZ_FACT_COUNTER:
		domain = atsfuzz_core_domain(index);
		if (!domain || !atsfuzz_memory_size(to_smmu_domain(domain)) || is_nested(domain))
			return NULL;
		*size = sizeof(atomic_t);
		return &to_smmu_domain(domain)->nr_ats_masters;
	default:
		return NULL;
	}
}

void atsfuzz_driver_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(seen_invs, sizeof(seen_invs));
}

void atsfuzz_driver_parts(void (*part)(void *start, uint64_t bytes))
{
	part(seen_invs, seen_inv_count * sizeof(seen_invs[0]));
}

ATSFUZZ_HARNESS_END
