#include "properties/attachment.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {
namespace {

using model::Route;

// How a stream's entry differs from a domain (`nested`: from a guest's stage 1
// above it); null: it does not.
const char* Mismatch(const atsfuzz_stream& stream, const atsfuzz_domain& domain,
                     bool nested) {
  if (!domain.exists || !domain.finalised) return "the domain is gone";
  if (nested) {
    if (stream.route != ATSFUZZ_ROUTE_NESTED) return "not nested";
    if (stream.vmid != domain.tag) return "another VMID";
  } else if (domain.stage == 1) {
    if (stream.route != ATSFUZZ_ROUTE_STAGE1) return "not stage 1";
    if (!stream.cd_valid) return "no valid context descriptor";
    if (stream.asid != domain.tag) return "another ASID";
  } else {
    if (stream.route != ATSFUZZ_ROUTE_STAGE2) return "not stage 2";
    if (stream.vmid != domain.tag) return "another VMID";
  }
  return stream.table == domain.table ? nullptr : "another page table";
}

std::string Describe(const atsfuzz_stream& stream) {
  std::string text = RouteName(stream.route);
  if (stream.route == ATSFUZZ_ROUTE_STAGE1) {
    absl::StrAppend(&text, ", ASID ", stream.asid);
    if (!stream.cd_valid) absl::StrAppend(&text, ", CD not valid");
  } else if (stream.route == ATSFUZZ_ROUTE_STAGE2 ||
             stream.route == ATSFUZZ_ROUTE_NESTED) {
    absl::StrAppend(&text, ", VMID ", stream.vmid);
  }
  return text;
}

void ReportRoute(const StepView& step, StreamSlot slot,
                 const std::string& expected, const atsfuzz_stream& stream,
                 const char* aspect) {
  Violation* v = step.findings.Report(Invariant::kAttachmentAsReturned, slot);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("Traffic of ", step.StreamName(slot), " must go through ",
                   expected, ", but its stream table entry says ",
                   Describe(stream), ": ", aspect, ".");
  v->expected = expected;
  v->found = Describe(stream);
  v->subject = {model::Fact::kSte, static_cast<uint8_t>(slot)};
  v->aspect = step.Aspect(FunctionOf(slot), aspect);
}

// The stream's PASIDs are looked up in the CD table.
bool HasCdTable(const atsfuzz_stream& stream) {
  return stream.route == ATSFUZZ_ROUTE_STAGE1 ||
         stream.route == ATSFUZZ_ROUTE_S1DSS_TERMINATE ||
         stream.route == ATSFUZZ_ROUTE_S1DSS_BYPASS;
}

const atsfuzz_substream* FindSubstream(const atsfuzz_function& function,
                                       uint32_t pasid) {
  for (int i = 0; i < function.substream_count; ++i) {
    if (function.substreams[i].pasid == pasid) return &function.substreams[i];
  }
  return nullptr;
}

void ReportPasid(const StepView& step, int f, uint32_t pasid,
                 const std::string& expected,
                 const atsfuzz_substream* substream, const char* aspect) {
  Violation* v = step.findings.Report(Invariant::kAttachmentAsReturned,
                                      uint64_t{pasid} << 8 | 0x80 | f);
  if (v == nullptr) return;
  const std::string found = substream == nullptr
                                ? std::string("no context descriptor")
                                : absl::StrCat("ASID ", substream->asid);
  v->message =
      absl::StrCat("Traffic of ", step.FunctionName(f), " with PASID ", pasid,
                   " must go through ", expected, ", but its CD table says ",
                   found, ": ", aspect, ".");
  v->expected = expected;
  v->found = found;
  v->subject = {model::Fact::kSte, static_cast<uint8_t>(SlotOf(f, 0))};
  v->aspect = step.Aspect(f, absl::StrCat("PASID: ", aspect).c_str());
}

}  // namespace

// The stream's traffic goes through the domain of a slot.
void Attachment::CheckDomainOf(const StepView& step, StreamSlot slot,
                               int domain, bool nested) {
  const atsfuzz_stream& stream = step.after.functions[FunctionOf(slot)]
                                     .streams[slot % ATSFUZZ_MAX_STREAMS];
  const char* mismatch = Mismatch(
      stream, step.after.domains[step.machine.CountedBy(domain)], nested);
  if (mismatch != nullptr) {
    ReportRoute(step, slot, step.DomainName(domain), stream, mismatch);
  }
}

