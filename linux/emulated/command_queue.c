#include "linux/emulated/state.h"

/* The command queue (specification, sections 3.5 and chapter 4). */

enum {
  CMD_PREFETCH_CONFIG = 0x01,
  CMD_PREFETCH_ADDR = 0x02,
  CMD_CFGI_STE = 0x03,
  CMD_CFGI_STE_RANGE = 0x04, /* CFGI_ALL is its widest range */
  CMD_CFGI_CD = 0x05,
  CMD_CFGI_CD_ALL = 0x06,
  CMD_TLBI_NH_ALL = 0x10,
  CMD_TLBI_NH_ASID = 0x11,
  CMD_TLBI_NH_VA = 0x12,
  CMD_TLBI_NH_VAA = 0x13,
  CMD_TLBI_S12_VMALL = 0x28,
  CMD_TLBI_S2_IPA = 0x2a,
  CMD_TLBI_NSNH_ALL = 0x30,
  CMD_ATC_INV = 0x40,
  CMD_PRI_RESP = 0x41,
  CMD_RESUME = 0x44,
  CMD_SYNC = 0x46,

  ATC_INV_SIZE_ALL = 52,
  CERROR_ILL = 1,
};

static const char kLegal = 0, kIllegal = 1;

/* The addresses and the level that a TLBI by address names. kIllegal: fields
 * that this SMMU does not have, or the reserved all-zero range. */
static char decode_range(const struct smmu *smmu, const uint64_t *command,
                         uint32_t top_bit, struct iotlb_range *range) {
  uint64_t num = field(command[0], 16, 12), scale = field(command[0], 24, 20);
  uint32_t ttl = (uint32_t)field(command[1], 9, 8);
  uint32_t tg = (uint32_t)field(command[1], 11, 10);
  uint64_t bytes;

  range->first = range->last = masked(command[1], top_bit, 12);
  if (!(smmu_register(smmu, REG_IDR3) & IDR3_RIL))
    return num || scale || ttl || tg ? kIllegal : kLegal;
  if (!tg) return kLegal; /* one address; the other fields are ignored */
  if (!num && !scale && !ttl) return kIllegal;
  /* TG 1, 2, 3: 4K, 16K, 64K. Sizes beyond the address space mean all of it. */
  if (scale + 10 + 2 * tg > 58) {
    bytes = 0;
  } else {
    bytes = (num + 1) << (scale + 10 + 2 * tg);
  }
  range->last = range->first + bytes - 1;
  if (!bytes || range->last < range->first) range->last = ~0ull;
  range->level = (uint8_t)ttl;
  return kLegal;
}

static char execute_tlbi(const struct smmu *smmu, const uint64_t *command) {
  uint32_t idr0 = smmu_register(smmu, REG_IDR0);
  uint32_t opcode = (uint32_t)field(command[0], 7, 0);
  uint16_t vmid = (uint16_t)field(command[0], 47, 32);
  uint16_t asid = (uint16_t)field(command[0], 63, 48);
  struct iotlb_range range = {.last = ~0ull};

  if (opcode < 0x20 && !(idr0 & IDR0_S1P)) return kIllegal;
  if (opcode == CMD_TLBI_S2_IPA && !(idr0 & IDR0_S2P)) return kIllegal;
  switch (opcode) {
    case CMD_TLBI_NH_VA:
    case CMD_TLBI_NH_VAA:
      if (decode_range(smmu, command, 63, &range) == kIllegal) return kIllegal;
      break;
    case CMD_TLBI_S2_IPA:
      if (decode_range(smmu, command, 51, &range) == kIllegal) return kIllegal;
      break;
  }
  switch (opcode) {
    case CMD_TLBI_NSNH_ALL:
      range.any_tag = 1;
      iotlb_drop(smmu, &range);
      return kLegal;
    case CMD_TLBI_S12_VMALL:
    case CMD_TLBI_S2_IPA:
      range.stage = 2;
      range.tag = vmid;
      iotlb_drop(smmu, &range);
      if (opcode == CMD_TLBI_S2_IPA) return kLegal;
      range.any_tag = 1; /* every ASID of the VMID */
      break;
    case CMD_TLBI_NH_ALL:
    case CMD_TLBI_NH_VAA:
      range.any_tag = 1;
      break;
    default:
      range.tag = asid;
  }
  range.stage = 1;
  range.vmid = vmid;
  iotlb_drop(smmu, &range);
  return kLegal;
}

