static const char *route_name(unsigned int route)
{
	static const char *const names[] = { "no table",	"V=0",		"abort",
					     "bypass",		"stage 1",	"stage 2",
					     "S1DSS terminate", "S1DSS bypass", "nested" };

	return route < sizeof(names) / sizeof(names[0]) ? names[route] : "?";
}

static const struct atsfuzz_stream *stream_of(unsigned int function, unsigned int index)
{
	const struct atsfuzz_stream *stream = &seen.now->functions[function].streams[index];

	printf("  found: the entry of stream 0x%x says %s", stream->id, route_name(stream->route));
	if (stream->route == ATSFUZZ_ROUTE_STAGE1)
		printf(", ASID %u%s", stream->asid, stream->cd_valid ? "" : ", CD not valid");
	if (stream->route == ATSFUZZ_ROUTE_STAGE2 || stream->route == ATSFUZZ_ROUTE_NESTED)
		printf(", VMID %u", stream->vmid);
	printf("\n");
	return stream;
}
