#include "linux/emulated/state.h"

/*
 * Translation table walks: VMSAv8-64, granules of 4K, 16K and 64K, output
 * addresses of up to 48 bits, without hardware update of AF (Arm DDI 0487,
 * chapter D8).
 */

enum { LAST_LEVEL = 3, MAX_CONCATENATION_BITS = 4, OUTPUT_BITS = 48 };

#define PTE_VALID (1ull << 0)
#define PTE_TABLE (1ull << 1) /* at the last level: page */
#define PTE_UNPRIVILEGED (1ull << 6)
#define PTE_READ_ONLY (1ull << 7)
#define PTE_S2_READ (1ull << 6)
#define PTE_S2_WRITE (1ull << 7)
#define PTE_AF (1ull << 10)

/* log2 of the granule that a TG0 field names, if the SMMU has it; else 0. */
static uint8_t granule_bits(const struct smmu *smmu, uint64_t tg) {
  uint32_t idr5 = smmu_register(smmu, REG_IDR5);

  if (tg == 0 && (idr5 & 1u << 4)) return 12;
  if (tg == 1 && (idr5 & 1u << 6)) return 16;
  if (tg == 2 && (idr5 & 1u << 5)) return 14;
  return 0;
}

uint64_t smallest_granule(const struct smmu *smmu) {
  uint32_t idr5 = smmu_register(smmu, REG_IDR5);

  if (idr5 & 1u << 4) return 1ull << 12;
  return 1ull << (idr5 & 1u << 5 ? 14 : 16);
}

static uint8_t output_bits(uint64_t ips) {
  static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
  return ips < sizeof(bits) ? bits[ips] : OUTPUT_BITS;
}

/* log2 of what one entry of a level covers. */
static uint32_t level_shift(const struct walk_table *table, uint32_t level) {
  return table->granule_bits +
         (LAST_LEVEL - level) * (table->granule_bits - 3u);
}

uint8_t walk_table_of_cd(const struct smmu *smmu, const uint64_t *cd,
                         struct walk_table *out) {
  uint32_t t0sz = (uint32_t)field(cd[0], 5, 0);
  uint32_t bits_per_level, levels;

  if (!field(cd[0], 31, 31) || !field(cd[0], 41, 41)) return C_BAD_CD;
  out->stage = 1;
  out->root = masked(cd[1], 51, 4);
  /* EPD0: no walks from TTB0; every address faults, and what describes the walk
   * is ignored. */
  if (field(cd[0], 14, 14)) {
    out->input_bits = 0;
    return 0;
  }
  out->granule_bits = granule_bits(smmu, field(cd[0], 7, 6));
  if (!out->granule_bits || t0sz < 16 || t0sz > 39) return C_BAD_CD;
  out->input_bits = (uint8_t)(64 - t0sz);
  out->output_bits = output_bits(field(cd[0], 34, 32));
  bits_per_level = out->granule_bits - 3u;
  levels = (out->input_bits - out->granule_bits + bits_per_level - 1) /
           bits_per_level;
  out->start_level = (uint8_t)(LAST_LEVEL + 1 - levels);
  return 0;
}

uint8_t walk_table_of_ste(const struct smmu *smmu, const uint64_t *ste,
                          struct walk_table *out) {
  uint32_t t0sz = (uint32_t)field(ste[2], 37, 32);
  uint32_t sl0 = (uint32_t)field(ste[2], 39, 38);
  uint32_t shift;

  if (!field(ste[2], 51, 51)) return C_BAD_STE; /* S2AA64 */
  out->stage = 2;
  out->root = masked(ste[3], 51, 4);
  out->granule_bits = granule_bits(smmu, field(ste[2], 47, 46));
  if (!out->granule_bits || t0sz < 16 || t0sz > 39 || sl0 == 3)
    return C_BAD_STE;
  out->input_bits = (uint8_t)(64 - t0sz);
  out->output_bits = output_bits(field(ste[2], 50, 48));
  out->start_level =
      (uint8_t)(out->granule_bits == 12 ? 2 - sl0 : LAST_LEVEL - sl0);
  /* The first level must take at least one bit, and at most four more than a
   * table has: 16 tables side by side. */
  shift = level_shift(out, out->start_level);
  if (out->input_bits <= shift ||
      out->input_bits - shift > out->granule_bits - 3u + MAX_CONCATENATION_BITS)
    return C_BAD_STE;
  return 0;
}

/* May a block be at this level? */
static int block_allowed(const struct walk_table *table, uint32_t level) {
  return level == 2 || (level == 1 && table->granule_bits == 12);
}

/* The output address of a descriptor; bits 51:48 of it, where 64K descriptors
 * keep them, count, so that they can be found out of range. */
static uint64_t output_address(const struct walk_table *table, uint64_t pte) {
  uint64_t address = masked(pte, 47, table->granule_bits);

  if (table->granule_bits == 16) address |= field(pte, 15, 12) << 48;
  return address;
}

static uint8_t leaf(const struct walk_table *table, uint64_t iova, uint64_t pte,
                    uint32_t level, struct translation *out) {
  out->size = 1ull << level_shift(table, level);
  out->iova = iova & ~(out->size - 1);
  out->physical = output_address(table, pte) & ~(out->size - 1);
  out->level = (uint8_t)level;
  if (out->physical >> table->output_bits) return F_ADDR_SIZE;
  if (!(pte & PTE_AF)) return F_ACCESS;
  if (table->stage == 1) {
    if (!(pte & PTE_UNPRIVILEGED)) return F_PERMISSION;
    out->writable = !(pte & PTE_READ_ONLY);
  } else {
    if (!(pte & PTE_S2_READ)) return F_PERMISSION;
    out->writable = (pte & PTE_S2_WRITE) != 0;
  }
  return 0;
}

uint8_t walk(const struct smmu *smmu, const struct walk_table *table,
             uint64_t iova, struct translation *out) {
  uint64_t address = table->root;
  uint32_t index_bits;

  if (table->input_bits == 0 || iova >> table->input_bits) return F_TRANSLATION;
  index_bits = table->input_bits - level_shift(table, table->start_level);
  for (uint32_t level = table->start_level;; level++) {
    uint64_t index =
        (iova >> level_shift(table, level)) & ((1ull << index_bits) - 1);
    uint64_t pte;

    access_step();
    if (!atsfuzz_dma_memory_live(address, 8ull << index_bits)) {
      smmu_memory_error(smmu, table->stage == 1
                                  ? "SMMU walked freed table memory, stage 1"
                                  : "SMMU walked freed table memory, stage 2");
      return F_WALK_EABT;
    }
    pte = *(const volatile uint64_t *)(uintptr_t)(address + 8 * index);
    if (!(pte & PTE_VALID)) return F_TRANSLATION;
    if (level == LAST_LEVEL) {
      if (!(pte & PTE_TABLE)) return F_TRANSLATION;
      return leaf(table, iova, pte, level, out);
    }
    if (!(pte & PTE_TABLE)) {
      if (!block_allowed(table, level)) return F_TRANSLATION;
      return leaf(table, iova, pte, level, out);
    }
    address = output_address(table, pte);
    if (address >> table->output_bits) return F_ADDR_SIZE;
    index_bits = table->granule_bits - 3u;
  }
}
