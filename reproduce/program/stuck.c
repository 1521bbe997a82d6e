/* The block ended so. */
static int ended_in(enum stuck kind)
{
	static const char *const names[] = { "all returned", "a deadlock", "a livelock",
					     "starvation" };

	printf("  found: %s\n", names[seen.stuck]);
	return seen.stuck == kind;
}
