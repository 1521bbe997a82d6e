/* A stream table entry as the CPU has written it so far. */
struct entry {
	uint64_t words[8];
};

static void apply(struct entry *entry, const struct atsfuzz_event *event, unsigned int smmu,
		  uint32_t stream)
{
	if (event->kind == ATSFUZZ_EVENT_STE_WRITE && event->smmu == smmu &&
	    event->stream == stream && event->a < 8)
		entry->words[event->a] = event->c;
}
