static int is_ats(const struct atsfuzz_inv *inv)
{
	return inv->type == ATSFUZZ_INV_ATS || inv->type == ATSFUZZ_INV_ATS_FULL;
}

static void print_array(unsigned int slot)
{
	static const char *const types[] = { "S1_ASID", "S2_VMID", "S2_VMID_S1_CLEAR", "ATS",
					     "ATS_FULL" };
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];
	uint32_t i;

	printf("  found: %u entries in room for %u, has_ats %u, num_trashes %u\n", domain->num_invs,
	       domain->max_invs, domain->has_ats, domain->num_trashes);
	for (i = 0; i < domain->num_invs; i++) {
		const struct atsfuzz_inv *inv = &seen.now->invs[domain->inv_first + i];

		printf("    %-16s 0x%x", inv->type < 5 ? types[inv->type] : "?", inv->id);
		if (is_ats(inv) && inv->ssid)
			printf(" PASID %u", inv->ssid);
		printf(", %d users\n", inv->users);
	}
}
