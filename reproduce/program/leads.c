/* The stream's traffic goes through the domain; `nested`: through a guest's stage 1. */
static int leads_to(const struct atsfuzz_stream *stream, unsigned int slot, int nested)
{
	const struct atsfuzz_domain *domain = &seen.now->domains[slot];

	if (!domain->exists || !domain->finalised || stream->table != domain->table)
		return 0;
	if (nested)
		return stream->route == ATSFUZZ_ROUTE_NESTED && stream->vmid == domain->tag;
	if (domain->stage == 1)
		return stream->route == ATSFUZZ_ROUTE_STAGE1 && stream->cd_valid &&
		       stream->asid == domain->tag;
	return stream->route == ATSFUZZ_ROUTE_STAGE2 && stream->vmid == domain->tag;
}
