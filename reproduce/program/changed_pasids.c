static int pasids_changed(unsigned int function)
{
	const struct atsfuzz_function *was = &seen.before.functions[function];
	const struct atsfuzz_function *is = &seen.now->functions[function];
	unsigned int i, k, same = 0;

	for (i = 0; i < was->substream_count; i++)
		for (k = 0; k < is->substream_count; k++)
			same += was->substreams[i].pasid == is->substreams[k].pasid &&
				was->substreams[i].asid == is->substreams[k].asid &&
				was->substreams[i].table == is->substreams[k].table;
	return same != was->substream_count || same != is->substream_count;
}
