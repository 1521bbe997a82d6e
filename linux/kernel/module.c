/* The module's table: boots a machine, runs its operations, looks at it. */

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "linux/emulator.h"
#include "linux/kernel/boundary.h"
#include "linux/kernel/glue.h"
#include "linux/kernel/runtime.h"

/* The kernel units' writable data, as the linker collects it. */
extern char __start_kernel_data[], __stop_kernel_data[];
extern char __start_kernel_bss[], __stop_kernel_bss[];

static struct atsfuzz_machine machine;
static struct atsfuzz_observation observation;
static char pristine[1 << 17] __attribute__((aligned(8)));
static int pristine_taken;
static int dead;

/*
 * Sanitized: word by word and unchecked, as the sections hold the sanitizer's own
 * gaps between the variables, which memcpy may not touch. `from` NULL: zeroes.
 */
#ifdef ATSFUZZ_SANITIZED
__attribute__((no_sanitize("address"))) static void copy_words(void *to, const void *from,
							       size_t bytes)
{
	volatile uint64_t *out = to;
	const uint64_t *in = from;

	for (size_t i = 0; i < (bytes + 7) / 8; i++)
		out[i] = in ? in[i] : 0;
}
#else
static void copy_words(void *to, const void *from, size_t bytes)
{
	if (from)
		memcpy(to, from, bytes);
	else
		memset(to, 0, bytes);
}
#endif

static void restore_kernel_data(void)
{
	size_t size = __stop_kernel_data - __start_kernel_data;

	if (!pristine_taken) {
		if (size > sizeof(pristine))
			__builtin_trap();
		copy_words(pristine, __start_kernel_data, size);
		pristine_taken = 1;
	} else {
		copy_words(__start_kernel_data, pristine, size);
	}
	copy_words(__start_kernel_bss, NULL, __stop_kernel_bss - __start_kernel_bss);
}

/* Runs `step` as kernel code; the stack below this frame is the harness's. */
static int in_kernel(void (*step)(void *), void *data)
{
	int died;

	atsfuzz_trace_bottom(__builtin_frame_address(0));
	atsfuzz_trace_begin();
	died = atsfuzz_runtime_guard(step, data);
	atsfuzz_memory_grace_period();
	if (!died)
		atsfuzz_trace_end();
	atsfuzz_trace_bottom(NULL);
	return died;
}

static void boot_step(void *data)
{
	int *result = data;

	for (unsigned int i = 0; i < machine.smmu_count && !*result; i++)
		*result = atsfuzz_driver_probe_smmu(i);
	atsfuzz_interrupts_run_threads();
	atsfuzz_locks_return();
}

static int is_process(const struct atsfuzz_request *r)
{
	return machine.domains[r->domain].process;
}

static int boot(const struct atsfuzz_machine *m)
{
	int result = 0;

	machine = *m;
	dead = 0;
	memset(&observation, 0, sizeof(observation));
	restore_kernel_data();
	atsfuzz_memory_reset();
	atsfuzz_threads_boot();
	atsfuzz_locks_boot();
	atsfuzz_runtime_boot();
	atsfuzz_interrupts_boot();
	atsfuzz_runtime_begin(NULL);
	atsfuzz_emulator_boot(&machine);
	atsfuzz_devices_boot(&machine);
	atsfuzz_trace_boot();
	for (unsigned int i = 0; i < machine.domain_count; i++)
		if (machine.domains[i].process)
			atsfuzz_driver_note_pasid(i + 1);
	if (in_kernel(boot_step, &result)) {
		dead = 1;
		return -EIO;
	}
	return result;
}

struct operation {
	const struct atsfuzz_request *request;
	int result;
};

static int unmap(const struct atsfuzz_request *r)
{
	long unmapped;

	if (is_process(r)) {
		atsfuzz_mm_unmap(r->domain, r->iova, r->size);
		return 0;
	}
	unmapped = atsfuzz_core_unmap(r->domain, r->iova, r->size, r->queued);
	return unmapped == (long)r->size ? 0 : -EINVAL;
}

