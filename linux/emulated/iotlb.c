#include <string.h>

#include "linux/emulated/state.h"

/*
 * The IOTLBs of all SMMUs, in one list, oldest entry first. Entries carry ASID
 * or VMID, never a stream: every stream whose configuration selects the tag may
 * hit them.
 */

static int matches(const struct atsfuzz_iotlb_entry *entry, uint32_t smmu,
                   const struct regime *regime, uint64_t iova) {
  return entry->smmu == smmu && entry->stage == regime->table.stage &&
         entry->tag == regime->tag && iova - entry->iova < entry->size;
}

static void fill(uint32_t smmu, const struct regime *regime,
                 const struct translation *found) {
  if (emulator.iotlb_count == IOTLB_ENTRIES) {
    emulator.iotlb_count--;
    memmove(&emulator.iotlb[0], &emulator.iotlb[1],
            emulator.iotlb_count * sizeof(emulator.iotlb[0]));
    memmove(&emulator.iotlb_writable[0], &emulator.iotlb_writable[1],
            emulator.iotlb_count * sizeof(emulator.iotlb_writable[0]));
  }
  emulator.iotlb[emulator.iotlb_count] = (struct atsfuzz_iotlb_entry){
      .smmu = (uint8_t)smmu,
      .stage = regime->table.stage,
      .tag = regime->tag,
      .level = found->level,
      .iova = found->iova,
      .physical = found->physical,
      .size = found->size,
  };
  emulator.iotlb_writable[emulator.iotlb_count] = found->writable;
  emulator.iotlb_count++;
}

uint8_t translate(const struct smmu *smmu, const struct regime *regime,
                  uint64_t iova, struct translation *out) {
  uint32_t index = smmu_index(smmu);
  uint8_t fault;

  for (uint32_t i = 0; i < emulator.iotlb_count; i++) {
    const struct atsfuzz_iotlb_entry *entry = &emulator.iotlb[i];
    if (!matches(entry, index, regime, iova)) continue;
    *out = (struct translation){entry->iova, entry->physical, entry->size,
                                entry->level, emulator.iotlb_writable[i]};
    return 0;
  }
  fault = walk(smmu, &regime->table, iova, out);
  if (!fault) fill(index, regime, out);
  return fault;
}

static int named(const struct atsfuzz_iotlb_entry *entry, uint32_t smmu,
                 const struct iotlb_range *range) {
  if (entry->smmu != smmu) return 0;
  if (range->stage && entry->stage != range->stage) return 0;
  if (!range->any_tag && entry->tag != range->tag) return 0;
  if (range->level && entry->level != range->level) return 0;
  return entry->iova <= range->last &&
         range->first <= entry->iova + (entry->size - 1);
}

void iotlb_drop(const struct smmu *smmu, const struct iotlb_range *range) {
  uint32_t index = smmu_index(smmu), kept = 0;

  for (uint32_t i = 0; i < emulator.iotlb_count; i++) {
    if (named(&emulator.iotlb[i], index, range)) continue;
    if (kept != i) {
      emulator.iotlb[kept] = emulator.iotlb[i];
      emulator.iotlb_writable[kept] = emulator.iotlb_writable[i];
    }
    kept++;
  }
  emulator.iotlb_count = kept;
}

const struct atsfuzz_iotlb_entry *atsfuzz_emulator_iotlb(uint32_t *count) {
  *count = emulator.iotlb_count;
  return emulator.iotlb;
}
