#ifndef ATSFUZZ_PROPERTIES_PAGE_SYNC_H_
#define ATSFUZZ_PROPERTIES_PAGE_SYNC_H_

#include <bitset>

#include "model/limits.h"
#include "properties/command.h"
#include "properties/step.h"

namespace atsfuzz::properties {

// What a map, unmap or flush wants invalidated, and what it has named so far.
struct PageSync {
  // REQUIRES: the operation is one of these, its domain finalised.
  void Begin(const StepView& step);

  int domain = 0, smmu = 0, page_shift = 12;
  Range range;  // the operation's bytes; all for a flush or an exit
  // What TLBIs may name: a page more, for a process, where the range command
  // would else have scale and number 0 (arm_smmu_cmdq_batch_add_range).
  Range tlbi_range;
  bool is_flush = false;  // the whole tag is wanted
  // A map that failed midway: iommu_map unmaps what it had mapped, nobody tells
  // how much and in which blocks.
  bool is_unrolled_map = false;
  bool has_array = false;  // of invalidations
  bool is_nesting_parent = false;
  bool is_process = false;  // nothing of it is queued: a flush wants its own
  // What the TLBIs name since the last ATC_INV.
  bool named_whole = false;
  Range named;
};

// What the invalidations of one cache have reached.
struct Coverage {
  // Marks the part of `range` that the operation wants.
  void Cover(const PageSync& sync, const Range& range);
  // All that the operation wants was reached.
  bool Covers(const PageSync& sync) const;

  bool whole = false;
  bool any = false;
  std::bitset<ATSFUZZ_MAX_PAGES> pages;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_PAGE_SYNC_H_
