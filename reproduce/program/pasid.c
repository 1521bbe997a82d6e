/* The PASID enable bit changed while ATS was on. */
static int pasid_changes_under_ats(unsigned int function)
{
	int ats = seen.before.functions[function].ats;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		ats = ats_after(ats, event, function);
		if (ats && event->kind == ATSFUZZ_EVENT_CONFIG_WRITE &&
		    event->function == function && event->a == ATSFUZZ_CONFIG_PASID_CONTROL &&
		    ((event->b ^ event->c) & 1)) {
			printf("  found: %s's PASID goes %s while its ATS is on\n",
			       machine.functions[function].name, event->c & 1 ? "on" : "off");
			return 1;
		}
	}
	return 0;
}
