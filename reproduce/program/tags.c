/* Two domains have the same ASID, or behind one SMMU the same VMID. */
static int tag_twice(const uint8_t *nested)
{
	unsigned int i, k;

	for (i = 0; i < ATSFUZZ_MAX_DOMAIN_SLOTS; i++) {
		const struct atsfuzz_domain *a = &seen.now->domains[i];

		if (!a->exists || !a->finalised || nested[i])
			continue;
		for (k = 0; k < i; k++) {
			const struct atsfuzz_domain *b = &seen.now->domains[k];

			if (!b->exists || !b->finalised || nested[k] || a->stage != b->stage ||
			    a->tag != b->tag || (a->stage == 2 && a->smmu != b->smmu))
				continue;
			printf("  found: two domains with %s %u\n", a->stage == 1 ? "ASID" : "VMID",
			       a->tag);
			return 1;
		}
	}
	return 0;
}
