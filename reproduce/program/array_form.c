static int compare(const struct atsfuzz_inv *a, const struct atsfuzz_inv *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (!is_ats(a) || a->ssid == b->ssid)
		return 0;
	return a->ssid < b->ssid ? -1 : 1;
}

/* A function lists the stream id twice: then there are two such entries. */
static int may_repeat(const struct atsfuzz_inv *inv)
{
	unsigned int f, i, times;

	for (f = 0; is_ats(inv) && f < machine.function_count; f++) {
		if (machine.functions[f].smmu != inv->smmu)
			continue;
		for (times = i = 0; i < machine.functions[f].stream_count; i++)
			times += machine.functions[f].streams[i] == inv->id;
		if (times > 1)
			return 1;
	}
	return 0;
}

/* Sorted, within its room, and its counts and flags say what it holds. */
static int array_is_well_formed(unsigned int slot)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];
	const struct atsfuzz_inv *inv = seen.now->invs + domain->inv_first;
	uint32_t i, trash = 0;

	for (i = 0; i < domain->num_invs; i++) {
		int order = i ? compare(&inv[i - 1], &inv[i]) : -1;

		trash += !inv[i].users;
		if (inv[i].users < 0 || (inv[i].users && is_ats(&inv[i]) && !domain->has_ats))
			return 0;
		if (order > 0 || (!order && !may_repeat(&inv[i])))
			return 0;
	}
	return domain->num_invs <= domain->max_invs && trash == domain->num_trashes;
}
