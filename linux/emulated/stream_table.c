#include <string.h>

#include "linux/emulated/state.h"

/*
 * Stream tables and CD tables as they are in memory (specification, chapter 5).
 *
 * Every store of the kernel to DMA memory asks whether it hit an STE, so the
 * pieces of the stream table are kept in a list sorted by address.
 */

enum { STE_BYTES = 64, CD_BYTES = 64 };

static uint64_t load(uint64_t address) {
  return *(const volatile uint64_t *)(uintptr_t)address;
}

static struct cached_ste *told_entry(struct smmu *smmu, uint32_t sid) {
  for (uint32_t i = 0; i < smmu->told_count; i++)
    if (smmu->told[i].sid == sid) return &smmu->told[i];
  return NULL;
}

/* A new piece of the stream table holds an entry of `sid`. */
static void tell_new_entry(struct smmu *smmu, uint32_t sid, uint64_t address) {
  struct cached_ste *told = told_entry(smmu, sid);

  if (!told) {
    if (smmu->told_count == TOLD_ENTRIES) return;
    told = &smmu->told[smmu->told_count++];
    told->sid = sid;
  }
  memcpy(told->ste, (const void *)(uintptr_t)address, sizeof(told->ste));
}

static void tell_new_table(struct smmu *smmu, uint64_t address, uint32_t first,
                           uint32_t count) {
  const struct atsfuzz_machine *machine = &emulator.machine;

  if (!atsfuzz_dma_memory_live(address, (uint64_t)count * STE_BYTES)) return;
  for (uint32_t f = 0; f < machine->function_count; f++) {
    const struct atsfuzz_machine_function *function = &machine->functions[f];
    if (function->smmu != smmu_index(smmu)) continue;
    for (uint32_t s = 0; s < function->stream_count; s++) {
      uint32_t sid = function->streams[s];
      if (sid - first < count)
        tell_new_entry(smmu, sid,
                       address + (sid - first) * (uint64_t)STE_BYTES);
    }
  }
}

static void tell_store(const struct smmu *smmu, uint32_t sid, uint32_t word,
                       uint64_t old_value, uint64_t new_value) {
  struct atsfuzz_event *event =
      smmu_event(smmu, ATSFUZZ_EVENT_STE_WRITE, ATSFUZZ_NONE);

  event->stream = sid;
  event->a = word;
  event->b = old_value;
  event->c = new_value;
}

static void add_table(struct smmu *smmu, uint64_t address, uint32_t first,
                      uint32_t count) {
  uint32_t at = smmu->table_count;

  if (at == STREAM_TABLES) return;
  while (at > 0 && smmu->tables[at - 1].address > address) at--;
  memmove(&smmu->tables[at + 1], &smmu->tables[at],
          (smmu->table_count - at) * sizeof(smmu->tables[0]));
  smmu->tables[at] = (struct stream_table){address, first, count};
  smmu->table_count++;
  tell_new_table(smmu, address, first, count);
}

static uint32_t table_split(const struct smmu *smmu) {
  return (uint32_t)field(smmu_register(smmu, REG_STRTAB_BASE_CFG), 10, 6);
}

/* log2 of the number of stream ids; at most IDR1.SIDSIZE. */
static uint32_t table_log2_size(const struct smmu *smmu) {
  uint32_t log2 =
      (uint32_t)field(smmu_register(smmu, REG_STRTAB_BASE_CFG), 5, 0);
  return log2 < 16 ? log2 : 16;
}

/* STEs below a first-level descriptor, by its SPAN; 0: invalid. */
static uint32_t descriptor_count(const struct smmu *smmu, uint64_t descriptor) {
  uint32_t span = (uint32_t)field(descriptor, 4, 0);

  if (span == 0 || span > table_split(smmu) + 1) return 0;
  return 1u << (span - 1);
}

static void set_descriptor(struct smmu *smmu, uint32_t index,
                           uint64_t descriptor) {
  uint32_t first = index << table_split(smmu);
  uint32_t count = descriptor_count(smmu, descriptor);

  for (uint32_t i = 0; i < smmu->table_count; i++) {
    if (smmu->tables[i].first != first) continue;
    smmu->table_count--;
    memmove(&smmu->tables[i], &smmu->tables[i + 1],
            (smmu->table_count - i) * sizeof(smmu->tables[0]));
    break;
  }
  if (count) add_table(smmu, masked(descriptor, 51, 6), first, count);
}

