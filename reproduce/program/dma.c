/* An access of the function reached a page that a map gave, these calls having returned. */
static int dma_reached(unsigned int function, uint32_t pasid, uint64_t iova, uint64_t physical,
		       const unsigned int *which, unsigned int count)
{
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (event->kind != ATSFUZZ_EVENT_DMA || event->function != function ||
		    event->pasid != pasid || event->a != iova || event->b != physical ||
		    !had_returned(which, count, i))
			continue;
		printf("  found: %s's access to 0x%llx reached 0x%llx%s\n",
		       machine.functions[function].name, (unsigned long long)iova,
		       (unsigned long long)physical,
		       event->c == ATSFUZZ_DMA_ATC_HIT ? " through its ATC" : "");
		return 1;
	}
	return 0;
}
