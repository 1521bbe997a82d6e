static int cd_changed(unsigned int function, unsigned int index)
{
	const struct atsfuzz_stream *was = &seen.before.functions[function].streams[index];
	const struct atsfuzz_stream *is = &seen.now->functions[function].streams[index];

	return was->cd_valid != is->cd_valid ||
	       (was->cd_valid && memcmp(was->cd, is->cd, sizeof(was->cd)));
}
