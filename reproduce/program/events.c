/* An event of this kind that comes from this function of the kernel, with this text. */
static int happened(int kind, const char *function, const char *text)
{
	uint32_t i;

	for (i = 0; i < seen.count; i++) {
		const struct atsfuzz_event *event = &seen.events[i];
		const char *where = event->kernel_function ? event->kernel_function : "";
		const char *what = event->text ? event->text : "";

		if (event->kind != kind)
			continue;
		printf("  found: %s%s%s, line %u\n", where, *where ? ": " : "", what, event->line);
		if (!strcmp(where, function) && !strcmp(what, text))
			return 1;
	}
	return 0;
}
