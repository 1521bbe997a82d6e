/* Where traffic with a PASID must go: a domain, whose process may be dead. */
struct pasid_route {
	uint32_t pasid;
	unsigned int slot;
	int exited;
};

static int pasid_leads(const struct atsfuzz_function *function, const struct pasid_route *to)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[to->slot];
	unsigned int i;

	for (i = 0; i < function->stream_count; i++)
		if (function->streams[i].route != ATSFUZZ_ROUTE_STAGE1 &&
		    function->streams[i].route != ATSFUZZ_ROUTE_S1DSS_TERMINATE &&
		    function->streams[i].route != ATSFUZZ_ROUTE_S1DSS_BYPASS)
			return 0;
	for (i = 0; i < function->substream_count; i++)
		if (function->substreams[i].pasid == to->pasid)
			return domain->exists && domain->finalised &&
			       function->substreams[i].asid == domain->tag &&
			       function->substreams[i].table == (to->exited ? 0 : domain->table);
	return 0;
}

/* Each PASID leads where it must, and there is no other. */
static int pasids_lead(unsigned int index, const struct pasid_route *to, unsigned int count)
{
	const struct atsfuzz_function *function = &seen.now->functions[index];
	unsigned int i;

	for (i = 0; i < function->substream_count; i++)
		printf("  found: PASID %u leads through ASID %u\n", function->substreams[i].pasid,
		       function->substreams[i].asid);
	for (i = 0; i < count; i++)
		if (!pasid_leads(function, &to[i]))
			return 0;
	return function->substream_count == count;
}
