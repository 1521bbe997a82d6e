/* The SMMU was given this command. */
static int commanded(unsigned int smmu, uint64_t a, uint64_t b)
{
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];

		if (is_command(event) && event->smmu == smmu && event->a == a && event->b == b) {
			print_command(event);
			return 1;
		}
	}
	return 0;
}
