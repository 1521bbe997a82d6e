/* ---- Threads side by side, each on a stack of its own ------------------------------- */

/* As atsfuzz reads a schedule: model/schedule.h, fuzz/scheduler.h, fuzz/block_run.h. */

#define SMMU_ACTORS (1 + ATSFUZZ_MAX_THREADS)
#define RCU_ACTOR (SMMU_ACTORS + ATSFUZZ_MAX_SMMUS)
#define ACTORS (RCU_ACTOR + 1)
#define STACK_BYTES (1 << 20)

static struct {
	ucontext_t context;
	char *stack;
	unsigned int next, end; /* calls */
	int in_flight;
	uint32_t taken; /* steps, of those that MOST_STEPS counts */
	int moved;	/* in the second half of fair turns */
} threads[1 + ATSFUZZ_MAX_THREADS];

/* Where each thread, each SMMU and RCU stands. */
static struct {
	unsigned int operation, step, taken, plain;
	int ready, waits, ended;
} at[ACTORS];

static ucontext_t outside;
static unsigned int running, moved_last, returned;
static uint32_t time_passed; /* in milliseconds, since an operation returned */
static int too_long, spins, fair_in_vain;

struct choice {
	unsigned int actor;
	uint32_t steps;
	unsigned int plain;
	int weak;
};

static void leave_thread(void *data)
{
	(void)data;
	swapcontext(&threads[running].context, &outside);
}

static void operate(void)
{
	unsigned int i = threads[running].next;

	ran[i].result = module->threads->operate(&calls[i].request);
	threads[running].in_flight = 0;
}

static uint32_t count_events(void)
{
	uint32_t count;

	module->events(&count);
	return count;
}

static void start(unsigned int thread)
{
	ucontext_t *context = &threads[thread].context;

	getcontext(context);
	context->uc_stack.ss_sp = threads[thread].stack;
	context->uc_stack.ss_size = STACK_BYTES;
	context->uc_link = &outside;
	makecontext(context, operate, 0);
	threads[thread].in_flight = 1;
	threads[thread].taken = 0;
	ran[threads[thread].next].began = count_events();
}

/* The kernel has ended, be it by a BUG or by a wait that was given up. */
static int died(void)
{
	uint32_t count, i;
	const struct atsfuzz_event *events = module->events(&count);

	for (i = 0; i < count; i++)
		if (events[i].a == 1 && (events[i].kind == ATSFUZZ_EVENT_WARN ||
					 events[i].kind == ATSFUZZ_EVENT_TIMEOUT ||
					 events[i].kind == ATSFUZZ_EVENT_MEMORY_ERROR))
			return 1;
	return 0;
}

static void count_anew(void)
{
	unsigned int i;

	for (i = 1; i <= ATSFUZZ_MAX_THREADS; i++)
		threads[i].taken = 0;
	too_long = time_passed >= MOST_TIME;
}

static int pass_time(void)
{
	time_passed++;
	count_anew();
	return module->threads->pass_time();
}

static int find_ready(void)
{
	const struct atsfuzz_threads *table = module->threads;
	unsigned int i;

	for (;;) {
		int any = 0, in_flight = 0;

		for (i = 1; i <= ATSFUZZ_MAX_THREADS; i++) {
			int left = threads[i].next < threads[i].end;

			at[i].ready = threads[i].in_flight ? table->ready(i) : left;
			at[i].waits = threads[i].in_flight && !at[i].ready;
			at[i].ended = !left;
			any |= at[i].ready;
			in_flight |= threads[i].in_flight;
		}
		for (i = 0; i < machine.smmu_count; i++) {
			at[SMMU_ACTORS + i].ready = table->smmu_ready(i);
			any |= at[SMMU_ACTORS + i].ready;
		}
		at[RCU_ACTOR].ready = table->grace_period_ready();
		any |= at[RCU_ACTOR].ready;
		if (any)
			return 1;
		if (!in_flight || !pass_time())
			return 0;
	}
}

/* Who can serve a thread that waits: an SMMU, or RCU. */
static unsigned int ready_server(void)
{
	unsigned int i;

	for (i = SMMU_ACTORS; i < ACTORS; i++)
		if (at[i].ready)
			return i;
	return 0;
}

/* What the schedule says; 0 once it is over. */
static int follow(struct choice *choice)
{
	static unsigned int next;

	for (; schedule[next].actor; next++) {
		const struct turn *turn = &schedule[next];
		unsigned int actor = turn->actor, server;
		int earlier = turn->step == TO_THE_END || at[actor].operation < turn->operation;
		int there = !earlier &&
			    (at[actor].operation > turn->operation || at[actor].step > turn->step ||
			     (at[actor].step == turn->step && at[actor].plain >= turn->plain));

		if (there || at[actor].ended)
			continue;
		if (at[actor].ready) {
			*choice = (struct choice){ actor, UINT32_MAX, 0, turn->weak };
			if (earlier)
				return 1;
			choice->steps = turn->step - at[actor].taken;
			choice->plain = turn->plain;
			if (turn->plain) {
				choice->steps++;
				if (at[actor].step == turn->step)
					choice->plain -= at[actor].plain;
			}
			return 1;
		}
		server = at[actor].waits ? ready_server() : 0;
		if (server) {
			*choice = (struct choice){ server, 1, 0, 0 };
			return 1;
		}
	}
	return 0;
}

