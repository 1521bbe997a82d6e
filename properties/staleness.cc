#include "properties/staleness.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "model/address.h"

namespace atsfuzz::properties {
namespace {

// The mapping that translates `iova` to `physical`, as bytes; empty if none.
Range Translates(const model::Mapping* mapping, int page_shift, uint64_t iova,
                 uint64_t physical) {
  if (mapping == nullptr) return {};
  const uint64_t start =
      model::kIovaBase + (uint64_t{mapping->page} << page_shift);
  if (physical - mapping->physical != iova - start) return {};
  return {start, start + (uint64_t{mapping->pages} << page_shift)};
}

std::string Hex(uint64_t value) { return absl::StrCat("0x", absl::Hex(value)); }

// Where the entry came into the ATC within this step; -1: earlier.
int FillEvent(const StepView& step, const atsfuzz_atc_entry& entry) {
  for (int i = static_cast<int>(step.events.size()) - 1; i >= 0; --i) {
    const atsfuzz_event& event = step.events[i];
    if (event.kind == ATSFUZZ_EVENT_ATC_FILL &&
        event.function == entry.function && event.a == entry.iova &&
        event.b == entry.physical && event.pasid == entry.pasid) {
      return i;
    }
  }
  return -1;
}

// Why a translation through `f`'s route is wrong, for messages.
std::string RouteReason(const StepView& step, int f, uint32_t pasid) {
  if (pasid != 0) {
    const int domain = step.DomainSlotOf(f, pasid);
    if (domain >= 0) {
      return absl::StrCat(step.DomainName(domain), " does not map it there");
    }
    return absl::StrCat(
        "PASID ", pasid, " of ", step.FunctionName(f),
        step.State(f).parked ? " is parked" : " is not attached");
  }
  switch (step.State(f).route) {
    case model::Route::kUnprobed:
      return absl::StrCat(step.FunctionName(f), " is not probed");
    case model::Route::kBlocked:
      return absl::StrCat(step.FunctionName(f), " is blocked");
    case model::Route::kIdentity:
      return absl::StrCat(step.FunctionName(f), " is in the identity domain");
    case model::Route::kDefaultDma:
      return absl::StrCat("nothing is mapped in ", step.FunctionName(f),
                          "'s default domain");
    case model::Route::kDomain:
      return absl::StrCat(step.DomainName(step.State(f).domain.value),
                          " does not map it there");
  }
  return "";
}

// A declared domain is behind the traffic, as opposed to none.
bool InDomain(const StepView& step, int f, uint32_t pasid) {
  return pasid == 0 ? step.State(f).route == model::Route::kDomain
                    : step.DomainSlotOf(f, pasid) >= 0;
}

const char* RouteAspect(const StepView& step, int f, uint32_t pasid) {
  if (pasid != 0) {
    return InDomain(step, f, pasid) ? "PASID unmapped" : "PASID left behind";
  }
  return InDomain(step, f, pasid) ? "unmapped" : "left behind";
}

// One of `f`'s streams stays in bypass when no probed function has it.
bool IsLeftInBypass(const StepView& step, int f) {
  for (int s = 0; s < step.machine.Streams(f); ++s) {
    if (step.machine.ListsReserved(f, step.after.functions[f].streams[s].id)) {
      return true;
    }
  }
  return false;
}

// True if the route of `f`'s traffic leads from iova to physical. Without a
// PASID of its own, traffic of a function in the identity domain goes there.
bool RouteLeads(const StepView& step, int f, uint32_t pasid, uint64_t iova,
                uint64_t physical, uint64_t size) {
  const int domain = step.DomainSlotOf(f, pasid);
  if (domain < 0) {
    const model::Route route = step.State(f).route;
    return iova == physical &&
           (route == model::Route::kIdentity ||
            (route == model::Route::kUnprobed && IsLeftInBypass(step, f)));
  }
  if (domain >= step.machine.domains()) {
    return iova == physical && step.machine.IsReserved(domain, iova, size);
  }
  // A guest's stage 1 maps every page onto itself.
  const model::Domain& declared = step.machine.topology().domains[domain];
  if (declared.parent.valid() && declared.guest == model::GuestEntry::kAbort) {
    return false;
  }
  return AgreesWith(step.Domain(step.machine.CountedBy(domain)),
                    step.machine.PageShift(declared.smmu.value), iova, physical,
                    size);
}

// The tag of the domain is in its invalidation array, or there is no array.
bool IsInArray(const StepView& step, int slot) {
  const atsfuzz_domain& domain = step.after.domains[slot];
  if (!domain.has_array) return true;
  const uint8_t type =
      domain.stage == 1 ? ATSFUZZ_INV_S1_ASID : ATSFUZZ_INV_S2_VMID;
  for (const atsfuzz_inv& inv : step.Array(slot)) {
    if (IsLive(inv) && inv.type == type && inv.id == domain.tag &&
        inv.smmu == domain.smmu) {
      return true;
    }
  }
  return false;
}

// Stage 1 of a guest.
bool IsGuests(const atsfuzz_iotlb_entry& entry) {
  return entry.stage == 1 && entry.vmid != 0;
}

bool Selects(const atsfuzz_stream& stream, const atsfuzz_iotlb_entry& entry) {
  if (IsGuests(entry)) {
    return stream.route == ATSFUZZ_ROUTE_NESTED && stream.vmid == entry.vmid;
  }
  if (entry.stage == 1) {
    return stream.route == ATSFUZZ_ROUTE_STAGE1 && stream.cd_valid &&
           stream.asid == entry.tag;
  }
  return (stream.route == ATSFUZZ_ROUTE_STAGE2 ||
          stream.route == ATSFUZZ_ROUTE_NESTED) &&
         stream.vmid == entry.tag;
}

bool Selects(const atsfuzz_function& function,
             const atsfuzz_iotlb_entry& entry) {
  if (entry.stage != 1 || IsGuests(entry)) return false;
  for (int i = 0; i < function.substream_count; ++i) {
    if (function.substreams[i].asid == entry.tag) return true;
  }
  return false;
}

bool IsSelected(const StepView& step, const atsfuzz_iotlb_entry& entry) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.machine.SmmuOf(f) != entry.smmu) continue;
    if (Selects(step.after.functions[f], entry)) return true;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      if (Selects(step.after.functions[f].streams[s], entry)) return true;
    }
  }
  return false;
}

