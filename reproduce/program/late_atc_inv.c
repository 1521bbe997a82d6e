/*
 * An ATC_INV names a stream of the function while its ATS is off, and these calls, of
 * which one turned it off, had returned by then.
 */
static int atc_inv_after_return(unsigned int function, uint32_t stream, const unsigned int *which,
				unsigned int count)
{
	int ats = seen.before.functions[function].ats;
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		ats = ats_after(ats, event, function);
		if (ats || !is_atc_inv(event) || event->a >> 32 != stream ||
		    event->smmu != machine.functions[function].smmu ||
		    !had_returned(which, count, i))
			continue;
		print_command(event);
		return 1;
	}
	return 0;
}
