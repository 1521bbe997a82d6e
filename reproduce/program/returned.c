/* These calls had returned when event `i` happened. */
static int had_returned(const unsigned int *which, unsigned int count, uint32_t i)
{
	unsigned int k;

	for (k = 0; k < count; k++)
		if (!ran[which[k]].returned || ran[which[k]].ended > i)
			return 0;
	return 1;
}
