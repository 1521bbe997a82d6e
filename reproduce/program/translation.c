/* Valid, through a page table, and EATS says that ATS requests are translated. */
static int translates_ats(const struct entry *entry)
{
	unsigned int config = entry->words[0] >> 1 & 7;

	return (entry->words[0] & 1) && config > 4 && (entry->words[1] >> 28 & 3) == 1;
}

/* At some moment the function's ATS was on, and the entry of its stream refused it. */
static int ats_on_without_eats(unsigned int function, unsigned int index)
{
	const struct atsfuzz_machine_function *f = &machine.functions[function];
	struct entry entry;
	int ats = seen.before.functions[function].ats, replaced = 0;
	uint32_t i;

	memcpy(entry.words, seen.before.functions[function].streams[index].ste,
	       sizeof(entry.words));
	for (i = 0; i < seen.count; i++) {
		apply(&entry, &seen.events[i], f->smmu, f->streams[index]);
		ats = ats_after(ats, &seen.events[i], function);
		if (!ats || translates_ats(&entry))
			continue;
		/* V=0 is well if what comes in its place translates. */
		replaced |= !(entry.words[0] & 1);
		if (entry.words[0] & 1) {
			printf("  found: event %u: %s's ATS is on, and stream 0x%x has no EATS\n",
			       i, f->name, f->streams[index]);
			return 1;
		}
	}
	if (!seen.now->functions[function].ats && !replaced)
		return 0;
	if (seen.now->functions[function].streams[index].eats)
		return 0;
	printf("  found: %s's ATS is on, and stream 0x%x ends without EATS\n", f->name,
	       f->streams[index]);
	return 1;
}
