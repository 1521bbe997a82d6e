#ifndef ATSFUZZ_MODEL_ADDRESS_H_
#define ATSFUZZ_MODEL_ADDRESS_H_

#include <cstdint>

#include "model/topology.h"

// Where a scenario's pages lie. A page is the smallest granule of the domain's
// SMMU (for dma: of the function's SMMU). Page 0 is at 1 GiB, aligned for the
// largest block, so that long ranges become block mappings. Physical pages are
// never used twice in a run: what a device reaches tells which map it came
// from.
namespace atsfuzz::model {

inline constexpr uint64_t kIovaBase = 1ull << 30;

inline uint64_t IovaOf(const Smmu& smmu, uint16_t page) {
  return kIovaBase + (uint64_t{page} << smmu.PageShift());
}

// The physical address of the n-th map operation of a run (n from 0) that
// starts at `page`: congruent to the IOVA modulo 1 GiB, distinct for each n.
inline uint64_t PhysicalOf(const Smmu& smmu, uint16_t page, uint32_t n) {
  return ((uint64_t{n} + 4) << 30) + (uint64_t{page} << smmu.PageShift());
}

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_ADDRESS_H_
