#include "properties/atc_targets.h"

#include <cassert>
#include <string>

#include "absl/strings/str_cat.h"
#include "properties/invalidation_report.h"

namespace atsfuzz::properties {
namespace {

uint64_t WithPasid(uint64_t subject, uint32_t pasid) {
  return subject | uint64_t{pasid} << 32;
}

// The slot of one of `f`'s streams. REQUIRES: it lists the id.
StreamSlot SlotIn(const StepView& step, int f, uint32_t stream) {
  int s = 0;
  while (step.machine.StreamId(SlotOf(f, s)) != stream) ++s;
  return SlotOf(f, s);
}

// Nobody knows which of a guest's addresses lead through what was unmapped.
bool WantsEverything(const StepView& step, const PageSync& sync, int f) {
  if (!sync.is_nesting_parent) return false;
  if (sync.has_array) return true;
  const int through = step.DomainSlotOf(f);
  return through >= 0 && step.machine.IsNested(through) &&
         step.machine.topology().domains[through].guest_ats;
}

void CheckRange(const StepView& step, const PageSync& sync, int index,
                StreamSlot slot, const AtcInvalidation& inv) {
  // Without any TLBI before it, commands-in-order tells.
  if (!sync.named_whole && sync.named.empty()) return;
  const bool everything = WantsEverything(step, sync, FunctionOf(slot));
  // With arrays a whole tag may stand for many single TLBIs: which, nobody
  // tells.
  const bool stands_for_many =
      sync.has_array && sync.named_whole && !sync.is_flush;
  const bool within = (sync.is_unrolled_map || stands_for_many) &&
                      SmallestCover(sync.range).Contains(inv.range);
  const bool whole = everything || (sync.named_whole && !stands_for_many);
  const Range cover =
      whole ? Range{}
            : SmallestCover(stands_for_many ? sync.range : sync.named);
  const bool exact =
      whole ? inv.whole : !inv.whole && (within || inv.range == cover);
  if (exact) return;
  const std::string wanted = whole ? "everything" : Text(cover);
  const std::string got = inv.whole ? "everything" : Text(inv.range);
  ReportInvalidation(
      step, WithPasid(kAtcRange | slot, inv.with_pasid ? inv.pasid : 0), index,
      {},
      {absl::StrCat(Text(step), " invalidated ", got, " in the ATC of ",
                    step.FunctionName(FunctionOf(slot)), " where ", wanted,
                    " is the smallest that covers."),
       wanted, got,
       !inv.whole && (whole || !inv.range.Contains(cover)) ? "too small"
                                                           : "too large"});
}

}  // namespace

void AtcTargets::Begin(const StepView& step, const PageSync& sync) {
  is_attached_ = has_guest_ = false;
  for (int f = 0; f < step.machine.functions(); ++f) {
    targets_[f] = 0;
    if (step.RidAttachments(f, sync.domain) != 0) {
      targets_[f] = 1;
      has_guest_ |= step.DomainSlotOf(f) != sync.domain;
    }
    int target = 1;
    for (const model::PasidState& state : step.PasidsOf(f)) {
      assert(target <= ATSFUZZ_MAX_SUBSTREAMS);
      if (state.domain.value == sync.domain) {
        targets_[f] |= static_cast<uint8_t>(1u << target);
      }
      ++target;
    }
    is_attached_ |= targets_[f] != 0;
    if (!step.after.functions[f].ats) targets_[f] = 0;
    if (targets_[f] == 0) continue;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      for (int t = 0; t < target; ++t) {
        if ((targets_[f] >> t & 1) != 0) atc_[SlotOf(f, s)][t] = {};
      }
    }
  }
}

uint32_t AtcTargets::PasidOf(const StepView& step, int f, int target) const {
  return target == 0 ? 0 : step.PasidsOf(f)[target - 1].pasid;
}

// -1: the PASID (0: the RID) is not attached to the domain.
int AtcTargets::TargetOf(const StepView& step, int f, uint32_t pasid) const {
  for (int t = 0; targets_[f] >> t != 0; ++t) {
    if ((targets_[f] >> t & 1) != 0 && PasidOf(step, f, t) == pasid) return t;
  }
  return -1;
}

