#include <stddef.h>
#include <string.h>

#include "linux/emulated/state.h"

/* The machine as a whole: power on, and the faults of an operation. */

struct emulator emulator;

void atsfuzz_emulator_boot(const struct atsfuzz_machine *machine) {
  emulator.machine = *machine;
  emulator.eager_functions = 0;
  emulator.lost_config_writes = 0;
  emulator.config_writes = 0;
  emulator.stalling_syncs = emulator.syncs = 0;
  emulator.unanswered_syncs = emulator.atc_syncs = 0;
  emulator.last_batch = 0;
  emulator.lazy = 0;
  emulator.iotlb_count = 0;
  emulator.atc_count = 0;
  for (uint32_t i = 0; i < machine->smmu_count; i++)
    smmu_boot(&emulator.smmus[i], &machine->smmus[i]);
  for (uint32_t i = 0; i < machine->function_count; i++) {
    function_boot(i);
    if (machine->functions[i].eager) emulator.eager_functions |= 1u << i;
  }
}

void atsfuzz_emulator_begin(const struct atsfuzz_request *request) {
  emulator.config_writes = 0;
  emulator.lost_config_writes = request ? request->config_writes : 0;
  emulator.syncs = emulator.atc_syncs = 0;
  emulator.stalling_syncs = request ? request->cmd_syncs : 0;
  emulator.unanswered_syncs = request ? request->atc_timeouts : 0;
  emulator.last_batch = 0;
}

void atsfuzz_emulator_large(void (*variable)(void *start, uint64_t bytes)) {
  variable(&emulator, sizeof(emulator));
}

void atsfuzz_emulator_parts(void (*part)(void *start, uint64_t bytes)) {
  part(&emulator, offsetof(struct emulator, smmus));
  for (uint32_t i = 0; i < emulator.machine.smmu_count; i++) {
    struct smmu *smmu = &emulator.smmus[i];

    part(smmu, offsetof(struct smmu, tables));
    part(smmu->tables, smmu->table_count * sizeof(smmu->tables[0]));
    part(&smmu->ste_count,
         offsetof(struct smmu, stes) - offsetof(struct smmu, ste_count));
    part(smmu->stes, smmu->ste_count * sizeof(smmu->stes[0]));
    part(smmu->cds, smmu->cd_count * sizeof(smmu->cds[0]));
    part(&smmu->told_count, sizeof(smmu->told_count));
    part(smmu->told, smmu->told_count * sizeof(smmu->told[0]));
    part(&smmu->queue_end,
         sizeof(struct smmu) - offsetof(struct smmu, queue_end));
  }
  for (uint32_t i = 0; i < emulator.machine.function_count; i++) {
    struct function *function = &emulator.functions[i];

    part(function, offsetof(struct function, config));
    part(function->config, function->config_used);
  }
  part(emulator.iotlb, emulator.iotlb_count * sizeof(emulator.iotlb[0]));
  part(emulator.iotlb_writable, emulator.iotlb_count);
  part(emulator.atc, emulator.atc_count * sizeof(emulator.atc[0]));
}

void atsfuzz_emulator_switch_off(void) {
  for (uint32_t i = 0; i < ATSFUZZ_MAX_FUNCTIONS; i++) {
    struct function *function = &emulator.functions[i];

    memset(function->config, 0, function->config_used);
    function->config_used = 0;
  }
}

struct atsfuzz_event *smmu_event(const struct smmu *smmu, uint16_t kind,
                                 uint32_t function) {
  struct atsfuzz_event *event = atsfuzz_event_add(kind);

  event->smmu = (uint8_t)smmu_index(smmu);
  event->function = (uint8_t)function;
  return event;
}

void smmu_memory_error(const struct smmu *smmu, const char *text) {
  smmu_event(smmu, ATSFUZZ_EVENT_MEMORY_ERROR, ATSFUZZ_NONE)->text = text;
}
