#include <string.h>

#include "linux/emulated/state.h"

/*
 * The IOTLBs of all SMMUs, in one list, oldest entry first. Entries carry ASID
 * or VMID, never a stream: every stream whose configuration selects the tag may
 * hit them. An entry of stage 1 belongs to a VMID, 0 or a guest's; a guest's
 * holds what both stages make of an address.
 */

/* What tells the entries of a regime from others. */
struct mark {
  uint8_t smmu, stage;
  uint16_t tag, vmid;
};

static int matches(const struct atsfuzz_iotlb_entry *entry,
                   const struct mark *mark, uint64_t iova) {
  /* The address first: it is what tells most entries apart. */
  return iova - entry->iova < entry->size && entry->tag == mark->tag &&
         entry->vmid == mark->vmid && entry->stage == mark->stage &&
         entry->smmu == mark->smmu;
}

static int lookup(const struct mark *mark, uint64_t iova,
                  struct translation *out) {
  for (uint32_t i = 0; i < emulator.iotlb_count; i++) {
    const struct atsfuzz_iotlb_entry *entry = &emulator.iotlb[i];
    if (!matches(entry, mark, iova)) continue;
    *out = (struct translation){entry->iova, entry->physical, entry->size,
                                entry->level, emulator.iotlb_writable[i]};
    return 1;
  }
  return 0;
}

static void fill(const struct mark *mark, const struct translation *found) {
  access_step();
  if (access_was_hit(HIT_CONFIG | HIT_TLB)) return;
  if (emulator.iotlb_count == IOTLB_ENTRIES) {
    emulator.iotlb_count--;
    memmove(&emulator.iotlb[0], &emulator.iotlb[1],
            emulator.iotlb_count * sizeof(emulator.iotlb[0]));
    memmove(&emulator.iotlb_writable[0], &emulator.iotlb_writable[1],
            emulator.iotlb_count * sizeof(emulator.iotlb_writable[0]));
  }
  emulator.iotlb[emulator.iotlb_count] = (struct atsfuzz_iotlb_entry){
      .smmu = mark->smmu,
      .stage = mark->stage,
      .tag = mark->tag,
      .vmid = mark->vmid,
      .level = found->level,
      .iova = found->iova,
      .physical = found->physical,
      .size = found->size,
  };
  emulator.iotlb_writable[emulator.iotlb_count] = found->writable;
  emulator.iotlb_count++;
}

static uint8_t translate_by_table(const struct smmu *smmu,
                                  const struct regime *regime, uint64_t iova,
                                  struct translation *out) {
  const struct mark mark = {(uint8_t)smmu_index(smmu), regime->table.stage,
                            regime->tag, regime->vmid};
  uint8_t fault;

  access_step();
  if (lookup(&mark, iova, out)) return 0;
  fault = walk(smmu, &regime->table, iova, out);
  if (!fault) fill(&mark, out);
  return fault;
}

/* Makes of a translation of stage 2 that of one page of the guest's: its pages
 * are of the SMMU's smallest granule. */
static void narrow_to_page(const struct smmu *smmu, uint64_t iova,
                           struct translation *found) {
  uint64_t size = smallest_granule(smmu), page = iova & ~(size - 1);

  found->physical += page - found->iova;
  found->iova = page;
  found->size = size;
  found->level = 3;
}

uint8_t translate(const struct smmu *smmu, const struct regime *regime,
                  uint64_t iova, struct translation *out) {
  const struct mark guest = {(uint8_t)smmu_index(smmu), 1, 0, regime->tag};
  uint8_t fault;

  if (regime->guest && lookup(&guest, iova, out)) return 0;
  fault = translate_by_table(smmu, regime, iova, out);
  if (fault || !regime->guest) return fault;
  narrow_to_page(smmu, iova, out);
  fill(&guest, out);
  return 0;
}

static int named(const struct atsfuzz_iotlb_entry *entry, uint32_t smmu,
                 const struct iotlb_range *range) {
  if (entry->smmu != smmu) return 0;
  if (range->stage && entry->stage != range->stage) return 0;
  if (range->stage == 1 && entry->vmid != range->vmid) return 0;
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