void stream_table_refresh(struct smmu *smmu) {
  uint64_t base = masked(smmu_register64(smmu, REG_STRTAB_BASE), 51, 6);
  uint32_t format =
      (uint32_t)field(smmu_register(smmu, REG_STRTAB_BASE_CFG), 17, 16);
  uint32_t log2 = table_log2_size(smmu);
  uint32_t split = table_split(smmu);

  smmu->table_count = 0;
  smmu->l1_address = smmu->l1_bytes = 0;
  if (!base) return;
  if (format == 0) {
    add_table(smmu, base, 0, 1u << log2);
    return;
  }
  if (log2 < split) return;
  smmu->l1_address = base;
  smmu->l1_bytes = 8ull << (log2 - split);
  if (!atsfuzz_dma_memory_live(base, smmu->l1_bytes)) return;
  for (uint32_t i = 0; i < smmu->l1_bytes / 8; i++) {
    uint64_t descriptor = load(base + 8ull * i);
    if (descriptor) set_descriptor(smmu, i, descriptor);
  }
}

const uint64_t *stream_table_entry(const struct smmu *smmu, uint32_t sid) {
  for (uint32_t i = 0; i < smmu->table_count; i++) {
    const struct stream_table *table = &smmu->tables[i];
    if (sid - table->first < table->count)
      return (const uint64_t *)(uintptr_t)(table->address +
                                           (uint64_t)(sid - table->first) *
                                               STE_BYTES);
  }
  return NULL;
}