void AtcTargets::OnAtcInv(const StepView& step, const PageSync& sync, int index,
                          const AtcInvalidation& inv) {
  const int f = FunctionOfStream(step, step.events[index].smmu, inv.stream);
  if (f < 0) {
    ReportInvalidation(
        step, kAtcStranger | inv.stream, index, {},
        {absl::StrCat(Text(step), " sent an ATC invalidation to stream 0x",
                      absl::Hex(inv.stream), ", which no function has."),
         "a stream of an attached function",
         absl::StrCat("stream 0x", absl::Hex(inv.stream)), "no function"});
    return;
  }
  const model::Fact belief = {model::Fact::kBelief, static_cast<uint8_t>(f)};
  if (!step.after.functions[f].ats) {
    ReportInvalidation(
        step, kAtcOff | f, index, belief,
        {absl::StrCat(Text(step), " sent an ATC invalidation to ",
                      step.FunctionName(f),
                      ", whose ATS is off: it runs into a timeout."),
         "no ATC_INV", absl::StrCat("ATC_INV to ", step.FunctionName(f)),
         "to a function with ATS off"});
    return;
  }
  if (targets_[f] == 0) {
    ReportInvalidation(
        step, kAtcForeign | inv.stream, index, {},
        {absl::StrCat(Text(step), " sent an ATC invalidation to ",
                      step.FunctionName(f), ", which is not attached to ",
                      step.DomainName(sync.domain), "."),
         "no ATC_INV", absl::StrCat("ATC_INV to ", step.FunctionName(f)),
         "to another function"});
    return;
  }
  const StreamSlot slot = SlotIn(step, f, inv.stream);
  const uint32_t pasid = inv.with_pasid ? inv.pasid : 0;
  const int target =
      inv.with_pasid && pasid == 0 ? -1 : TargetOf(step, f, pasid);
  if (target < 0 && inv.with_pasid) {
    ReportInvalidation(
        step, kAtcPasid | f, index, {},
        {absl::StrCat(Text(step), " invalidated PASID ", pasid, " of ",
                      step.FunctionName(f),
                      (targets_[f] & 1) != 0
                          ? " and not its traffic without PASID."
                          : ", which is not attached to the domain."),
         (targets_[f] & 1) != 0 ? "ATC_INV without PASID"
                                : "ATC_INV with an attached PASID",
         absl::StrCat("PASID ", pasid), "wrong PASID"});
    return;
  }
  if (target < 0) {
    ReportInvalidation(
        step, kAtcTooWide | f, index, {},
        {absl::StrCat(Text(step), " invalidated all PASIDs of ",
                      step.FunctionName(f), ", of which only some are ",
                      "attached to ", step.DomainName(sync.domain), "."),
         "ATC_INV with PASID", "ATC_INV without PASID", "without PASID"});
  }
  CheckRange(step, sync, index, slot, inv);
  // Without PASID it empties the entries of PASIDs too.
  for (int t = 0; targets_[f] >> t != 0; ++t) {
    if ((targets_[f] >> t & 1) == 0 || (inv.with_pasid && t != target))
      continue;
    if (inv.whole) {
      atc_[slot][t].whole = true;
    } else {
      atc_[slot][t].Cover(sync, inv.range);
    }
  }
}

void AtcTargets::CheckCovered(const StepView& step, const PageSync& sync, int f,
                              int target) {
  for (int s = 0; s < step.machine.Streams(f); ++s) {
    // A stream id that is listed twice is one ATC.
    const StreamSlot slot = SlotOf(f, s);
    const StreamSlot first = SlotIn(step, f, step.machine.StreamId(slot));
    const Coverage& coverage = atc_[first][target];
    if (coverage.Covers(sync)) continue;
    const uint32_t pasid = PasidOf(step, f, target);
    ReportInvalidation(
        step, WithPasid(kAtcMissing | slot, pasid), -1,
        {model::Fact::kBelief, static_cast<uint8_t>(f)},
        {absl::StrCat(
             Text(step), " returned without an ATC invalidation ",
             "of all its pages to ", step.StreamName(slot),
             pasid == 0 ? std::string() : absl::StrCat(" PASID ", pasid),
             ", attached to ", step.DomainName(sync.domain), " with ATS on."),
         sync.is_flush ? "everything" : Text(sync.range),
         coverage.any ? "a part of it" : "none",
         pasid == 0 ? "ATC_INV missing" : "ATC_INV of a PASID missing"});
  }
}

void AtcTargets::AtRest(const StepView& step, const PageSync& sync) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    for (int target = 0; targets_[f] >> target != 0; ++target) {
      if ((targets_[f] >> target & 1) != 0) CheckCovered(step, sync, f, target);
    }
  }
}

}  // namespace atsfuzz::properties