static void operate_step(void *data)
{
	struct operation *operation = data;
	const struct atsfuzz_request *r = operation->request;
	int result = 0;

	if (r->pasid)
		atsfuzz_driver_note_pasid(r->pasid);
	switch (r->kind) {
	case ATSFUZZ_PROBE:
		result = atsfuzz_core_probe(r->function);
		break;
	case ATSFUZZ_RELEASE:
		atsfuzz_core_release(r->function);
		break;
	case ATSFUZZ_CLAIM:
		result = atsfuzz_core_claim(r->function);
		break;
	case ATSFUZZ_UNCLAIM:
		atsfuzz_core_unclaim(r->function);
		break;
	case ATSFUZZ_ATTACH:
		result = atsfuzz_core_attach(r->function, r->domain);
		break;
	case ATSFUZZ_REPLACE:
		result = atsfuzz_core_replace(r->function, r->domain);
		break;
	case ATSFUZZ_DETACH:
		atsfuzz_core_detach(r->function, atsfuzz_core_attached_domain(r->function));
		break;
	case ATSFUZZ_SET_DEFAULT:
		result = atsfuzz_core_set_default(r->function, r->identity);
		break;
	case ATSFUZZ_MAP:
		if (is_process(r))
			atsfuzz_mm_map(r->domain, r->iova, r->physical, r->size);
		else
			result = atsfuzz_core_map(r->domain, r->iova, r->physical, r->size);
		break;
	case ATSFUZZ_UNMAP:
		result = unmap(r);
		break;
	case ATSFUZZ_FLUSH:
		if (is_process(r))
			atsfuzz_mm_flush(r->domain);
		else
			atsfuzz_core_flush(r->domain);
		break;
	case ATSFUZZ_DMA:
		atsfuzz_emulator_dma(r->function, r->stream, r->pasid, r->iova);
		break;
	case ATSFUZZ_SET_PASID:
		result = atsfuzz_core_set_pasid(r->function, r->pasid, r->domain);
		break;
	case ATSFUZZ_REPLACE_PASID:
		result = atsfuzz_core_replace_pasid(r->function, r->pasid, r->domain);
		break;
	case ATSFUZZ_CLEAR_PASID:
		atsfuzz_core_clear_pasid(r->function, r->pasid);
		break;
	case ATSFUZZ_RESET_BEGIN:
		result = atsfuzz_core_reset_begin(r->function);
		break;
	case ATSFUZZ_RESET_END:
		atsfuzz_core_reset_end(r->function);
		break;
	case ATSFUZZ_VDEVICE_FREE:
		result = atsfuzz_core_vdevice_free(r->function);
		break;
	case ATSFUZZ_GUEST_FLUSH:
		result = atsfuzz_core_guest_flush(r->function);
		break;
	case ATSFUZZ_DOMAIN_NEW:
		result = atsfuzz_core_domain_new(r->domain, r->function);
		break;
	case ATSFUZZ_DOMAIN_FREE:
		atsfuzz_core_domain_free(r->domain);
		break;
	case ATSFUZZ_BIND:
		result = atsfuzz_sva_bind(r->function, r->domain);
		break;
	case ATSFUZZ_UNBIND:
		atsfuzz_sva_unbind(r->function, r->domain);
		break;
	case ATSFUZZ_EXIT:
		atsfuzz_mm_exit(r->domain);
		break;
	default:
		result = -ENOSYS;
	}
	atsfuzz_mm_grace_period();
	operation->result = result;
	atsfuzz_locks_return();
	atsfuzz_interrupts_run_threads();
}

static int operate(const struct atsfuzz_request *request)
{
	struct operation operation = { request, 0 };

	atsfuzz_runtime_begin(request);
	if (dead)
		return -EIO;
	atsfuzz_memory_begin_operation();
	atsfuzz_emulator_begin(request);
	if (in_kernel(operate_step, &operation)) {
		dead = 1;
		return -EIO;
	}
	return operation.result;
}

void atsfuzz_module_begin_block(void)
{
	atsfuzz_runtime_begin(NULL);
	atsfuzz_emulator_begin(NULL);
	atsfuzz_trace_begin();
}

