/*
 * A command, or a store to word `a` of a stream table entry or, `stream` being the
 * PASID, of a context descriptor.
 */
struct step {
	unsigned int kind, smmu;
	uint32_t stream;
	uint64_t a, b;
};

/* Commands and stores are these, in this order; `more`: others may follow. */
static int goes_as_recorded(const struct step *steps, unsigned int count, int stores, int more)
{
	unsigned int at = 0;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];
		int store = event->kind == ATSFUZZ_EVENT_STE_WRITE ||
			    event->kind == ATSFUZZ_EVENT_CD_WRITE;

		if (!is_command(event) && !(stores && store))
			continue;
		if (at == count)
			return more;
		if (is_command(event))
			print_command(event);
		else
			printf("  found: store to word %llu of the %s of 0x%x\n",
			       (unsigned long long)event->a,
			       event->kind == ATSFUZZ_EVENT_STE_WRITE ? "entry" : "CD",
			       event->stream);
		if (event->kind != steps[at].kind || event->a != steps[at].a)
			return 0;
		if (store ? event->stream != steps[at].stream :
			    event->smmu != steps[at].smmu || event->b != steps[at].b)
			return 0;
		at++;
	}
	return at == count;
}
