/* The probed function that a stream id belongs to. */
static unsigned int owner_of(unsigned int smmu, uint32_t stream)
{
	unsigned int f, i;

	for (f = 0; f < machine.function_count; f++)
		for (i = 0; i < machine.functions[f].stream_count; i++)
			if (machine.functions[f].smmu == smmu && seen.now->functions[f].probed &&
			    machine.functions[f].streams[i] == stream)
				return f;
	return ATSFUZZ_NONE;
}

/* Masters and PASIDs with ATS: by the array, by the counter, by the list. */
static int representations_agree(unsigned int slot)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];
	const struct atsfuzz_inv *inv = seen.now->invs + domain->inv_first;
	int listed = 0, covered = 0, counted;
	uint32_t i, k;

	for (i = 0; i < machine.function_count; i++)
		if (seen.now->functions[i].ats)
			listed += domain->attachments[i] + domain->pasid_attachments[i];
	for (i = 0; i < domain->num_invs; i++) {
		int first = inv[i].users && is_ats(&inv[i]);

		for (k = 0; k < i && first; k++)
			first = !inv[k].users || !is_ats(&inv[k]) || inv[k].ssid != inv[i].ssid ||
				owner_of(inv[k].smmu, inv[k].id) !=
					owner_of(inv[i].smmu, inv[i].id);
		covered += first;
	}
	counted = domain->has_counter ? domain->nr_ats_masters : listed;
	printf("  found: %d by the array, %d by nr_ats_masters, %d by the list\n", covered, counted,
	       listed);
	return covered == counted && counted == listed;
}
