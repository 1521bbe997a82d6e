/* ---- What there is to look at --------------------------------------------------- */

static const struct atsfuzz_module *module;

/* Why the threads of the block have not all returned. */
enum stuck {
	NOT_STUCK,
	DEADLOCK,   /* each waits */
	LIVELOCK,   /* all move, and none returns, whoever moves when */
	STARVATION, /* some wait for ever, while others move and do not return */
};

/* After a call, after the block, after the boot, or after the shutdown. */
static struct {
	const struct atsfuzz_observation *now;
	/* What happened since it began. */
	const struct atsfuzz_event *events;
	uint32_t count;
	struct atsfuzz_observation before; /* without ATCs and IOTLBs */
	int as_recorded; /* every call has returned what it did when this was made */
	enum stuck stuck;
} seen;

static struct {
	int returned, result;
	uint32_t began, ended; /* of a thread: how many events there were */
} ran[CALLS + 1];

static void look(void)
{
	seen.now = module->observe();
	seen.events = module->events(&seen.count);
}

static void keep(void)
{
	const struct atsfuzz_observation *now = module->observe();
	size_t bytes = now->inv_count * sizeof(*now->invs);
	struct atsfuzz_inv *invs = malloc(bytes + 1);

	if (!invs)
		exit(2);
	if (bytes)
		memcpy(invs, now->invs, bytes);
	free((void *)seen.before.invs);
	seen.before = *now;
	seen.before.atc = NULL;
	seen.before.iotlb = NULL;
	seen.before.atc_count = seen.before.iotlb_count = 0;
	seen.before.invs = invs;
}
