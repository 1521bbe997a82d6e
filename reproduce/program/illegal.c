/* The SMMU refused a command with this opcode. */
static int refused(unsigned int opcode)
{
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (event->kind != ATSFUZZ_EVENT_ILLEGAL_COMMAND || (event->a & 0xff) != opcode)
			continue;
		printf("  found: the SMMU refused 0x%016llx 0x%016llx\n",
		       (unsigned long long)event->a, (unsigned long long)event->b);
		return 1;
	}
	return 0;
}
