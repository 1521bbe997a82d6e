/* No CMD_SYNC completes the last invalidation. */
static int ends_without_sync(unsigned int smmu)
{
	const struct atsfuzz_event *last = NULL;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];
		unsigned int opcode = event->a & 0xff;

		if (!is_command(event) || event->smmu != smmu)
			continue;
		if (is_sync(event))
			last = NULL;
		else if (is_tlbi(event) || is_atc_inv(event) || (opcode >= 3 && opcode <= 6))
			last = event;
	}
	if (last)
		print_command(last);
	return last != NULL;
}
