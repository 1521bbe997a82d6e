static int entry_changed(unsigned int function, unsigned int index)
{
	const struct atsfuzz_stream *was = &seen.before.functions[function].streams[index];
	const struct atsfuzz_stream *is = &seen.now->functions[function].streams[index];

	if (was->route == ATSFUZZ_ROUTE_NO_TABLE && is->route == ATSFUZZ_ROUTE_ABORT)
		return 0;
	return was->route != is->route || memcmp(was->ste, is->ste, sizeof(was->ste));
}
