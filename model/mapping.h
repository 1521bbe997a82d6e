#ifndef ATSFUZZ_MODEL_MAPPING_H_
#define ATSFUZZ_MODEL_MAPPING_H_

#include <cstdint>
#include <vector>

namespace atsfuzz::model {

// A range of pages that one map operation mapped. It is unmapped as a whole:
// callers of iommu_unmap pass what they mapped.
struct Mapping {
  uint16_t page = 0, pages = 0;
  uint64_t physical = 0;  // address of its first page

  int end() const { return page + pages; }  // the page after it
  bool operator==(const Mapping&) const = default;
};

// Mappings by page; no two overlap.
using Mappings = std::vector<Mapping>;

// The one that covers `page`, or null.
const Mapping* Find(const Mappings& mappings, uint16_t page);
bool Overlaps(const Mappings& mappings, int page, int pages);
// True if the range is one or more neighbouring mappings, all of them whole.
bool IsWhole(const Mappings& mappings, int page, int pages);

// REQUIRES: overlaps none of `mappings`.
void Insert(Mappings& mappings, const Mapping& mapping);
// Removes the range and inserts what it held in `taken` (unless null).
// REQUIRES: IsWhole(mappings, page, pages).
void Remove(Mappings& mappings, int page, int pages, Mappings* taken);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_MAPPING_H_