// A fault of the command queue keeps the entry.
bool IsExcused(const StepView& step, const atsfuzz_iotlb_entry& entry) {
  return step.outages != nullptr && step.outages->HoldsTlbi(entry);
}

bool IsExcused(const StepView& step, const atsfuzz_atc_entry& entry) {
  const int smmu = step.machine.SmmuOf(entry.function);
  const uint32_t stream =
      step.machine.StreamId(SlotOf(entry.function, entry.stream));
  return step.outages != nullptr &&
         (step.outages->ExcusesAtc(smmu, stream, entry) ||
          step.outages->HoldsConfig(smmu, stream, entry.pasid));
}

// A fault of the command queue lets the access go where it went.
bool IsExcused(const StepView& step, const atsfuzz_event& dma) {
  if (step.outages == nullptr) return false;
  const int smmu = step.machine.SmmuOf(dma.function);
  if (dma.c == ATSFUZZ_DMA_ATC_HIT) {
    return step.outages->ExcusesHit(
        dma, smmu, {step.after.atc, step.after.atc_count}, step.machine);
  }
  if (step.outages->HoldsConfig(smmu, dma.stream, dma.pasid)) return true;
  for (uint32_t i = 0; i < step.after.iotlb_count; ++i) {
    const atsfuzz_iotlb_entry& entry = step.after.iotlb[i];
    if (entry.smmu == smmu && dma.a - entry.iova < entry.size &&
        entry.physical + (dma.a - entry.iova) == dma.b &&
        IsExcused(step, entry)) {
      return true;
    }
  }
  return false;
}

void ReportIotlb(const StepView& step, const atsfuzz_iotlb_entry& entry,
                 const std::string& reason, const char* aspect) {
  if (IsExcused(step, entry)) return;
  const uint64_t subject = uint64_t{entry.vmid} << 32 |
                           uint64_t{entry.smmu} << 24 |
                           uint64_t{entry.stage} << 16 | entry.tag;
  Violation* v = step.findings.Report(Invariant::kNoStaleIotlb, subject);
  if (v == nullptr) return;
  v->message = absl::StrCat(
      "The IOTLB of ", model::Name(model::SmmuId(entry.smmu)),
      " still translates ", Hex(entry.iova), " of ",
      entry.stage == 1 ? "ASID " : "VMID ", entry.tag,
      IsGuests(entry) ? absl::StrCat(" of the guest with VMID ", entry.vmid)
                      : std::string(),
      " to ", Hex(entry.physical), ": ", reason, ".");
  v->expected = "no such entry";
  v->found = absl::StrCat(Hex(entry.iova), " -> ", Hex(entry.physical), ", ",
                          entry.size, " bytes");
  v->entry = static_cast<int>(&entry - step.after.iotlb);
  v->aspect = aspect;
}

}  // namespace

bool AgreesWith(const model::DomainState& domain, int page_shift, uint64_t iova,
                uint64_t physical, uint64_t size) {
  const uint64_t end = iova + size;
  while (iova < end) {
    if (iova < model::kIovaBase) return false;
    const uint64_t page = (iova - model::kIovaBase) >> page_shift;
    if (page >= ATSFUZZ_MAX_PAGES) return false;
    Range range = Translates(domain.Find(static_cast<uint16_t>(page)),
                             page_shift, iova, physical);
    if (range.empty()) {
      range = Translates(domain.FindUnflushed(static_cast<uint16_t>(page)),
                         page_shift, iova, physical);
    }
    if (range.empty()) return false;
    physical += range.end - iova;
    iova = range.end;
  }
  return true;
}

