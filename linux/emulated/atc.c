#include <string.h>

#include "linux/emulated/state.h"

/*
 * The ATCs of all functions, in one list, oldest entry first. Disabling ATS
 * leaves them as they are; Invalidate Requests and enabling ATS empty them.
 */

static void remove_at(uint32_t at) {
  emulator.functions[emulator.atc[at].function].atc_count--;
  emulator.atc_count--;
  memmove(&emulator.atc[at], &emulator.atc[at + 1],
          (emulator.atc_count - at) * sizeof(emulator.atc[0]));
}

const struct atsfuzz_atc_entry *atc_find(uint32_t function, uint32_t stream,
                                         uint32_t pasid, uint64_t iova) {
  if (!emulator.functions[function].atc_count) return NULL;
  for (uint32_t i = 0; i < emulator.atc_count; i++) {
    const struct atsfuzz_atc_entry *entry = &emulator.atc[i];
    if (entry->function == function && entry->stream == stream &&
        entry->pasid == pasid && iova - entry->iova < entry->size)
      return entry;
  }
  return NULL;
}

void atc_add(const struct atsfuzz_atc_entry *entry) {
  struct function *function = &emulator.functions[entry->function];
  struct atsfuzz_atc_entry *slot;

  if (function->atc_count == ATC_ENTRIES) {
    uint32_t oldest = 0;
    while (emulator.atc[oldest].function != entry->function) oldest++;
    remove_at(oldest);
  }
  /* Member by member: what lies between them shows in a snapshot's bytes. */
  slot = &emulator.atc[emulator.atc_count++];
  memset(slot, 0, sizeof(*slot));
  slot->function = entry->function;
  slot->stream = entry->stream;
  slot->pasid = entry->pasid;
  slot->iova = entry->iova;
  slot->physical = entry->physical;
  slot->size = entry->size;
  slot->writable = entry->writable;
  function->atc_count++;
}

void atc_clear(uint32_t function) {
  if (!emulator.functions[function].atc_count) return;
  for (uint32_t i = emulator.atc_count; i-- > 0;)
    if (emulator.atc[i].function == function) remove_at(i);
}

static int named(const struct atsfuzz_atc_entry *entry, uint32_t smmu,
                 const struct atc_range *range) {
  const struct atsfuzz_machine_function *function =
      &emulator.machine.functions[entry->function];

  return function->smmu == smmu &&
         function->streams[entry->stream] == range->sid &&
         (range->any_pasid || entry->pasid == range->pasid) &&
         entry->iova <= range->last &&
         range->first <= entry->iova + (entry->size - 1);
}

void atc_invalidate(const struct smmu *smmu, const struct atc_range *range) {
  uint32_t index = smmu_index(smmu);

  for (uint32_t i = emulator.atc_count; i-- > 0;)
    if (named(&emulator.atc[i], index, range)) remove_at(i);
}

const struct atsfuzz_atc_entry *atsfuzz_emulator_atc(uint32_t *count) {
  *count = emulator.atc_count;
  return emulator.atc;
}
