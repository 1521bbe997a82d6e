#include <string.h>

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
  CERROR_ATC_INV_SYNC = 3,
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
      access_hit(smmu, HIT_CONFIG);
      config_drop_ste(smmu, sid, 1);
      return kLegal;
    case CMD_CFGI_STE_RANGE:
      access_hit(smmu, HIT_CONFIG);
      count = 2ull << field(command[1], 4, 0);
      config_drop_ste(smmu, (uint32_t)(sid & ~(count - 1)), count);
      return kLegal;
    case CMD_CFGI_CD:
      if (!(idr0 & IDR0_S1P)) return kIllegal;
      access_hit(smmu, HIT_CONFIG);
      config_drop_cd(smmu, sid, (uint32_t)field(command[0], 31, 12));
      return kLegal;
    case CMD_CFGI_CD_ALL:
      if (!(idr0 & IDR0_S1P)) return kIllegal;
      access_hit(smmu, HIT_CONFIG);
      config_drop_cds(smmu, sid);
      return kLegal;
    case CMD_TLBI_NH_ALL:
    case CMD_TLBI_NH_ASID:
    case CMD_TLBI_NH_VA:
    case CMD_TLBI_NH_VAA:
    case CMD_TLBI_S12_VMALL:
    case CMD_TLBI_S2_IPA:
    case CMD_TLBI_NSNH_ALL:
      access_hit(smmu, HIT_TLB);
      return execute_tlbi(smmu, command);
    case CMD_ATC_INV:
      access_hit(smmu, HIT_ATC);
      return execute_atc_inv(smmu, command);
    default: /* EL2 commands among them: IDR0.HYP is 0 */
      return kIllegal;
  }
}

static uint32_t opcode_of(const uint64_t *command) {
  return (uint32_t)field(command[0], 7, 0);
}

static struct atsfuzz_event *command_event(const struct smmu *smmu,
                                           uint16_t kind,
                                           const uint64_t *command) {
  struct atsfuzz_event *event = smmu_event(smmu, kind, ATSFUZZ_NONE);

  event->a = command[0];
  event->b = command[1];
  return event;
}

/* The command at position `at` of the queue, wrap bit and all. */
static const uint64_t *command_at(const struct smmu *smmu, uint32_t at) {
  uint64_t base = smmu_register64(smmu, REG_CMDQ_BASE);
  uint32_t slots = 1u << field(base, 4, 0);
  uint64_t address = masked(base, 51, 5) + 16ull * (at & (slots - 1));

  return (const uint64_t *)(uintptr_t)address;
}

/* Index and wrap bit. */
static uint32_t position_mask(const struct smmu *smmu) {
  return (2u << field(smmu_register64(smmu, REG_CMDQ_BASE), 4, 0)) - 1;
}

/* Forgets that the ATC_INV at `at` is not to be answered; nonzero if so. */
static int take_unanswered(struct smmu *smmu, uint32_t at) {
  uint64_t *word = &smmu->unanswered[at % COMMAND_SLOTS / 64];
  uint64_t bit = 1ull << at % 64;
  int was = (*word & bit) != 0;

  *word &= ~bit;
  return was;
}

/* Consumes the command at `at`. 0, or the error that stops the queue there. */
static uint32_t consume(struct smmu *smmu, uint32_t at) {
  const uint64_t *command = command_at(smmu, at);
  struct atsfuzz_event *event;

  if (opcode_of(command) == CMD_SYNC && smmu->atc_outstanding) {
    smmu->atc_outstanding = 0;
    command_event(smmu, ATSFUZZ_EVENT_ATC_TIMEOUT, command);
    return CERROR_ATC_INV_SYNC;
  }
  if (opcode_of(command) == CMD_CFGI_STE)
    stream_table_tell(smmu, (uint32_t)(command[0] >> 32));
  /* Logged first: what it causes comes after it. An illegal command causes
   * nothing, so its event can still be renamed. */
  event = command_event(smmu, ATSFUZZ_EVENT_COMMAND, command);
  if (opcode_of(command) == CMD_ATC_INV && take_unanswered(smmu, at)) {
    smmu->atc_outstanding = 1;
    return 0;
  }
  if (execute(smmu, command) == kLegal) return 0;
  event->kind = ATSFUZZ_EVENT_ILLEGAL_COMMAND;
  return CERROR_ILL;
}

static int is_running(const struct smmu *smmu) {
  uint32_t errors =
      smmu_register(smmu, REG_GERROR) ^ smmu_register(smmu, REG_GERRORN);

  return (smmu_register(smmu, REG_CR0) & CR0_CMDQEN) && !(errors & GERROR_CMDQ);
}

static int is_empty(const struct smmu *smmu) {
  uint32_t cons = smmu_register(smmu, REG_CMDQ_CONS);

  return (cons & position_mask(smmu)) == smmu->queue_end;
}

/* Consumes the next command. 0: an error has stopped the queue. */
static int consume_next(struct smmu *smmu) {
  uint32_t *cons = &smmu->page0[REG_CMDQ_CONS / 4];
  uint32_t mask = position_mask(smmu), at = *cons & mask;
  uint32_t error = consume(smmu, at);

  if (error) {
    *cons = at | error << 24;
    raise_gerror(smmu, GERROR_CMDQ);
    return 0;
  }
  *cons = (at + 1) & mask;
  if (emulator.eager_functions) eager_refill_all();
  return 1;
}

