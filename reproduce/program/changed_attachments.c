/* Attachments on the drivers' lists, of PASIDs or without. */
static int attachments_changed(int of_pasids)
{
	unsigned int slot, changed = 0;

	for (slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; slot++) {
		const struct atsfuzz_domain *was = &seen.before.domains[slot];
		const struct atsfuzz_domain *is = &seen.now->domains[slot];

		if (!was->exists || !is->exists)
			continue;
		if (of_pasids)
			changed |= memcmp(was->pasid_attachments, is->pasid_attachments,
					  sizeof(was->pasid_attachments)) != 0;
		else
			changed |= memcmp(was->attachments, is->attachments,
					  sizeof(was->attachments)) != 0;
	}
	return changed != 0;
}
