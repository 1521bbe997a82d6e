static int same_tag(const struct atsfuzz_domain *domain, const struct atsfuzz_iotlb_entry *entry)
{
	/* A guest's entries have the VMID of its stage 2. */
	int of_guest = entry->stage == 1 && entry->vmid;

	return domain->exists && domain->finalised && domain->smmu == entry->smmu &&
	       domain->stage == (of_guest ? 2 : entry->stage) &&
	       domain->tag == (of_guest ? entry->vmid : entry->tag);
}

/* Some domain has the tag, and where there are invalidation arrays, in its array. */
static int will_be_named(const struct atsfuzz_iotlb_entry *entry)
{
	uint32_t slot, i;

	for (slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; slot++) {
		const struct atsfuzz_domain *domain = &seen.now->domains[slot];

		if (!same_tag(domain, entry))
			continue;
		if (!domain->has_array)
			return 1;
		for (i = 0; i < domain->num_invs; i++) {
			const struct atsfuzz_inv *inv = &seen.now->invs[domain->inv_first + i];

			if (inv->users && inv->smmu == domain->smmu && inv->id == domain->tag &&
			    inv->type == (domain->stage == 1 ? ATSFUZZ_INV_S1_ASID :
							       ATSFUZZ_INV_S2_VMID))
				return 1;
		}
	}
	return 0;
}

static int stream_selects(const struct atsfuzz_stream *stream,
			  const struct atsfuzz_iotlb_entry *entry)
{
	if (entry->stage == 1 && entry->vmid)
		return stream->route == ATSFUZZ_ROUTE_NESTED && stream->vmid == entry->vmid;
	if (entry->stage == 1)
		return stream->route == ATSFUZZ_ROUTE_STAGE1 && stream->cd_valid &&
		       stream->asid == entry->tag;
	return (stream->route == ATSFUZZ_ROUTE_STAGE2 || stream->route == ATSFUZZ_ROUTE_NESTED) &&
	       stream->vmid == entry->tag;
}

/* Some stream table entry or context descriptor leads to the tag. */
static int is_selected(const struct atsfuzz_iotlb_entry *entry)
{
	uint32_t f, i;

	for (f = 0; f < machine.function_count; f++) {
		const struct atsfuzz_function *function = &seen.now->functions[f];

		if (machine.functions[f].smmu != entry->smmu)
			continue;
		for (i = 0; i < function->stream_count; i++)
			if (stream_selects(&function->streams[i], entry))
				return 1;
		for (i = 0; entry->stage == 1 && !entry->vmid && i < function->substream_count; i++)
			if (function->substreams[i].asid == entry->tag)
				return 1;
	}
	return 0;
}

/*
 * The IOTLB translates an address to a page that a map gave, by a tag that is in use,
 * or by one that no sync will ever name.
 */
static int iotlb_holds(unsigned int smmu, unsigned int stage, uint64_t iova, uint64_t physical)
{
	uint32_t i;

	for (i = 0; i < seen.now->iotlb_count; i++) {
		const struct atsfuzz_iotlb_entry *entry = &seen.now->iotlb[i];

		if (entry->smmu != smmu || entry->stage != stage || entry->iova != iova ||
		    entry->physical != physical)
			continue;
		printf("  found: s%u's IOTLB translates 0x%llx to 0x%llx by %s %u\n", smmu,
		       (unsigned long long)iova, (unsigned long long)physical,
		       stage == 1 ? "ASID" : "VMID", entry->tag);
		if (is_selected(entry) || !will_be_named(entry))
			return 1;
	}
	return 0;
}