static char execute_atc_inv(const struct smmu *smmu, const uint64_t *command) {
  uint32_t size = (uint32_t)field(command[1], 5, 0);
  int substream = field(command[0], 11, 11) != 0;
  int global = field(command[0], 9, 9) != 0;
  struct atc_range range = {
      .sid = (uint32_t)field(command[0], 63, 32),
      .pasid = (uint32_t)field(command[0], 31, 12),
      .any_pasid = !substream || global,
      .last = ~0ull,
  };

  if (!(smmu_register(smmu, REG_IDR0) & IDR0_ATS)) return kIllegal;
  if (size > ATC_INV_SIZE_ALL) return kIllegal;
  if (size < ATC_INV_SIZE_ALL) {
    uint64_t bytes = 1ull << (12 + size);
    range.first = masked(command[1], 63, 12) & ~(bytes - 1);
    range.last = range.first + (bytes - 1);
  }
  atc_invalidate(smmu, &range);
  return kLegal;
}

static char execute(struct smmu *smmu, const uint64_t *command) {
  uint32_t idr0 = smmu_register(smmu, REG_IDR0);
  uint32_t sid = (uint32_t)field(command[0], 63, 32);
  uint64_t count;

  switch (field(command[0], 7, 0)) {
    case CMD_PREFETCH_CONFIG:
    case CMD_PREFETCH_ADDR:
    case CMD_PRI_RESP:
    case CMD_RESUME:
      return kLegal;
    case CMD_SYNC:
      return field(command[0], 13, 12) == 3 ? kIllegal : kLegal;
    case CMD_CFGI_STE:
      config_drop_ste(smmu, sid, 1);
      return kLegal;
    case CMD_CFGI_STE_RANGE:
      count = 2ull << field(command[1], 4, 0);
      config_drop_ste(smmu, (uint32_t)(sid & ~(count - 1)), count);
      return kLegal;
    case CMD_CFGI_CD:
      if (!(idr0 & IDR0_S1P)) return kIllegal;
      config_drop_cd(smmu, sid, (uint32_t)field(command[0], 31, 12));
      return kLegal;
    case CMD_CFGI_CD_ALL:
      if (!(idr0 & IDR0_S1P)) return kIllegal;
      config_drop_cds(smmu, sid);
      return kLegal;
    case CMD_TLBI_NH_ALL:
    case CMD_TLBI_NH_ASID:
    case CMD_TLBI_NH_VA:
    case CMD_TLBI_NH_VAA:
    case CMD_TLBI_S12_VMALL:
    case CMD_TLBI_S2_IPA:
    case CMD_TLBI_NSNH_ALL:
      return execute_tlbi(smmu, command);
    case CMD_ATC_INV:
      return execute_atc_inv(smmu, command);
    default: /* EL2 commands among them: IDR0.HYP is 0 */
      return kIllegal;
  }
}

/* True if the command was consumed; an illegal one stops the queue. */
static int consume(struct smmu *smmu, const uint64_t *command) {
  /* Logged first: what it causes comes after it. An illegal command causes
   * nothing, so its event can still be renamed. */
  struct atsfuzz_event *event;

  if (field(command[0], 7, 0) == CMD_CFGI_STE)
    stream_table_tell(smmu, (uint32_t)(command[0] >> 32));
  event = smmu_event(smmu, ATSFUZZ_EVENT_COMMAND, ATSFUZZ_NONE);
  event->a = command[0];
  event->b = command[1];
  if (execute(smmu, command) == kLegal) return 1;
  event->kind = ATSFUZZ_EVENT_ILLEGAL_COMMAND;
  return 0;
}

void command_queue_run(struct smmu *smmu) {
  uint64_t base = smmu_register64(smmu, REG_CMDQ_BASE);
  uint32_t log2 = (uint32_t)field(base, 4, 0);
  uint32_t *cons = &smmu->page0[REG_CMDQ_CONS / 4];
  uint32_t position_mask, at;

  if (!(smmu_register(smmu, REG_CR0) & CR0_CMDQEN)) return;
  if ((smmu_register(smmu, REG_GERROR) ^ smmu_register(smmu, REG_GERRORN)) &
      GERROR_CMDQ)
    return;

  /* Index and wrap bit. */
  position_mask = (2u << log2) - 1;
  at = *cons & position_mask;
  while (at != (smmu_register(smmu, REG_CMDQ_PROD) & position_mask)) {
    uint64_t address = masked(base, 51, 5) + 16ull * (at & position_mask >> 1);

    if (!consume(smmu, (const uint64_t *)(uintptr_t)address)) {
      *cons = at | CERROR_ILL << 24;
      smmu->page0[REG_GERROR / 4] ^= GERROR_CMDQ;
      return;
    }
    at = (at + 1) & position_mask;
    *cons = at;
    if (emulator.eager_functions) eager_refill_all();
  }
}
