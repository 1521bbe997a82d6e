/* The SMMU recorded an event against a stream: `id` as in the architecture. */
static int faulted(unsigned int smmu, uint32_t stream, uint64_t id, uint32_t pasid)
{
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (event->kind != ATSFUZZ_EVENT_SMMU_FAULT || event->smmu != smmu ||
		    event->stream != stream || event->a != id || event->pasid != pasid)
			continue;
		printf("  found: event 0x%02llx against stream 0x%x at 0x%llx\n",
		       (unsigned long long)id, stream, (unsigned long long)event->b);
		return 1;
	}
	return 0;
}