void Attachment::CheckStream(const StepView& step, int f, int s) {
  const StreamSlot slot = SlotOf(f, s);
  const atsfuzz_function& function = step.after.functions[f];
  const atsfuzz_stream& stream = function.streams[s];
  switch (step.State(f).route) {
    case Route::kUnprobed:
      return;
    case Route::kBlocked:
      if (const int blocking = step.machine.BlockingSlot(f);
          step.after.domains[blocking].exists) {
        CheckDomainOf(step, slot, blocking, false);
        return;
      }
      if (stream.route != ATSFUZZ_ROUTE_ABORT &&
          stream.route != ATSFUZZ_ROUTE_S1DSS_TERMINATE) {
        ReportRoute(step, slot, "the blocked domain", stream, "not blocked");
      }
      return;
    case Route::kIdentity:
      if (stream.route != ATSFUZZ_ROUTE_BYPASS &&
          stream.route != ATSFUZZ_ROUTE_S1DSS_BYPASS) {
        ReportRoute(step, slot, "the identity domain", stream, "not identity");
      }
      return;
    case Route::kDefaultDma:
      if (function.group_domain != step.machine.DefaultSlot(f)) {
        ReportRoute(step, slot, step.DomainName(step.machine.DefaultSlot(f)),
                    stream, "the group is in another domain");
        return;
      }
      break;
    case Route::kDomain:
      break;
  }
  const int domain = step.DomainSlotOf(f);
  bool nested = false;
  if (step.machine.IsNested(domain)) {
    const model::GuestEntry guest =
        step.machine.topology().domains[domain].guest;
    if (guest == model::GuestEntry::kAbort) {
      if (stream.route != ATSFUZZ_ROUTE_ABORT) {
        ReportRoute(step, slot, step.DomainName(domain), stream,
                    "not the guest's abort");
      }
      return;
    }
    nested = guest == model::GuestEntry::kStage1;
  }
  CheckDomainOf(step, slot, domain, nested);
}

void Attachment::CheckPasid(const StepView& step, int f,
                            const model::PasidState& state) {
  const atsfuzz_function& function = step.after.functions[f];
  const atsfuzz_substream* substream = FindSubstream(function, state.pasid);
  const atsfuzz_domain& domain = step.after.domains[state.domain.value];
  const char* mismatch = nullptr;
  if (!domain.exists || !domain.finalised) {
    mismatch = "the domain is gone";
  } else if (substream == nullptr) {
    mismatch = "no valid context descriptor";
  } else if (substream->asid != domain.tag) {
    mismatch = "another ASID";
  } else if (step.Domain(state.domain.value).exited) {
    if (substream->table != 0) mismatch = "the page table of a dead process";
  } else if (substream->table != domain.table) {
    mismatch = "another page table";
  }
  for (int s = 0; mismatch == nullptr && s < step.machine.Streams(f); ++s) {
    if (!HasCdTable(function.streams[s])) mismatch = "no CD table";
  }
  if (mismatch == nullptr) return;
  ReportPasid(step, f, state.pasid, step.DomainName(state.domain.value),
              substream, mismatch);
}

void Attachment::CheckPasids(const StepView& step, int f) {
  const std::span<const model::PasidState> pasids = step.PasidsOf(f);
  for (const model::PasidState& state : pasids) CheckPasid(step, f, state);
  const atsfuzz_function& function = step.after.functions[f];
  for (int i = 0; i < function.substream_count; ++i) {
    const atsfuzz_substream& substream = function.substreams[i];
    if (step.DomainSlotOf(f, substream.pasid) >= 0) continue;
    ReportPasid(step, f, substream.pasid,
                step.State(f).parked ? "nothing (it is being reset)"
                                     : "nothing (the PASID is not attached)",
                &substream, "left behind");
  }
}

void Attachment::CheckUnowned(const StepView& step, int f, int s) {
  const StreamSlot slot = SlotOf(f, s);
  const atsfuzz_stream& stream = step.after.functions[f].streams[s];
  if (stream.route == ATSFUZZ_ROUTE_ABORT ||
      stream.route == ATSFUZZ_ROUTE_NO_TABLE ||
      step.machine.Canonical(slot) != slot || step.OwnerOf(slot) >= 0) {
    return;
  }
  // Firmware goes on using the reserved region of a function that was released.
  if (stream.route == ATSFUZZ_ROUTE_BYPASS &&
      step.machine.ListsReserved(f, stream.id)) {
    return;
  }
  ReportRoute(step, slot, "nothing (no probed function has it)", stream,
              "left behind");
}

