/* An ATC_INV stands between a TLBI and the CMD_SYNC that completes it. */
static int atc_inv_before_sync(unsigned int smmu)
{
	int tlbi = 0;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (event->smmu != smmu)
			continue;
		if (is_tlbi(event))
			tlbi = 1;
		else if (is_sync(event))
			tlbi = 0;
		if (tlbi && is_atc_inv(event)) {
			print_command(event);
			return 1;
		}
	}
	return 0;
}