/* After the schedule: who moved last goes on, SMMUs move for it. */
static struct choice go_on(void)
{
	struct choice choice = { moved_last, UINT32_MAX, 0, 0 };

	if (at[moved_last].ready)
		return choice;
	choice.actor = at[moved_last].waits ? ready_server() : 0;
	while (!at[choice.actor].ready)
		choice.actor++;
	if (choice.actor >= SMMU_ACTORS)
		choice.steps = 1;
	return choice;
}

static int server_ready(unsigned int actor)
{
	return actor == RCU_ACTOR ? module->threads->grace_period_ready() :
				    module->threads->smmu_ready(actor - SMMU_ACTORS);
}

static void move_server(struct choice choice)
{
	for (; choice.steps && server_ready(choice.actor); choice.steps--) {
		if (choice.actor == RCU_ACTOR)
			module->threads->move_grace_periods();
		else
			module->threads->smmu_step(choice.actor - SMMU_ACTORS);
		at[choice.actor].step = ++at[choice.actor].taken;
	}
}

static void move_thread(struct choice choice)
{
	const struct atsfuzz_threads *table = module->threads;
	unsigned int self = choice.actor;
	uint32_t left, taken, status;
	int at_plain;

	if (!threads[self].in_flight)
		start(self);
	threads[self].moved = 1;
	running = moved_last = self;
	table->select(self, choice.steps, choice.plain, choice.weak);
	swapcontext(&outside, &threads[self].context);
	left = table->steps_left();
	if (!threads[self].in_flight) {
		ran[threads[self].next].returned = 1;
		ran[threads[self].next].ended = count_events();
		threads[self].next++;
		returned++;
		time_passed = 0;
		count_anew();
		at[self].operation++;
		at[self].step = at[self].taken = at[self].plain = 0;
		return;
	}
	taken = choice.steps - left;
	status = table->status(self);
	at_plain = status == ATSFUZZ_THREAD_READY && left;
	if (taken || !at_plain)
		at[self].plain = 0;
	if (at_plain)
		at[self].plain += choice.plain;
	at[self].taken += taken;
	threads[self].taken += taken ? taken : 1;
	too_long |= threads[self].taken >= MOST_STEPS;
	spins = status == ATSFUZZ_THREAD_SPINNING;
	/* Who spins has made its last access, and stands before the next. */
	at[self].step = at[self].taken + spins;
}

static void restrain(struct choice *choice)
{
	uint32_t left;

	if (choice->actor >= SMMU_ACTORS)
		return;
	left = MOST_STEPS - threads[choice->actor].taken;
	if (choice->steps > left) {
		choice->steps = left;
		choice->plain = 0;
	}
}

static void move(struct choice choice)
{
	spins = 0;
	if (choice.actor >= SMMU_ACTORS)
		move_server(choice);
	else
		move_thread(choice);
}

/* Until an operation returns. 0: none does. */
static int take_fair_turns(void)
{
	static unsigned int actor;
	unsigned int i, turn, before = returned;
	uint32_t random = 1;

	for (turn = 0; turn < FAIR_TURNS; turn++) {
		struct choice choice = { 0 };

		for (i = 1; turn == FAIR_TURNS / 2 && i <= ATSFUZZ_MAX_THREADS; i++)
			threads[i].moved = 0;
		if (!find_ready())
			return 0;
		do
			actor = (actor + 1) % ACTORS;
		while (!at[actor].ready);
		random = random * 1664525 + 1013904223;
		choice.actor = actor;
		choice.steps = 1u << (random >> 16) % 11;
		move(choice);
		if (died() || returned != before)
			return 1;
		if (spins)
			pass_time();
	}
	fair_in_vain = 1;
	return 0;
}

static enum stuck why_stuck(void)
{
	int move = 0, wait = 0;
	unsigned int i;

	for (i = 1; i <= ATSFUZZ_MAX_THREADS; i++) {
		if (!threads[i].in_flight)
			continue;
		if (fair_in_vain && threads[i].moved)
			move = 1;
		else
			wait = 1;
	}
	if (died() || !(move || wait))
		return NOT_STUCK;
	return !move ? DEADLOCK : wait ? STARVATION : LIVELOCK;
}

static unsigned int run_block(unsigned int first)
{
	struct choice choice;
	unsigned int i, end = first;

	for (; end < CALLS && calls[end].thread; end++) {
		unsigned int thread = calls[end].thread;

		if (!threads[thread].end)
			threads[thread].next = end;
		threads[thread].end = end + 1;
	}
	for (i = 1; i <= ATSFUZZ_MAX_THREADS; i++) {
		threads[i].stack = malloc(STACK_BYTES);
		if (!threads[i].stack)
			exit(2);
	}
	printf("side by side:\n");
	module->threads->begin(leave_thread, NULL);
	for (i = 0; schedule[i].actor; i++)
		if (schedule[i].actor == RCU_ACTOR) {
			module->threads->hold_grace_periods();
			break;
		}
	while (!died() && find_ready()) {
		if (too_long) {
			if (!take_fair_turns())
				break;
			continue;
		}
		if (!follow(&choice))
			choice = go_on();
		restrain(&choice);
		move(choice);
	}
	seen.stuck = why_stuck();
	module->threads->end();
	return end;
}
