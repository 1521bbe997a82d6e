#include "linux/emulated/state.h"

/*
 * Accesses of functions that are in flight while something else happens: at
 * most one a thread. An invalidation hits every one behind its SMMU, whatever
 * it names: that an SMMU or a function caches less than it might is its own
 * affair.
 */

static struct access *current(void) {
  uint32_t thread = atsfuzz_running_thread();

  if (thread > ATSFUZZ_MAX_THREADS || !emulator.accesses[thread].active)
    return 0;
  return &emulator.accesses[thread];
}

void access_begin(uint32_t smmu) {
  uint32_t thread = atsfuzz_running_thread();

  if (thread <= ATSFUZZ_MAX_THREADS)
    emulator.accesses[thread] = (struct access){1, (uint8_t)smmu, 0};
}

void access_end(void) {
  struct access *access = current();

  if (access) access->active = 0;
}

void access_step(void) {
  if (current()) atsfuzz_hardware_step();
}

int access_was_hit(uint32_t hits) {
  const struct access *access = current();

  return access && (access->hits & hits);
}

void access_hit(const struct smmu *smmu, uint8_t hit) {
  for (uint32_t i = 0; i <= ATSFUZZ_MAX_THREADS; i++)
    if (emulator.accesses[i].smmu == smmu_index(smmu))
      emulator.accesses[i].hits |= hit;
}

int access_outstanding(const struct smmu *smmu) {
  for (uint32_t i = 0; i <= ATSFUZZ_MAX_THREADS; i++) {
    const struct access *access = &emulator.accesses[i];

    if (access->active && access->smmu == smmu_index(smmu) && access->hits)
      return 1;
  }
  return 0;
}
