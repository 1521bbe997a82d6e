/*
 * Two accesses of threads that nothing orders, one of them plain: `kind` says which is
 * which (model/observation.h). Where they stand, addr2line tells.
 */
static int races(uint64_t kind)
{
	struct atsfuzz_frame frame;
	uint32_t i, found = 0;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];
		Dl_info info;
		int second;

		if (event->kind != ATSFUZZ_EVENT_DATA_RACE || event->b != kind)
			continue;
		found = 1;
		for (second = 0; second < 2; second++) {
			if (!module->frames(second ? (uint32_t)event->a : event->stack, &frame,
					    1) ||
			    !dladdr((void *)(uintptr_t)frame.address, &info))
				continue;
			printf("  found: an access; addr2line -fie MODULE 0x%llx\n",
			       (unsigned long long)(frame.address - 1 - (uintptr_t)info.dli_fbase));
		}
	}
	return (int)found;
}