void Attachment::CheckMaster(const StepView& step, int f, int s) {
  const StreamSlot slot = SlotOf(f, s);
  if (step.machine.Canonical(slot) != slot) return;
  const atsfuzz_stream& stream = step.after.functions[f].streams[s];
  const int owner = step.OwnerOf(slot);
  const int found = stream.master == ATSFUZZ_NONE ? -1 : stream.master;
  if (found == owner) return;
  Violation* v = step.findings.Report(Invariant::kStreamsResolve, slot);
  if (v == nullptr) return;
  const auto name = [&](int function) {
    if (function < 0) return std::string("no master");
    if (function >= step.machine.functions()) return std::string("a stray one");
    return absl::StrCat("the master of ", step.FunctionName(function));
  };
  v->message = absl::StrCat("Stream id 0x", absl::Hex(stream.id), " of ",
                            step.FunctionName(f), " leads to ", name(found),
                            " in the driver's stream tree, and must lead to ",
                            name(owner), ".");
  v->expected = name(owner);
  v->found = name(found);
  v->subject = {model::Fact::kStream, static_cast<uint8_t>(slot)};
  v->aspect = found < 0 ? "missing" : owner < 0 ? "left behind" : "another's";
}

void Attachment::CheckTags(const StepView& step) {
  std::array<uint8_t, ATSFUZZ_MAX_DOMAIN_SLOTS> live;
  int count = 0;
  for (int slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    const atsfuzz_domain& domain = step.after.domains[slot];
    if (!domain.exists || !domain.finalised || step.machine.IsNested(slot)) {
      continue;
    }
    for (int i = 0; i < count; ++i) {
      const atsfuzz_domain& other = step.after.domains[live[i]];
      if (other.tag != domain.tag || other.stage != domain.stage ||
          (domain.stage == 2 && other.smmu != domain.smmu)) {
        continue;
      }
      Violation* v = step.findings.Report(
          Invariant::kTagsUnique, live[i] * ATSFUZZ_MAX_DOMAIN_SLOTS + slot);
      if (v == nullptr) continue;
      const char* kind = domain.stage == 1 ? "ASID" : "VMID";
      v->message =
          absl::StrCat(step.DomainName(live[i]), " and ", step.DomainName(slot),
                       " both have ", kind, " ", domain.tag, ".");
      v->expected = absl::StrCat(kind, "s of live domains differ");
      v->found = absl::StrCat(domain.tag, " twice");
      v->aspect = kind;
    }
    live[count++] = static_cast<uint8_t>(slot);
  }
}

void Attachment::AtRest(const StepView& step) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    const bool probed = step.State(f).probed;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      if (probed) {
        CheckStream(step, f, s);
      } else {
        CheckUnowned(step, f, s);
      }
      CheckMaster(step, f, s);
    }
    CheckPasids(step, f);
  }
  CheckTags(step);
}

void Attachment::AtEnd(const StepView& step) {
  const auto report = [&](uint64_t subject, std::string message,
                          const std::string& found, const char* aspect,
                          model::Fact fact) {
    Violation* v = step.findings.Report(Invariant::kNoLeak, subject);
    if (v == nullptr) return;
    v->message = std::move(message);
    v->expected = "nothing left";
    v->found = found;
    v->subject = fact;
    v->aspect = step.Aspect(-1, aspect);
  };
  if (const uint32_t left = step.after.allocations; left != 0) {
    const std::string count = absl::StrCat(left);
    report(
        0,
        absl::StrCat(count, left == 1 ? " allocation is" : " allocations are",
                     " left after every domain was freed, every function "
                     "released and every SMMU removed."),
        count, "allocations", {});
  }
  if (const uint32_t left = step.after.stream_nodes; left != 0) {
    const std::string count = absl::StrCat(left);
    report(1,
           absl::StrCat(count, left == 1 ? " node is" : " nodes are",
                        " left in the stream trees after every function was "
                        "released."),
           count, "stream nodes", {});
  }
  for (int f = 0; f < step.machine.functions(); ++f) {
    const auto index = static_cast<uint8_t>(f);
    if (step.after.functions[f].ats) {
      report(0x100 + f,
             absl::StrCat("ATS of ", step.FunctionName(f),
                          " is on after its release."),
             "ATS on", "ATS on", {model::Fact::kAts, index});
    }
    if (step.after.functions[f].pasid) {
      report(0x200 + f,
             absl::StrCat("PASID of ", step.FunctionName(f),
                          " is on after its release."),
             "PASID on", "PASID on", {model::Fact::kPasid, index});
    }
  }
}

}  // namespace atsfuzz::properties