void Staleness::CheckAtcEntry(const StepView& step,
                              const atsfuzz_atc_entry& entry) {
  const int f = entry.function;
  const uint32_t pasid = entry.pasid;
  if (RouteLeads(step, f, pasid, entry.iova, entry.physical, entry.size) ||
      IsExcused(step, entry)) {
    return;
  }
  Violation* v = step.findings.Report(
      Invariant::kNoStaleAtc, uint64_t{pasid} << 8 | SlotOf(f, entry.stream));
  if (v == nullptr) return;
  const bool ats = step.after.functions[f].ats != 0;
  v->message = absl::StrCat(
      "The ATC of ", step.FunctionName(f), " still translates ",
      Hex(entry.iova), " to ", Hex(entry.physical),
      pasid == 0 ? std::string() : absl::StrCat(" with PASID ", pasid), ": ",
      RouteReason(step, f, pasid), ".",
      ats ? "" : " Its ATS is off, but that does not empty the ATC.");
  v->expected = "no such entry";
  v->found = absl::StrCat(Hex(entry.iova), " -> ", Hex(entry.physical), ", ",
                          entry.size, " bytes");
  v->event = FillEvent(step, entry);
  v->entry = static_cast<int>(&entry - step.after.atc);
  v->aspect = step.Aspect(f, RouteAspect(step, f, pasid));
}

void Staleness::CheckIotlbEntry(const StepView& step,
                                const atsfuzz_iotlb_entry& entry) {
  // A guest's entries are its parent's, whatever the ASID.
  const uint8_t stage = IsGuests(entry) ? 2 : entry.stage;
  const uint16_t tag = IsGuests(entry) ? entry.vmid : entry.tag;
  int owner = -1;
  bool in_array = false;
  for (int slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    const atsfuzz_domain& domain = step.after.domains[slot];
    if (!domain.exists || !domain.finalised || domain.smmu != entry.smmu ||
        domain.stage != stage || domain.tag != tag ||
        step.machine.IsNested(slot)) {
      continue;
    }
    // Two domains of one tag are tags-unique's matter.
    owner = slot;
    if (!IsInArray(step, slot)) continue;
    in_array = true;
    if (slot < step.machine.domains() &&
        AgreesWith(step.Domain(slot), step.machine.PageShift(entry.smmu),
                   entry.iova, entry.physical, entry.size)) {
      return;
    }
    if (entry.iova == entry.physical &&
        step.machine.IsReserved(slot, entry.iova, entry.size)) {
      return;
    }
  }
  if (owner < 0) {
    ReportIotlb(step, entry,
                "no domain has this tag, it may be given out again",
                "freed tag");
  } else if (!in_array) {
    ReportIotlb(step, entry,
                absl::StrCat("no attachment of ", step.DomainName(owner),
                             " is left, and no sync will name its tag"),
                "unused tag");
  } else if (IsSelected(step, entry)) {
    ReportIotlb(step, entry,
                absl::StrCat(step.DomainName(owner), " does not map it there"),
                "unmapped");
  }
}

namespace {

// What the SMMU translates goes where the stream id's owner is attached; what
// the ATC translated is the function's own.
int Through(const StepView& step, const atsfuzz_event& event) {
  const int f = event.function;
  if (event.c == ATSFUZZ_DMA_ATC_HIT) return f;
  const StreamSlot slot =
      step.machine.Find(step.machine.SmmuOf(f), event.stream);
  if (slot < 0 || !step.machine.IsShared(slot)) return f;
  const int owner = step.OwnerOf(slot);
  return owner >= 0 ? owner : f;
}

}  // namespace

bool Staleness::IsLegal(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  if (f >= step.machine.functions() || step.machine.SmmuOf(f) == ATSFUZZ_NONE ||
      event.b == ~uint64_t{0}) {
    return true;
  }
  return RouteLeads(step, Through(step, event), event.pasid, event.a, event.b,
                    1) ||
         IsExcused(step, event);
}

void Staleness::OnDma(const StepView& step, int index) {
  if (IsLegal(step, index)) return;
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  const int through = Through(step, event);
  const uint32_t pasid = event.pasid;
  Violation* v = step.findings.Report(Invariant::kNoDmaAfterUnmap,
                                      uint64_t{pasid} << 8 | f);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("An access of ", step.FunctionName(f), " to ", Hex(event.a),
                   " reached ", Hex(event.b),
                   event.c == ATSFUZZ_DMA_ATC_HIT ? " through its ATC: " : ": ",
                   RouteReason(step, through, pasid), ".");
  v->expected = "blocked";
  v->found = absl::StrCat(Hex(event.a), " -> ", Hex(event.b));
  v->event = index;
  const bool hit = event.c == ATSFUZZ_DMA_ATC_HIT;
  v->aspect = step.Aspect(
      f, absl::StrCat(hit ? "ATC hit, " : "", RouteAspect(step, through, pasid))
             .c_str());
}

void Staleness::AtRest(const StepView& step) {
  for (uint32_t i = 0; i < step.after.atc_count; ++i) {
    CheckAtcEntry(step, step.after.atc[i]);
  }
  for (uint32_t i = 0; i < step.after.iotlb_count; ++i) {
    CheckIotlbEntry(step, step.after.iotlb[i]);
  }
}

}  // namespace atsfuzz::properties
