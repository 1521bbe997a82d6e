#include "properties/page_sync.h"

#include <algorithm>

#include "model/address.h"

namespace atsfuzz::properties {

using model::OperationKind;

void PageSync::Begin(const StepView& step) {
  const model::Operation& operation = *step.operation;
  domain = operation.domain.value;
  smmu = step.after.domains[domain].smmu;
  page_shift = step.machine.PageShift(smmu);
  is_flush = operation.kind == OperationKind::kFlush ||
             operation.kind == OperationKind::kExit;
  is_process = step.machine.topology().domains[domain].process;
  is_unrolled_map = operation.kind == OperationKind::kMap && step.result < 0;
  range = {model::kIovaBase + (uint64_t{operation.page} << page_shift), 0};
  range.end = range.start + (uint64_t{operation.pages} << page_shift);
  if (is_flush) range = {0, ~uint64_t{0}};
  tlbi_range = range;
  if (is_process && !is_flush && (operation.pages & 31) == 1 &&
      step.machine.topology().smmus[smmu].range_invalidation) {
    tlbi_range.end += uint64_t{1} << page_shift;
  }
  has_array = step.after.domains[domain].has_array != 0;
  is_nesting_parent = step.machine.IsNestingParent(domain);
  named_whole = false;
  named = {};
}

void Coverage::Cover(const PageSync& sync, const Range& range) {
  if (sync.is_flush) return;
  any = true;
  const uint64_t start = std::max(range.start, sync.range.start);
  const uint64_t end = std::min(range.end, sync.range.end);
  for (uint64_t at = start; at < end; at += uint64_t{1} << sync.page_shift) {
    pages.set((at - model::kIovaBase) >> sync.page_shift);
  }
}

bool Coverage::Covers(const PageSync& sync) const {
  if (whole) return true;
  if (sync.is_flush || !any) return false;
  for (uint64_t at = sync.range.start; at < sync.range.end;
       at += uint64_t{1} << sync.page_shift) {
    if (!pages.test((at - model::kIovaBase) >> sync.page_shift)) return false;
  }
  return true;
}

}  // namespace atsfuzz::properties