void command_queue_run(struct smmu *smmu) {
  if (emulator.lazy || !is_running(smmu)) return;
  while (!is_empty(smmu))
    if (!consume_next(smmu)) return;
}

int atsfuzz_emulator_can_consume(uint32_t index) {
  const struct smmu *smmu = &emulator.smmus[index];
  uint32_t cons = smmu_register(smmu, REG_CMDQ_CONS);

  if (!is_running(smmu) || is_empty(smmu)) return 0;
  return opcode_of(command_at(smmu, cons & position_mask(smmu))) != CMD_SYNC ||
         !access_outstanding(smmu);
}

void atsfuzz_emulator_consume(uint32_t index) {
  consume_next(&emulator.smmus[index]);
}

void atsfuzz_emulator_set_lazy(int lazy) {
  emulator.lazy = lazy != 0;
  memset(emulator.accesses, 0, sizeof(emulator.accesses));
  if (lazy) return;
  for (uint32_t i = 0; i < emulator.machine.smmu_count; i++)
    command_queue_run(&emulator.smmus[i]);
}

/* What the driver hands over with one write of PROD. */
struct batch {
  uint32_t first, end; /* positions */
  uint32_t commands;   /* without CMD_SYNC */
  uint8_t has_sync, has_atc_inv;
  uint64_t fingerprint; /* of the commands without CMD_SYNC; 0: none */
};

static struct batch batch_of(const struct smmu *smmu, uint32_t first,
                             uint32_t end) {
  struct batch batch = {.first = first, .end = end};
  uint32_t mask = position_mask(smmu);
  uint64_t hash = 0xcbf29ce484222325ull + smmu_index(smmu);

  for (uint32_t at = first; at != end; at = (at + 1) & mask) {
    const uint64_t *command = command_at(smmu, at);
    if (opcode_of(command) == CMD_SYNC) {
      batch.has_sync = 1;
      continue;
    }
    if (opcode_of(command) == CMD_ATC_INV) batch.has_atc_inv = 1;
    hash = (hash ^ command[0]) * 0x100000001b3ull;
    hash = (hash ^ command[1]) * 0x100000001b3ull;
    batch.commands++;
  }
  if (batch.commands) batch.fingerprint = hash | 1;
  return batch;
}

static int is_numbered(uint32_t numbers, uint32_t number) {
  return number >= 1 && number <= 8 && (numbers >> (number - 1) & 1);
}

static void mark_unanswered(struct smmu *smmu, const struct batch *batch) {
  uint32_t mask = position_mask(smmu);

  for (uint32_t at = batch->first; at != batch->end; at = (at + 1) & mask)
    if (opcode_of(command_at(smmu, at)) == CMD_ATC_INV)
      smmu->unanswered[at % COMMAND_SLOTS / 64] |= 1ull << at % 64;
}

/* A stall lasts while the driver repeats the very commands that are held. */
static void end_stall(struct smmu *smmu, const struct batch *batch) {
  if (!smmu->held) return;
  smmu_event(smmu, ATSFUZZ_EVENT_QUEUE_RESUMED, ATSFUZZ_NONE)->a = smmu->held;
  smmu->held = 0;
  smmu->queue_end = batch->first;
  command_queue_run(smmu);
}

static void hold(struct smmu *smmu, const struct batch *batch) {
  uint32_t mask = position_mask(smmu);

  for (uint32_t at = batch->first; at != batch->end; at = (at + 1) & mask) {
    command_event(smmu, ATSFUZZ_EVENT_COMMAND_HELD, command_at(smmu, at));
    smmu->held++;
  }
}

void command_queue_written(struct smmu *smmu, uint32_t before) {
  uint32_t mask = position_mask(smmu);
  uint32_t end = smmu_register(smmu, REG_CMDQ_PROD) & mask;
  struct batch batch;
  int again, counts;

  if (!(smmu_register(smmu, REG_CR0) & CR0_CMDQEN)) {
    smmu->queue_end = end;
    return;
  }
  batch = batch_of(smmu, before & mask, end);
  again = batch.commands && batch.fingerprint == emulator.last_batch;
  counts = batch.has_sync && batch.commands;
  if (!again || !counts) end_stall(smmu, &batch);
  emulator.last_batch = batch.has_sync ? batch.fingerprint : 0;
  if (counts && !again) {
    emulator.syncs++;
    emulator.atc_syncs += batch.has_atc_inv;
  }
  if (batch.has_atc_inv &&
      is_numbered(emulator.unanswered_syncs, emulator.atc_syncs))
    mark_unanswered(smmu, &batch);
  if (counts && is_numbered(emulator.stalling_syncs, emulator.syncs)) {
    hold(smmu, &batch);
    return;
  }
  smmu->queue_end = batch.end;
  command_queue_run(smmu);
}

int atsfuzz_emulator_stalled(void) {
  for (uint32_t i = 0; i < emulator.machine.smmu_count; i++)
    if (emulator.smmus[i].held) return 1;
  return 0;
}
