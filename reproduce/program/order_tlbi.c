/* An ATC_INV comes before any TLBI was completed by a CMD_SYNC. */
static int atc_inv_before_tlbi(void)
{
	int tlbi = 0;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (is_tlbi(event))
			tlbi = 1;
		else if (is_sync(event) && tlbi)
			return 0;
		if (is_atc_inv(event)) {
			print_command(event);
			return 1;
		}
	}
	return 0;
}