/* The last piece that starts at or below `address`; NULL: none. */
static const struct stream_table *table_below(const struct smmu *smmu,
                                              uint64_t address) {
  uint32_t low = 0, high = smmu->table_count;

  if (high == 0 || address < smmu->tables[0].address) return NULL;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (smmu->tables[middle].address <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? &smmu->tables[low - 1] : NULL;
}

int atsfuzz_emulator_stored(const void *pointer, uint64_t old_value,
                            uint64_t new_value) {
  uint64_t address = (uint64_t)(uintptr_t)pointer;

  for (uint32_t i = 0; i < emulator.machine.smmu_count; i++) {
    struct smmu *smmu = &emulator.smmus[i];
    const struct stream_table *table;
    struct cached_ste *told;
    uint32_t sid, word;

    if (address - smmu->l1_address < smmu->l1_bytes) {
      set_descriptor(smmu, (uint32_t)((address - smmu->l1_address) / 8),
                     new_value);
      return 0;
    }
    table = table_below(smmu, address);
    if (!table ||
        address - table->address >= (uint64_t)table->count * STE_BYTES)
      continue;
    sid = table->first + (uint32_t)((address - table->address) / STE_BYTES);
    word = (uint32_t)((address - table->address) % STE_BYTES / 8);
    told = told_entry(smmu, sid);
    if (told) told->ste[word] = new_value;
    tell_store(smmu, sid, word, old_value, new_value);
    return 1;
  }
  return 0;
}

void stream_table_tell(struct smmu *smmu, uint32_t sid) {
  struct cached_ste *told = told_entry(smmu, sid);
  const uint64_t *now = stream_table_entry(smmu, sid);

  if (!told || !now || memcmp(told->ste, now, sizeof(told->ste)) == 0) return;
  if (!atsfuzz_dma_memory_live((uint64_t)(uintptr_t)now, sizeof(told->ste)))
    return;
  for (uint32_t word = 0; word < 8; word++) {
    if (told->ste[word] == now[word]) continue;
    tell_store(smmu, sid, word, told->ste[word], now[word]);
    told->ste[word] = now[word];
  }
}

const uint64_t *cd_table_entry(const uint64_t *ste, uint32_t ssid,
                               uint8_t *fault) {
  uint64_t table = masked(ste[0], 51, 6);
  uint32_t log2 = (uint32_t)field(ste[0], 63, 59); /* S1CDMAX */
  uint32_t format = (uint32_t)field(ste[0], 5, 4); /* S1FMT */
  uint32_t leaf_log2 = format == 1 ? 6 : 10;       /* CDs in 4K, 64K */
  uint64_t descriptor;

  *fault = 0;
  if (ssid >> log2) {
    *fault = C_BAD_SUBSTREAMID;
    return NULL;
  }
  if (log2 && format) {
    table += (uint64_t)(ssid >> leaf_log2) * 8;
    if (!atsfuzz_dma_memory_live(table, 8)) {
      *fault = F_CD_FETCH;
      return NULL;
    }
    descriptor = load(table);
    if (!(descriptor & 1)) {
      *fault = C_BAD_SUBSTREAMID;
      return NULL;
    }
    table = masked(descriptor, 51, 12);
    ssid &= (1u << leaf_log2) - 1;
  }
  table += (uint64_t)ssid * CD_BYTES;
  if (!atsfuzz_dma_memory_live(table, CD_BYTES)) {
    *fault = F_CD_FETCH;
    return NULL;
  }
  return (const uint64_t *)(uintptr_t)table;
}

static uint8_t observed_route(const uint64_t *ste) {
  uint32_t substreams = (uint32_t)field(ste[0], 63, 59);

  if (!(ste[0] & 1)) return ATSFUZZ_ROUTE_INVALID;
  switch (field(ste[0], 3, 1)) {
    case 0:
      return ATSFUZZ_ROUTE_ABORT;
    case 4:
      return ATSFUZZ_ROUTE_BYPASS;
    case 5:
      if (substreams && field(ste[1], 1, 0) == 0)
        return ATSFUZZ_ROUTE_S1DSS_TERMINATE;
      if (substreams && field(ste[1], 1, 0) == 1)
        return ATSFUZZ_ROUTE_S1DSS_BYPASS;
      return ATSFUZZ_ROUTE_STAGE1;
    case 6:
      return ATSFUZZ_ROUTE_STAGE2;
    case 7:
      return ATSFUZZ_ROUTE_NESTED;
    default:
      return ATSFUZZ_ROUTE_INVALID;
  }
}

static void observe_cd(struct atsfuzz_stream *out) {
  uint8_t fault;
  const uint64_t *cd = cd_table_entry(out->ste, 0, &fault);

  if (!cd) return;
  memcpy(out->cd, cd, sizeof(out->cd));
  out->cd_valid = (uint8_t)field(cd[0], 31, 31);
  if (out->cd_valid) out->asid = (uint16_t)field(cd[0], 63, 48);
}

void atsfuzz_emulator_observe_stream(uint32_t index, uint32_t id,
                                     struct atsfuzz_stream *out) {
  const struct smmu *smmu = &emulator.smmus[index];
  const uint64_t *ste = NULL;

  out->route = ATSFUZZ_ROUTE_NO_TABLE;
  out->eats = out->cd_valid = 0;
  out->asid = out->vmid = 0;
  out->table = 0;
  memset(out->ste, 0, sizeof(out->ste));
  memset(out->cd, 0, sizeof(out->cd));

  /* A disabled SMMU's tables may be gone. */
  if (smmu_register(smmu, REG_CR0) & CR0_SMMUEN)
    ste = stream_table_entry(smmu, id);
  if (!ste) return;
  memcpy(out->ste, ste, sizeof(out->ste));
  out->route = observed_route(out->ste);
  if (out->route == ATSFUZZ_ROUTE_INVALID) return;
  out->vmid = (uint16_t)field(out->ste[2], 15, 0);
  if (field(out->ste[0], 3, 1) >= 5)
    out->eats = field(out->ste[1], 29, 28) == 1;
  if (field(out->ste[0], 3, 1) == 5) observe_cd(out);
  if (out->route == ATSFUZZ_ROUTE_STAGE1 && out->cd_valid)
    out->table = masked(out->cd[1], 51, 4);
  if (out->route == ATSFUZZ_ROUTE_STAGE2 || out->route == ATSFUZZ_ROUTE_NESTED)
    out->table = masked(out->ste[3], 51, 4);
}
