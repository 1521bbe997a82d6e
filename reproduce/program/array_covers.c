/* Users of the live entries of this type, id and PASID, and how many entries. */
static int users_of(unsigned int slot, unsigned int type, uint32_t id, uint32_t ssid, int *entries)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];
	int users = 0;
	uint32_t i;

	*entries = 0;
	for (i = 0; i < domain->num_invs; i++) {
		const struct atsfuzz_inv *inv = &seen.now->invs[domain->inv_first + i];

		if (!inv->users || inv->smmu != domain->smmu || inv->type != type ||
		    inv->id != id || (is_ats(inv) && inv->ssid != ssid))
			continue;
		users += inv->users;
		++*entries;
	}
	return users;
}

/* What a domain is attached to: a function, with its PASID or 0. */
struct attachment {
	unsigned int function;
	uint32_t pasid;
};

static unsigned int times_listed(unsigned int function, uint32_t stream)
{
	unsigned int i, times = 0;

	for (i = 0; i < machine.functions[function].stream_count; i++)
		times += machine.functions[function].streams[i] == stream;
	return times;
}

/* The entry of a stream id has the users that the attachments give it. */
static int ats_is_covered(unsigned int slot, const struct attachment *attached, unsigned int count,
			  unsigned int type, uint32_t stream, uint32_t pasid)
{
	unsigned int i, users = 0, copies = 0;
	int entries, found = users_of(slot, type, stream, pasid, &entries);

	for (i = 0; i < count; i++) {
		unsigned int times = times_listed(attached[i].function, stream);

		if (attached[i].pasid != pasid || !seen.now->functions[attached[i].function].ats)
			continue;
		users += times;
		copies = times > copies ? times : copies;
	}
	return found == (int)users && entries == (int)copies;
}

/*
 * The live entries are what the attachments need: the domain's tag, with a nesting
 * parent its guests' stage 1, and the stream ids of each function whose ATS is on.
 */
static int array_covers(unsigned int slot, const struct attachment *attached, unsigned int count,
			int parent)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];
	unsigned int tag = domain->stage == 1 ? ATSFUZZ_INV_S1_ASID : ATSFUZZ_INV_S2_VMID;
	unsigned int ats = parent ? ATSFUZZ_INV_ATS_FULL : ATSFUZZ_INV_ATS;
	unsigned int needed = count + (parent ? count : 0), total = 0, i, k;
	int entries, covered;

	covered = users_of(slot, tag, domain->tag, 0, &entries) == (int)count;
	if (parent)
		covered &= users_of(slot, ATSFUZZ_INV_S2_VMID_S1_CLEAR, domain->tag, 0, &entries) ==
			   (int)count;
	for (i = 0; i < count; i++) {
		const struct atsfuzz_machine_function *function =
			&machine.functions[attached[i].function];

		if (!seen.now->functions[attached[i].function].ats)
			continue;
		needed += function->stream_count;
		for (k = 0; k < function->stream_count; k++)
			covered &= ats_is_covered(slot, attached, count, ats, function->streams[k],
						  attached[i].pasid);
	}
	for (i = 0; i < domain->num_invs; i++)
		total += (unsigned int)seen.now->invs[domain->inv_first + i].users;
	return covered && total == needed;
}
