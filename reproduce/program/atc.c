/* The ATC of a function translates an address of a domain to a page that a map gave. */
static int atc_holds(unsigned int function, uint32_t pasid, uint64_t iova, uint64_t physical)
{
	uint32_t i;

	for (i = 0; i < seen.now->atc_count; i++) {
		const struct atsfuzz_atc_entry *entry = &seen.now->atc[i];

		if (entry->function != function || entry->pasid != pasid ||
		    iova - entry->iova >= entry->size ||
		    entry->physical + (iova - entry->iova) != physical)
			continue;
		printf("  found: %s's ATC translates 0x%llx to 0x%llx\n",
		       machine.functions[function].name, (unsigned long long)iova,
		       (unsigned long long)physical);
		return 1;
	}
	return 0;
}
