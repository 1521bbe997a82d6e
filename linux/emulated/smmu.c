#include <string.h>

#include "linux/emulated/state.h"

/* Registers of an SMMU (specification, chapter 6). */

enum {
  REG_CR0ACK = 0x24,
  REG_IRQ_CTRLACK = 0x54,
  PAGE1 = 0x10000,
};

#define IDR0_COHACC (1u << 4)
#define IDR0_TTF_AARCH64 (2u << 2)
#define IDR0_ASID16 (1u << 12)
#define IDR0_VMID16 (1u << 18)
#define IDR0_CD2L (1u << 19)
#define IDR0_TTENDIAN_LE (2u << 21)
#define IDR0_STALL_NONE (1u << 24)
#define IDR0_ST_LVL_2 (1u << 27)
#define GBPA_UPDATE (1u << 31)

void smmu_boot(struct smmu *smmu, const struct atsfuzz_machine_smmu *machine) {
  memset(smmu->page0, 0, sizeof(smmu->page0));
  memset(smmu->page1, 0, sizeof(smmu->page1));
  smmu->l1_address = smmu->l1_bytes = 0;
  smmu->table_count = smmu->ste_count = smmu->cd_count = 0;
  smmu->told_count = 0;
  smmu->queue_end = smmu->held = 0;
  memset(smmu->unanswered, 0, sizeof(smmu->unanswered));
  smmu->atc_outstanding = smmu->interrupts = 0;

  smmu->page0[REG_IDR0 / 4] =
      IDR0_ST_LVL_2 | IDR0_STALL_NONE | IDR0_TTENDIAN_LE | IDR0_CD2L |
      IDR0_VMID16 | IDR0_ASID16 | IDR0_COHACC | IDR0_TTF_AARCH64 |
      (machine->ats ? IDR0_ATS : 0) | (machine->stage1 ? IDR0_S1P : 0) |
      (machine->stage2 ? IDR0_S2P : 0);
  /* CMDQS, EVTQS, PRIQS (log2 of entries), SSIDSIZE, SIDSIZE (bits). */
  smmu->page0[REG_IDR1 / 4] = 8u << 21 | 7u << 16 | 7u << 11 | 16u << 6 | 16u;
  smmu->page0[REG_IDR3 / 4] = machine->range_invalidation ? IDR3_RIL : 0;
  /* Granules at 4 (4K), 5 (16K), 6 (64K), as the machine counts them; OAS. */
  smmu->page0[REG_IDR5 / 4] = (machine->granules & 7u) << 4 | 5u;
}

/* The register words that start at `offset`, or NULL outside both pages. */
static uint32_t *register_words(struct smmu *smmu, uint32_t offset,
                                uint32_t size) {
  if (offset % 4 || (size != 4 && size != 8)) return NULL;
  if (offset + size <= REGISTER_PAGE_BYTES) return &smmu->page0[offset / 4];
  if (offset >= PAGE1 && offset - PAGE1 + size <= REGISTER_PAGE_BYTES)
    return &smmu->page1[(offset - PAGE1) / 4];
  return NULL;
}

uint64_t atsfuzz_emulator_mmio_read(uint32_t index, uint32_t offset,
                                    uint32_t size) {
  const uint32_t *words = register_words(&emulator.smmus[index], offset, size);

  if (!words) return 0;
  return size == 8 ? words[0] | (uint64_t)words[1] << 32 : words[0];
}

static int read_only(uint32_t offset) {
  return offset < REG_CR0 || offset == REG_CR0ACK ||
         offset == REG_IRQ_CTRLACK || offset == REG_GERROR;
}

void atsfuzz_emulator_mmio_write(uint32_t index, uint32_t offset,
                                 uint64_t value, uint32_t size) {
  struct smmu *smmu = &emulator.smmus[index];
  uint32_t *words = register_words(smmu, offset, size);

  uint32_t before;

  if (!words || read_only(offset)) return;
  before = words[0];
  words[0] = (uint32_t)value;
  if (size == 8) words[1] = (uint32_t)(value >> 32);

  switch (offset) {
    case REG_CR0:
      smmu->page0[REG_CR0ACK / 4] = (uint32_t)value;
      command_queue_run(smmu);
      break;
    case REG_IRQ_CTRL:
      smmu->page0[REG_IRQ_CTRLACK / 4] = (uint32_t)value;
      break;
    case REG_GBPA:
      smmu->page0[REG_GBPA / 4] &= ~GBPA_UPDATE;
      break;
    case REG_STRTAB_BASE:
    case REG_STRTAB_BASE + 4:
    case REG_STRTAB_BASE_CFG:
      stream_table_refresh(smmu);
      break;
    case REG_GERRORN:
      command_queue_run(smmu);
      break;
    case REG_CMDQ_PROD:
      command_queue_written(smmu, before);
      break;
  }
}
