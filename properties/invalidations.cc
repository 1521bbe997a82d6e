#include "properties/invalidations.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "model/address.h"

namespace atsfuzz::properties {
namespace {

using model::OperationKind;

std::string Text(const Range& range) {
  return absl::StrCat("[0x", absl::Hex(range.start), ", 0x",
                      absl::Hex(range.end), ")");
}

std::string Text(const StepView& step) {
  return absl::StrCat("`", ToText(step.machine.topology(), *step.operation),
                      "`");
}

// Subjects: a number space of its own for each kind of complaint.
enum Complaint : uint64_t {
  kTlbiTag = 1 << 16,
  kTlbiRange = 2 << 16,
  kTlbiMissing = 3 << 16,
  kTlbiQueued = 4 << 16,
  kAtcStranger = 5 << 16,
  kAtcOff = 6 << 16,
  kAtcForeign = 7 << 16,
  kAtcRange = 8 << 16,
  kAtcMissing = 9 << 16,
  kAtcPasid = 10 << 16,
};

struct Words {
  std::string message, expected, found;
  const char* aspect;
};

void Report(const StepView& step, uint64_t subject, int event, model::Fact fact,
            Words words) {
  Violation* v = step.findings.Report(Invariant::kInvalidationsExact, subject);
  if (v == nullptr) return;
  v->message = std::move(words.message);
  v->expected = std::move(words.expected);
  v->found = std::move(words.found);
  v->event = event;
  v->subject = fact;
  v->aspect = step.Aspect(fact.kind == model::Fact::kBelief ? fact.index : -1,
                          words.aspect);
}

// The probed function, or the operation's own, that lists a stream id.
int FunctionOfStream(const StepView& step, int smmu, uint32_t stream) {
  if (step.operation != nullptr &&
      model::ShapeOf(step.operation->kind).function) {
    const int f = step.operation->function.value;
    if (step.machine.SmmuOf(f) == smmu && step.machine.Lists(f, stream)) {
      return f;
    }
  }
  const StreamSlot slot = step.machine.Find(smmu, stream);
  return slot < 0 ? -1 : step.OwnerOf(slot);
}

// The slot of one of `f`'s streams. REQUIRES: it lists the id.
StreamSlot SlotIn(const StepView& step, int f, uint32_t stream) {
  int s = 0;
  while (step.machine.StreamId(SlotOf(f, s)) != stream) ++s;
  return SlotOf(f, s);
}

}  // namespace

void Invalidations::Begin(const StepView& step) {
  mode_ = kUnjudged;
  if (step.operation == nullptr) return;
  switch (step.operation->kind) {
    case OperationKind::kMap:
    case OperationKind::kUnmap:
    case OperationKind::kFlush:
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
  const model::Operation& operation = *step.operation;
  domain_ = operation.domain.value;
  if (!step.after.domains[domain_].finalised) return;
  mode_ = kPages;
  smmu_ = step.after.domains[domain_].smmu;
  page_shift_ = step.machine.PageShift(smmu_);
  is_flush_ = operation.kind == OperationKind::kFlush;
  is_unrolled_map_ = operation.kind == OperationKind::kMap && step.result < 0;
  range_ = {model::kIovaBase + (uint64_t{operation.page} << page_shift_), 0};
  range_.end = range_.start + (uint64_t{operation.pages} << page_shift_);
  if (is_flush_) range_ = {0, ~uint64_t{0}};
  targets_ = 0;
  after_atc_ = sync_whole_ = false;
  sync_range_ = {};
  tlb_ = {};
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.DomainSlotOf(f) != domain_ || !step.after.functions[f].ats) {
      continue;
    }
    targets_ |= static_cast<uint8_t>(1u << f);
    for (int s = 0; s < step.machine.Streams(f); ++s) atc_[SlotOf(f, s)] = {};
  }
}

Range Invalidations::Reach(const StepView& step,
                           const TlbInvalidation& tlbi) const {
  if (tlbi.range.end > tlbi.range.start) return tlbi.range;
  uint64_t size = uint64_t{1} << page_shift_;
  for (int block = 0; block < 2; ++block) {
    const uint64_t start =
        model::kIovaBase + (uint64_t{512} * block << page_shift_);
    const uint64_t block_size = uint64_t{512} << page_shift_;
    if ((step.blocks_unmapped >> block & 1) != 0 && tlbi.range.start >= start &&
        tlbi.range.start < start + block_size) {
      return {start, start + block_size};
    }
  }
  return {tlbi.range.start, tlbi.range.start + size};
}

