/* A valid entry became valid again through V=0. */
static int passes_through_invalid(unsigned int smmu, uint32_t stream)
{
	int invalid = 0;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (event->kind != ATSFUZZ_EVENT_STE_WRITE || event->smmu != smmu ||
		    event->stream != stream || event->a || !((event->b ^ event->c) & 1))
			continue;
		if (event->c & 1 && invalid) {
			printf("  found: the entry of stream 0x%x is V=0 on its way\n", stream);
			return 1;
		}
		invalid = !(event->c & 1);
	}
	return 0;
}
