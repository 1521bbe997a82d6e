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
        event.b == entry.physical) {
      return i;
    }
  }
  return -1;
}

// Why a translation through `f`'s route is wrong, for messages.
std::string RouteReason(const StepView& step, int f) {
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

const char* RouteAspect(model::Route route) {
  return route == model::Route::kDomain ? "unmapped" : "left behind";
}

// True if `f`'s route leads from iova to physical.
bool RouteLeads(const StepView& step, int f, uint64_t iova, uint64_t physical,
                uint64_t size) {
  const model::FunctionState& state = step.State(f);
  if (state.route != model::Route::kDomain) return false;
  const int smmu = step.machine.topology().at(state.domain).smmu.value;
  return AgreesWith(step.Domain(state.domain.value),
                    step.machine.PageShift(smmu), iova, physical, size);
}

bool Selects(const atsfuzz_stream& stream, const atsfuzz_iotlb_entry& entry) {
  if (entry.stage == 1) {
    return stream.route == ATSFUZZ_ROUTE_STAGE1 && stream.cd_valid &&
           stream.asid == entry.tag;
  }
  return stream.route == ATSFUZZ_ROUTE_STAGE2 && stream.vmid == entry.tag;
}

bool IsSelected(const StepView& step, const atsfuzz_iotlb_entry& entry) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.machine.SmmuOf(f) != entry.smmu) continue;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      if (Selects(step.after.functions[f].streams[s], entry)) return true;
    }
  }
  return false;
}

void ReportIotlb(const StepView& step, const atsfuzz_iotlb_entry& entry,
                 const std::string& reason, const char* aspect) {
  const uint64_t subject =
      uint64_t{entry.smmu} << 24 | uint64_t{entry.stage} << 16 | entry.tag;
  Violation* v = step.findings.Report(Invariant::kNoStaleIotlb, subject);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("The IOTLB of ", model::Name(model::SmmuId(entry.smmu)),
                   " still translates ", Hex(entry.iova), " of ",
                   entry.stage == 1 ? "ASID " : "VMID ", entry.tag, " to ",
                   Hex(entry.physical), ": ", reason, ".");
  v->expected = "no such entry";
  v->found = absl::StrCat(Hex(entry.iova), " -> ", Hex(entry.physical), ", ",
                          entry.size, " bytes");
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
  if (RouteLeads(step, f, entry.iova, entry.physical, entry.size)) return;
  Violation* v =
      step.findings.Report(Invariant::kNoStaleAtc, SlotOf(f, entry.stream));
  if (v == nullptr) return;
  const bool ats = step.after.functions[f].ats != 0;
  v->message = absl::StrCat(
      "The ATC of ", step.FunctionName(f), " still translates ",
      Hex(entry.iova), " to ", Hex(entry.physical), ": ", RouteReason(step, f),
      ".", ats ? "" : " Its ATS is off, but that does not empty the ATC.");
  v->expected = "no such entry";
  v->found = absl::StrCat(Hex(entry.iova), " -> ", Hex(entry.physical), ", ",
                          entry.size, " bytes");
  v->event = FillEvent(step, entry);
  v->aspect = step.Aspect(f, RouteAspect(step.State(f).route));
}

void Staleness::CheckIotlbEntry(const StepView& step,
                                const atsfuzz_iotlb_entry& entry) {
  int owner = -1;
  const int slots = ATSFUZZ_MAX_DOMAINS + step.machine.functions();
  for (int slot = 0; slot < slots; ++slot) {
    const atsfuzz_domain& domain = step.after.domains[slot];
    if (!domain.exists || !domain.finalised || domain.smmu != entry.smmu ||
        domain.stage != entry.stage || domain.tag != entry.tag) {
      continue;
    }
    // Two domains of one tag are tags-unique's matter.
    owner = slot;
    if (slot < step.machine.domains() &&
        AgreesWith(step.Domain(slot), step.machine.PageShift(entry.smmu),
                   entry.iova, entry.physical, entry.size)) {
      return;
    }
  }
  if (owner < 0) {
    ReportIotlb(step, entry,
                "no domain has this tag, it may be given out again",
                "freed tag");
  } else if (IsSelected(step, entry)) {
    ReportIotlb(step, entry,
                absl::StrCat(step.DomainName(owner), " does not map it there"),
                "unmapped");
  }
}

void Staleness::OnDma(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  if (f >= step.machine.functions() || step.machine.SmmuOf(f) == ATSFUZZ_NONE ||
      event.b == ~uint64_t{0}) {
    return;
  }
  // What the SMMU translates goes where the stream id's owner is attached; what
  // the ATC translated is the function's own.
  int through = f;
  if (event.c != ATSFUZZ_DMA_ATC_HIT) {
    const StreamSlot slot =
        step.machine.Find(step.machine.SmmuOf(f), event.stream);
    if (slot >= 0 && step.machine.IsShared(slot)) {
      const int owner = step.OwnerOf(slot);
      if (owner >= 0) through = owner;
    }
  }
  const model::Route route = step.State(through).route;
  if (route == model::Route::kIdentity
          ? event.a == event.b
          : RouteLeads(step, through, event.a, event.b, 1)) {
    return;
  }
  Violation* v = step.findings.Report(Invariant::kNoDmaAfterUnmap, f);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("An access of ", step.FunctionName(f), " to ", Hex(event.a),
                   " reached ", Hex(event.b),
                   event.c == ATSFUZZ_DMA_ATC_HIT ? " through its ATC: " : ": ",
                   RouteReason(step, through), ".");
  v->expected = "blocked";
  v->found = absl::StrCat(Hex(event.a), " -> ", Hex(event.b));
  v->event = index;
  v->aspect = step.Aspect(
      f, event.c == ATSFUZZ_DMA_ATC_HIT
             ? (route == model::Route::kDomain ? "ATC hit, unmapped"
                                               : "ATC hit, left behind")
             : RouteAspect(route));
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