void Invalidations::Cover(Coverage& coverage, const Range& range) const {
  coverage.any = true;
  const uint64_t start = std::max(range.start, range_.start);
  const uint64_t end = std::min(range.end, range_.end);
  for (uint64_t at = start; at < end; at += uint64_t{1} << page_shift_) {
    coverage.pages.set((at - model::kIovaBase) >> page_shift_);
  }
}

bool Invalidations::Covered(const Coverage& coverage) const {
  if (coverage.whole) return true;
  if (is_flush_ || !coverage.any) return false;
  for (uint64_t at = range_.start; at < range_.end;
       at += uint64_t{1} << page_shift_) {
    if (!coverage.pages.test((at - model::kIovaBase) >> page_shift_)) {
      return false;
    }
  }
  return true;
}

void Invalidations::OnCommand(const StepView& step, int index) {
  if (mode_ == kUnjudged) return;
  const uint8_t opcode = OpcodeOf(step.events[index].a);
  if (IsTlbi(opcode)) {
    OnTlbi(step, index);
  } else if (opcode == kAtcInv) {
    OnAtcInv(step, index);
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
    Report(step, kTlbiTag | slot, index, {},
           {absl::StrCat(Text(step), " invalidated the tag of ",
                         step.DomainName(slot), "."),
            "TLBI of the freed domain's tag", step.DomainName(slot),
            "TLBI of another domain"});
  }
}

void Invalidations::OnPageTlbi(const StepView& step, int index,
                               const TlbInvalidation& tlbi) {
  const atsfuzz_domain& domain = step.after.domains[domain_];
  if (step.events[index].smmu != smmu_ || !tlbi.known ||
      !tlbi.Selects(domain.stage, domain.tag)) {
    Report(step, kTlbiTag | domain_, index, {},
           {absl::StrCat(Text(step), " sent a TLBI that is not of ",
                         step.DomainName(domain_), "'s ",
                         domain.stage == 1 ? "ASID." : "VMID."),
            absl::StrCat(domain.stage == 1 ? "ASID " : "VMID ", domain.tag),
            absl::StrCat(tlbi.stage == 1 ? "ASID " : "VMID ", tlbi.tag),
            "TLBI of another tag"});
    return;
  }
  if (after_atc_) {
    after_atc_ = sync_whole_ = false;
    sync_range_ = {};
  }
  const bool wants_leaf = is_unrolled_map_ || (step.Is(OperationKind::kUnmap) &&
                                               !step.operation->queued);
  if (!is_flush_ && !wants_leaf && (tlbi.leaf || tlbi.whole)) {
    Report(step, kTlbiQueued | domain_, index, {},
           {absl::StrCat(Text(step), " sent a TLBI for its pages, though no ",
                         "sync was asked for."),
            "TLBIs of freed tables at most",
            tlbi.whole ? "whole tag" : "leaf TLBI", "unasked TLBI"});
  }
  if (tlbi.whole) {
    sync_whole_ = tlb_.whole = true;
    return;
  }
  const Range reach = Reach(step, tlbi);
  if (!range_.Contains(reach)) {
    Report(step, kTlbiRange | domain_, index, {},
           {absl::StrCat(Text(step), " invalidated ", Text(reach),
                         ", beyond what it unmapped."),
            Text(range_), Text(reach), "TLBI beyond the range"});
  }
  if (!is_flush_) Cover(tlb_, reach);
  if (sync_range_.empty()) {
    sync_range_ = reach;
  } else {
    sync_range_.start = std::min(sync_range_.start, reach.start);
    sync_range_.end = std::max(sync_range_.end, reach.end);
  }
}

void Invalidations::OnAtcInv(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const AtcInvalidation inv = DecodeAtcInvalidation(event.a, event.b);
  if (mode_ == kPages) return OnPageAtcInv(step, index, inv);
  const int f = FunctionOfStream(step, event.smmu, inv.stream);
  if (mode_ == kAttachment && f == step.operation->function.value) return;
  const std::string target =
      f < 0 ? absl::StrCat("stream 0x", absl::Hex(inv.stream))
            : step.FunctionName(f);
  Report(step, kAtcForeign | inv.stream, index, {},
         {absl::StrCat(Text(step), " sent an ATC invalidation to ", target,
                       ", which it does not concern."),
          mode_ == kNothing ? "no ATC_INV" : "ATC_INV to its own function only",
          absl::StrCat("ATC_INV to ", target), "to another function"});
}

