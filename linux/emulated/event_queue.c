#include "linux/emulated/state.h"

/* The event queue and the interrupts (specification, sections 3.5, 3.18 and
 * 7). */

enum {
  RECORD_WORDS = 4,
  CLASS_INPUT_ADDRESS = 2,
};

#define OVERFLOW_FLAG (1u << 31)

static void interrupt(struct smmu *smmu, uint32_t enable, uint32_t which) {
  if (smmu_register(smmu, REG_IRQ_CTRL) & enable)
    smmu->interrupts |= (uint8_t)which;
}

void raise_gerror(struct smmu *smmu, uint32_t bits) {
  smmu->page0[REG_GERROR / 4] ^= bits;
  interrupt(smmu, IRQ_CTRL_GERROR, ATSFUZZ_INTERRUPT_GERROR);
}

uint32_t atsfuzz_emulator_take_interrupts(uint32_t index) {
  uint32_t taken = emulator.smmus[index].interrupts;

  emulator.smmus[index].interrupts = 0;
  return taken;
}

/* Faults of a translation have an address; those of the configuration none. */
static int has_address(uint8_t id) {
  return id == F_TRANSL_FORBIDDEN || id == F_BAD_ATS_TREQ ||
         (id >= F_WALK_EABT && id <= F_PERMISSION);
}

static void fill(uint64_t *record, const struct fault_record *fault) {
  record[0] = fault->id | (uint64_t)fault->sid << 32;
  if (fault->pasid) record[0] |= 1ull << 11 | (uint64_t)fault->pasid << 12;
  record[1] = record[2] = record[3] = 0;
  if (!has_address(fault->id)) return;
  /* Every access reads. */
  record[1] = 1ull << 35 | (uint64_t)fault->stage2 << 39 |
              (uint64_t)CLASS_INPUT_ADDRESS << 40;
  record[2] = fault->iova;
  if (fault->stage2) record[3] = masked(fault->iova, 51, 12);
}

void event_queue_write(struct smmu *smmu, const struct fault_record *fault) {
  uint64_t base = smmu_register64(smmu, REG_EVTQ_BASE);
  uint32_t slots = 1u << field(base, 4, 0);
  uint32_t *prod = &smmu->page1[PAGE1_EVTQ_PROD / 4];
  uint32_t cons = smmu->page1[PAGE1_EVTQ_CONS / 4];
  uint32_t at = *prod & (2 * slots - 1), end = cons & (2 * slots - 1);
  uint64_t address =
      masked(base, 51, 5) + 8ull * RECORD_WORDS * (at & (slots - 1));

  if (!(smmu_register(smmu, REG_CR0) & CR0_EVTQEN) || !masked(base, 51, 5))
    return;
  if ((at ^ end) == slots) { /* full; told once until the driver follows */
    if (!((*prod ^ cons) & OVERFLOW_FLAG)) *prod ^= OVERFLOW_FLAG;
    return;
  }
  if (!atsfuzz_dma_memory_live(address, 8ull * RECORD_WORDS)) {
    smmu_memory_error(smmu, "SMMU wrote to a freed event queue");
    return;
  }
  fill((uint64_t *)(uintptr_t)address, fault);
  *prod = (*prod & OVERFLOW_FLAG) | ((at + 1) & (2 * slots - 1));
  if (at == end) interrupt(smmu, IRQ_CTRL_EVTQ, ATSFUZZ_INTERRUPT_EVTQ);
}
