/* ---- The run --------------------------------------------------------------------- */

#define SECONDS 20

static void leave(const char *text, int status)
{
	size_t length = strlen(text);

	if (write(STDOUT_FILENO, text, length) != (ssize_t)length)
		_exit(2);
	_exit(status);
}

static void on_signal(int number)
{
	if (number == SIGALRM)
		leave("\n  it does not end\n", DIES ? 1 : 2);
	leave("\n  it crashes\n", DIES ? 1 : 2);
}

static void watch(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char memory[1 << 16];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	size_t i;

	sigaction(SIGALRM, &action, NULL);
	alarm(SECONDS);
	/* A sanitizer handles them itself, and says more. */
	if (SANITIZED)
		return;
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

static int load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "cannot load the driver: %s\n", dlerror());
		return 0;
	}
	module = dlsym(library, ATSFUZZ_MODULE_SYMBOL);
	if (!module || module->abi != ATSFUZZ_MODULE_ABI) {
		fprintf(stderr, "%s: built by another version of atsfuzz than linux/module.h\n",
			path);
		return 0;
	}
	if (INSTRUMENTED && !module->instrumented) {
		fprintf(stderr, "%s: not the instrumented build, which this needs\n", path);
		return 0;
	}
	return 1;
}

static void tell_result(unsigned int i)
{
	if (!ran[i].returned)
		printf("never returns\n");
	else if (ran[i].result == calls[i].result)
		printf("%d\n", ran[i].result);
	else
		printf("%d, and %d when this was made\n", ran[i].result, calls[i].result);
	if (!ran[i].returned || ran[i].result != calls[i].result)
		seen.as_recorded = 0;
}

/* Runs call `i`, or the block that begins with it; the first call after that. */
static unsigned int run(unsigned int i)
{
	keep();
#ifdef TURNS
	if (calls[i].thread) {
		unsigned int end = run_block(i);

		for (; i != end; i++) {
			printf("  t%u: %-34s", calls[i].thread - 1, calls[i].text);
			tell_result(i);
		}
		look();
		return end;
	}
#endif
	printf("%-40s", calls[i].text);
	ran[i].result = module->operate(&calls[i].request);
	ran[i].returned = 1;
	tell_result(i);
	look();
	return i + 1;
}

static int verdict(int found)
{
	printf("%s\n", found ? "It shows." : "It does not show.");
	return found;
}

int main(int argc, char **argv)
{
	unsigned int i = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: %s MODULE\n", argv[0]);
		return 2;
	}
	if (!load(argv[1]))
		return 2;
	watch();
	if (DATA_RACES)
		module->ask_for_races(1);
	if (module->boot(&machine)) {
		fprintf(stderr, "the SMMU driver does not come up\n");
		return 2;
	}
	seen.as_recorded = 1;
	look();
	while (i != CALLS && seen.as_recorded)
		i = run(i);
	if (i == CALLS && !AT_SHUTDOWN)
		return verdict(shows());
	if (!seen.as_recorded) {
		printf("The calls do not return what they did: this goes another way.\n");
		return verdict(0);
	}
	module->shutdown();
	look();
	return verdict(shows());
}