void Invalidations::OnPageAtcInv(const StepView& step, int index,
                                 const AtcInvalidation& inv) {
  after_atc_ = true;
  const int f = FunctionOfStream(step, step.events[index].smmu, inv.stream);
  if (f < 0) {
    Report(step, kAtcStranger | inv.stream, index, {},
           {absl::StrCat(Text(step), " sent an ATC invalidation to stream 0x",
                         absl::Hex(inv.stream), ", which no function has."),
            "a stream of an attached function",
            absl::StrCat("stream 0x", absl::Hex(inv.stream)), "no function"});
    return;
  }
  const model::Fact belief = {model::Fact::kBelief, static_cast<uint8_t>(f)};
  if (!step.after.functions[f].ats) {
    Report(step, kAtcOff | f, index, belief,
           {absl::StrCat(Text(step), " sent an ATC invalidation to ",
                         step.FunctionName(f),
                         ", whose ATS is off: it runs into a timeout."),
            "no ATC_INV", absl::StrCat("ATC_INV to ", step.FunctionName(f)),
            "to a function with ATS off"});
    return;
  }
  if ((targets_ >> f & 1) == 0) {
    Report(step, kAtcForeign | inv.stream, index, {},
           {absl::StrCat(Text(step), " sent an ATC invalidation to ",
                         step.FunctionName(f), ", which is not attached to ",
                         step.DomainName(domain_), "."),
            "no ATC_INV", absl::StrCat("ATC_INV to ", step.FunctionName(f)),
            "to another function"});
    return;
  }
  const StreamSlot slot = SlotIn(step, f, inv.stream);
  if (inv.with_pasid) {
    Report(step, kAtcPasid | f, index, {},
           {absl::StrCat(Text(step), " invalidated PASID ", inv.pasid, " of ",
                         step.FunctionName(f),
                         " and not its traffic without PASID."),
            "ATC_INV without PASID", absl::StrCat("PASID ", inv.pasid),
            "wrong PASID"});
    return;
  }
  CheckAtcRange(step, index, slot, inv);
  if (inv.whole) {
    atc_[slot].whole = true;
  } else if (!is_flush_) {
    Cover(atc_[slot], inv.range);
  }
}

void Invalidations::CheckAtcRange(const StepView& step, int index,
                                  StreamSlot slot, const AtcInvalidation& inv) {
  // Without any TLBI before it, commands-in-order tells.
  if (!sync_whole_ && sync_range_.empty()) return;
  const bool unrolls =
      is_unrolled_map_ && SmallestCover(range_).Contains(inv.range);
  const bool exact =
      sync_whole_
          ? inv.whole
          : !inv.whole && (unrolls || inv.range == SmallestCover(sync_range_));
  if (exact) return;
  const std::string wanted =
      sync_whole_ ? "everything" : Text(SmallestCover(sync_range_));
  const std::string got = inv.whole ? "everything" : Text(inv.range);
  Report(step, kAtcRange | slot, index, {},
         {absl::StrCat(Text(step), " invalidated ", got, " in the ATC of ",
                       step.FunctionName(FunctionOf(slot)), " where ", wanted,
                       " is the smallest that covers."),
          wanted, got,
          !inv.whole && (sync_whole_ || !inv.range.Contains(sync_range_))
              ? "too small"
              : "too large"});
}

void Invalidations::AtRest(const StepView& step) {
  if (mode_ != kPages || step.result != 0) return;
  const bool strict_unmap =
      step.Is(OperationKind::kUnmap) && !step.operation->queued;
  if (!strict_unmap && !(is_flush_ && step.had_unflushed)) return;
  if (!Covered(tlb_)) {
    Report(step, kTlbiMissing | domain_, -1, {},
           {absl::StrCat(Text(step), " returned before a TLBI of ",
                         step.DomainName(domain_), "'s tag covered it all."),
            is_flush_ ? "TLBI of the whole tag" : Text(range_),
            tlb_.any ? "a part of it" : "none", "TLBI missing"});
  }
  for (int f = 0; f < step.machine.functions(); ++f) {
    if ((targets_ >> f & 1) == 0) continue;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      // A stream id that is listed twice is one ATC.
      const StreamSlot slot = SlotOf(f, s);
      const StreamSlot first = SlotIn(step, f, step.machine.StreamId(slot));
      if (Covered(atc_[first])) continue;
      Report(step, kAtcMissing | slot, -1,
             {model::Fact::kBelief, static_cast<uint8_t>(f)},
             {absl::StrCat(Text(step), " returned without an ATC invalidation ",
                           "of all its pages to ", step.StreamName(slot),
                           ", attached to ", step.DomainName(domain_),
                           " with ATS on."),
              is_flush_ ? "everything" : Text(range_),
              atc_[first].any ? "a part of it" : "none", "ATC_INV missing"});
    }
  }
}

}  // namespace atsfuzz::properties
