#include "properties/invalidations.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "model/address.h"
#include "properties/invalidation_report.h"

namespace atsfuzz::properties {

using model::OperationKind;

void Invalidations::Begin(const StepView& step) {
  mode_ = kUnjudged;
  if (step.operation == nullptr) return;
  switch (step.operation->kind) {
    case OperationKind::kMap:
    case OperationKind::kUnmap:
    case OperationKind::kFlush:
    case OperationKind::kExit:
      BeginPages(step);
      break;
    case OperationKind::kDma:
    case OperationKind::kDomainNew:
    case OperationKind::kDomainFree:
      mode_ = kNothing;
      break;
    default:
      mode_ = kAttachment;
  }
}

void Invalidations::BeginPages(const StepView& step) {
  const atsfuzz_domain& domain =
      step.after.domains[step.operation->domain.value];
  if (!domain.exists || !domain.finalised) return;
  mode_ = kPages;
  sync_.Begin(step);
  atc_.Begin(step, sync_);
  tlb_ = {};
  after_atc_ = clear_is_due_ = tlbi_unsynced_ = false;
  wants_clear_ = sync_.is_nesting_parent &&
                 (sync_.has_array ? atc_.is_attached() : atc_.has_guest());
}

Range Invalidations::Reach(const StepView& step,
                           const TlbInvalidation& tlbi) const {
  if (tlbi.range.end > tlbi.range.start) return tlbi.range;
  uint64_t size = uint64_t{1} << sync_.page_shift;
  for (int block = 0; block < 2; ++block) {
    const uint64_t start =
        model::kIovaBase + (uint64_t{512} * block << sync_.page_shift);
    const uint64_t block_size = uint64_t{512} << sync_.page_shift;
    if ((step.blocks_unmapped >> block & 1) != 0 && tlbi.range.start >= start &&
        tlbi.range.start < start + block_size) {
      return {start, start + block_size};
    }
  }
  return {tlbi.range.start, tlbi.range.start + size};
}

void Invalidations::OnCommand(const StepView& step, int index) {
  if (mode_ == kUnjudged) return;
  const uint8_t opcode = OpcodeOf(step.events[index].a);
  if (IsTlbi(opcode)) {
    OnTlbi(step, index);
  } else if (opcode == kAtcInv) {
    OnAtcInv(step, index);
  } else if (opcode == kCmdSync) {
    tlbi_unsynced_ = false;
  }
}

void Invalidations::OnTlbi(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const TlbInvalidation tlbi = DecodeTlbInvalidation(event.a, event.b);
  if (mode_ == kPages) return OnPageTlbi(step, index, tlbi);
  if (!step.Is(OperationKind::kDomainFree)) return;
  // A tag that outlives the operation is none of this domain's.
  for (int slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    const atsfuzz_domain& domain = step.after.domains[slot];
    if (!domain.exists || !domain.finalised || tlbi.every_tag ||
        !tlbi.Selects(domain.stage, domain.tag) ||
        (domain.stage == 2 && domain.smmu != event.smmu)) {
      continue;
    }
    ReportInvalidation(step, kTlbiTag | slot, index, {},
                       {absl::StrCat(Text(step), " invalidated the tag of ",
                                     step.DomainName(slot), "."),
                        "TLBI of the freed domain's tag", step.DomainName(slot),
                        "TLBI of another domain"});
  }
}

void Invalidations::OnPageTlbi(const StepView& step, int index,
                               const TlbInvalidation& tlbi) {
  const atsfuzz_domain& domain = step.after.domains[sync_.domain];
  if (sync_.is_nesting_parent && step.events[index].smmu == sync_.smmu &&
      tlbi.ClearsGuest(domain.tag)) {
    return OnGuestClear(step, index);
  }
  if (step.events[index].smmu != sync_.smmu || !tlbi.known ||
      !tlbi.Selects(domain.stage, domain.tag)) {
    ReportInvalidation(
        step, kTlbiTag | sync_.domain, index, {},
        {absl::StrCat(Text(step), " sent a TLBI that is not of ",
                      step.DomainName(sync_.domain), "'s ",
                      domain.stage == 1 ? "ASID." : "VMID."),
         absl::StrCat(domain.stage == 1 ? "ASID " : "VMID ", domain.tag),
         absl::StrCat(tlbi.stage == 1 ? "ASID " : "VMID ", tlbi.tag),
         "TLBI of another tag"});
    return;
  }
  if (after_atc_) {
    after_atc_ = sync_.named_whole = false;
    sync_.named = {};
  }
  CheckUnasked(step, index, tlbi);
  tlbi_unsynced_ = true;
  // TLBI_S12_VMALL is the guests' stage 1 too.
  clear_is_due_ = wants_clear_ && !tlbi.whole;
  if (tlbi.whole) {
    sync_.named_whole = tlb_.whole = true;
    return;
  }
  Range reach = Reach(step, tlbi);
  if (!sync_.tlbi_range.Contains(reach)) {
    ReportInvalidation(
        step, kTlbiRange | sync_.domain, index, {},
        {absl::StrCat(Text(step), " invalidated ", Text(reach),
                      ", beyond what it unmapped."),
         Text(sync_.range), Text(reach), "TLBI beyond the range"});
  }
  tlb_.Cover(sync_, reach);
  // ATC_INVs name no more than was unmapped.
  if (sync_.is_process) reach.end = std::min(reach.end, sync_.range.end);
  if (sync_.named.empty()) {
    sync_.named = reach;
  } else {
    sync_.named.start = std::min(sync_.named.start, reach.start);
    sync_.named.end = std::max(sync_.named.end, reach.end);
  }
}

void Invalidations::CheckUnasked(const StepView& step, int index,
                                 const TlbInvalidation& tlbi) {
  if (sync_.has_array && !atc_.is_attached()) {
    ReportInvalidation(
        step, kTlbiUnused | sync_.domain, index, {},
        {absl::StrCat(Text(step), " sent a TLBI, though ",
                      step.DomainName(sync_.domain),
                      " is attached nowhere and its array is empty."),
         "no TLBI", "TLBI", "TLBI of an unused tag"});
  }
  const bool wants_leaf =
      sync_.is_unrolled_map ||
      (step.Is(OperationKind::kUnmap) && !step.operation->queued);
  // Without range invalidation, a table's worth of them becomes the whole tag
  // (arm_smmu_inv_size_too_big).
  const bool may_be_whole =
      sync_.has_array &&
      !step.machine.topology().smmus[sync_.smmu].range_invalidation;
  if (sync_.is_flush || wants_leaf ||
      !(tlbi.leaf || (tlbi.whole && !may_be_whole))) {
    return;
  }
  ReportInvalidation(
      step, kTlbiQueued | sync_.domain, index, {},
      {absl::StrCat(Text(step), " sent a TLBI for its pages, though no ",
                    "sync was asked for."),
       "TLBIs of freed tables at most", tlbi.whole ? "whole tag" : "leaf TLBI",
       "unasked TLBI"});
}

void Invalidations::OnGuestClear(const StepView& step, int index) {
  clear_is_due_ = false;
  if (!tlbi_unsynced_) return;
  ReportInvalidation(
      step, kClearEarly | sync_.domain, index, {},
      {absl::StrCat(Text(step), " sent the TLBI of its guests' stage 1 ",
                    "before the CMD_SYNC of the TLBI of stage 2: stage 1 ",
                    "may refill from the stale stage 2 entry."),
       "TLBI of stage 2, CMD_SYNC, TLBI of stage 1",
       "TLBI of stage 2, TLBI of stage 1", "S1 clear before CMD_SYNC"});
}

void Invalidations::CheckGuestClear(const StepView& step, int index) {
  if (!clear_is_due_) return;
  clear_is_due_ = false;
  ReportInvalidation(step, kClearMissing | sync_.domain, index, {},
                     {absl::StrCat(Text(step), " invalidated stage 2 of ",
                                   step.DomainName(sync_.domain),
                                   " and not its guests' stage 1 after it."),
                      "TLBI_NH_ALL of the VMID", "none", "S1 clear missing"});
}

void Invalidations::OnAtcInv(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const AtcInvalidation inv = DecodeAtcInvalidation(event.a, event.b);
  if (mode_ == kPages) {
    after_atc_ = true;
    CheckGuestClear(step, index);
    return atc_.OnAtcInv(step, sync_, index, inv);
  }
  const int f = FunctionOfStream(step, event.smmu, inv.stream);
  if (mode_ == kAttachment && f >= 0 &&
      (step.machine.GroupOf(step.operation->function.value) >> f & 1) != 0) {
    return;
  }
  const std::string target =
      f < 0 ? absl::StrCat("stream 0x", absl::Hex(inv.stream))
            : step.FunctionName(f);
  ReportInvalidation(
      step, kAtcForeign | inv.stream, index, {},
      {absl::StrCat(Text(step), " sent an ATC invalidation to ", target,
                    ", which it does not concern."),
       mode_ == kNothing ? "no ATC_INV" : "ATC_INV to its own function only",
       absl::StrCat("ATC_INV to ", target), "to another function"});
}

void Invalidations::AtRest(const StepView& step) {
  if (mode_ != kPages) return;
  CheckGuestClear(step, -1);
  if (step.result != 0) return;
  const bool strict_unmap =
      step.Is(OperationKind::kUnmap) && !step.operation->queued;
  const bool strict_flush =
      sync_.is_flush && (step.had_unflushed || sync_.is_process);
  if (!strict_unmap && !strict_flush) return;
  if (sync_.has_array && !atc_.is_attached()) return;
  if (!tlb_.Covers(sync_)) {
    ReportInvalidation(
        step, kTlbiMissing | sync_.domain, -1, {},
        {absl::StrCat(Text(step), " returned before a TLBI of ",
                      step.DomainName(sync_.domain), "'s tag covered it all."),
         sync_.is_flush ? "TLBI of the whole tag" : Text(sync_.range),
         tlb_.any ? "a part of it" : "none", "TLBI missing"});
  }
  atc_.AtRest(step, sync_);
}

}  // namespace atsfuzz::properties