int atsfuzz_module_operate_beside(const struct atsfuzz_request *request)
{
	struct operation operation = { request, 0 };

	if (dead)
		return -EIO;
	atsfuzz_trace_bottom(__builtin_frame_address(0));
	atsfuzz_runtime_begin_beside(request);
	atsfuzz_memory_begin_operation();
	/* Who has seen an operation return comes after it. */
	atsfuzz_race_acquire(&machine);
	atsfuzz_touch_hardware(1);
	atsfuzz_weak_order_all();
	if (atsfuzz_runtime_guard(operate_step, &operation)) {
		dead = 1;
		operation.result = -EIO;
	}
	atsfuzz_weak_order_all();
	atsfuzz_touch_hardware(1);
	atsfuzz_race_release(&machine);
	atsfuzz_runtime_begin_beside(NULL);
	atsfuzz_trace_bottom(NULL);
	return operation.result;
}

void atsfuzz_module_end_block(void)
{
	if (atsfuzz_runtime_in_flight())
		dead = 1;
	atsfuzz_memory_grace_period();
	if (!dead)
		atsfuzz_trace_end();
}

static void release_kind(int virtual_functions)
{
	for (unsigned int i = 0; i < machine.function_count; i++)
		if ((machine.functions[i].kind == 1) == virtual_functions &&
		    atsfuzz_core_is_probed(i))
			atsfuzz_core_release(i);
}

static void shutdown_step(void *data)
{
	(void)data;
	atsfuzz_sva_unbind_all();
	atsfuzz_mm_exit_all();
	atsfuzz_mm_grace_period();
	for (unsigned int i = 0; i < machine.function_count; i++) {
		if (!atsfuzz_core_is_probed(i))
			continue;
		atsfuzz_core_clear_pasids(i);
		if (atsfuzz_core_attached_domain(i) != ATSFUZZ_NONE)
			atsfuzz_core_detach(i, atsfuzz_core_attached_domain(i));
		if (atsfuzz_core_is_owned(i))
			atsfuzz_core_unclaim(i);
	}
	/* A nested domain, declared later, before its parent. */
	for (unsigned int i = machine.domain_count; i-- > 0;)
		if (atsfuzz_core_domain_exists(i))
			atsfuzz_core_domain_free(i);
	release_kind(1);
	release_kind(0);
	atsfuzz_locks_return();
	atsfuzz_interrupts_run_threads();
}

/* The SMMUs stay up: what an observer sees at the end is what functions left. */
static void shut_down(void)
{
	atsfuzz_runtime_begin(NULL);
	atsfuzz_emulator_begin(NULL);
	if (dead)
		return;
	if (in_kernel(shutdown_step, NULL))
		dead = 1;
}

void atsfuzz_module_large(void (*variable)(void *start, uint64_t bytes))
{
	variable(pristine, sizeof(pristine));
}

static const struct atsfuzz_observation *observe(void)
{
	if (!dead)
		atsfuzz_driver_observe(&observation);
	observation.atc = atsfuzz_emulator_atc(&observation.atc_count);
	observation.iotlb = atsfuzz_emulator_iotlb(&observation.iotlb_count);
	observation.allocations = atsfuzz_memory_live_count();
	return &observation;
}

#ifdef ATSFUZZ_COVERAGE
/* The compiler's edge counters of the kernel units, between the linker's marks. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
#ifndef ATSFUZZ_SANITIZED
/* The sanitizers' runtime, or libFuzzer, has these; nobody has them here. */
void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop)
{
	(void)start, (void)stop;
}
void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop)
{
	(void)start, (void)stop;
}
#endif

static uint8_t *coverage(uint64_t *count)
{
	*count = (uint64_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
	return __start___sancov_cntrs;
}
#else
static uint8_t *coverage(uint64_t *count)
{
	*count = 0;
	return NULL;
}
#endif

#ifdef ATSFUZZ_INSTRUMENTED
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

__attribute__((visibility("default"))) const struct atsfuzz_module atsfuzz_module = {
	.abi = ATSFUZZ_MODULE_ABI,
	.instrumented = INSTRUMENTED,
	.features = &atsfuzz_the_features,
	.boot = boot,
	.operate = operate,
	.shutdown = shut_down,
	.observe = observe,
	.events = atsfuzz_runtime_events,
	.frames = atsfuzz_trace_frames,
	.last_writer = atsfuzz_trace_last_writer,
	.ask_for_races = atsfuzz_races_ask,
	.coverage = coverage,
#ifdef ATSFUZZ_SNAPSHOTS
	.snapshot = atsfuzz_snapshot_take,
	.restore = atsfuzz_snapshot_restore,
#endif
	.threads = &atsfuzz_threads_table,
};
