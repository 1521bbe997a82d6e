/* The function's ATS enable bit after an event, if it was `ats` before. */
static int ats_after(int ats, const struct atsfuzz_event *event, unsigned int function)
{
	if (event->kind == ATSFUZZ_EVENT_CONFIG_WRITE && event->function == function &&
	    event->a == ATSFUZZ_CONFIG_ATS_CONTROL)
		return event->c >> 15 & 1;
	return ats;
}
