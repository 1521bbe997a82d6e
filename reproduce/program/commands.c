/* An SMMU was given a command, whether or not it stalled before it. */
static int is_command(const struct atsfuzz_event *event)
{
	return event->kind == ATSFUZZ_EVENT_COMMAND || event->kind == ATSFUZZ_EVENT_COMMAND_HELD;
}

static int is_tlbi(const struct atsfuzz_event *event)
{
	return is_command(event) && (event->a & 0xff) >= 0x10 && (event->a & 0xff) < 0x40;
}

static int is_atc_inv(const struct atsfuzz_event *event)
{
	return is_command(event) && (event->a & 0xff) == 0x40;
}

static int is_sync(const struct atsfuzz_event *event)
{
	return is_command(event) && (event->a & 0xff) == 0x46;
}

static void print_command(const struct atsfuzz_event *event)
{
	const char *name = "command";

	if (is_tlbi(event))
		name = "TLBI";
	else if (is_atc_inv(event))
		name = "ATC_INV";
	else if (is_sync(event))
		name = "CMD_SYNC";
	printf("  found: s%u %s 0x%016llx 0x%016llx\n", event->smmu, name,
	       (unsigned long long)event->a, (unsigned long long)event->b);
}
