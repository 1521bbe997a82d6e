static const struct atsfuzz_inv *next_live(const struct atsfuzz_observation *of, unsigned int slot,
					   uint32_t *at)
{
	const struct atsfuzz_domain *domain = &of->domains[slot];

	while (*at < domain->num_invs) {
		const struct atsfuzz_inv *inv = &of->invs[domain->inv_first + (*at)++];

		if (inv->users)
			return inv;
	}
	return NULL;
}

static int live_entries_changed(unsigned int slot)
{
	uint32_t i = 0, k = 0;

	for (;;) {
		const struct atsfuzz_inv *was = next_live(&seen.before, slot, &i);
		const struct atsfuzz_inv *is = next_live(seen.now, slot, &k);

		if (!was || !is)
			return was != is;
		if (was->smmu != is->smmu || was->type != is->type || was->id != is->id ||
		    was->users != is->users || was->ssid != is->ssid)
			return 1;
	}
}
