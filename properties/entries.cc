#include "properties/entries.h"

#include <cstring>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {
namespace {

// What an operation that failed has changed.
void ReportChange(const StepView& step, uint64_t subject, model::Fact fact,
                  const std::string& what, const std::string& was,
                  const std::string& is, const char* aspect) {
  Violation* v =
      step.findings.Report(Invariant::kFailedOperationChangesNothing, subject);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("`", ToText(step.machine.topology(), *step.operation),
                   "` failed (", step.result, ") but changed ", what, ".");
  v->expected = was;
  v->found = is;
  v->subject = fact;
  v->aspect = aspect;
}

bool SameRoute(const atsfuzz_stream& a, const atsfuzz_stream& b) {
  if (a.route == ATSFUZZ_ROUTE_NO_TABLE && b.route == ATSFUZZ_ROUTE_ABORT) {
    return true;
  }
  return a.route == b.route && std::memcmp(a.ste, b.ste, sizeof a.ste) == 0;
}

bool SamePasids(const atsfuzz_function& a, const atsfuzz_function& b) {
  if (a.substream_count != b.substream_count) return false;
  for (int i = 0; i < a.substream_count; ++i) {
    bool found = false;
    for (int j = 0; j < b.substream_count && !found; ++j) {
      found = a.substreams[i].pasid == b.substreams[j].pasid &&
              a.substreams[i].asid == b.substreams[j].asid &&
              a.substreams[i].table == b.substreams[j].table;
    }
    if (!found) return false;
  }
  return true;
}

std::span<const atsfuzz_inv> EntriesOf(const atsfuzz_observation& of,
                                       const atsfuzz_domain& domain) {
  if (!domain.has_array || domain.num_invs == 0) return {};
  return {of.invs + domain.inv_first, domain.num_invs};
}

// Trash aside.
bool SameArray(std::span<const atsfuzz_inv> a, std::span<const atsfuzz_inv> b) {
  size_t i = 0, j = 0;
  while (true) {
    while (i < a.size() && !IsLive(a[i])) ++i;
    while (j < b.size() && !IsLive(b[j])) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (a[i].smmu != b[j].smmu || a[i].type != b[j].type ||
        a[i].id != b[j].id || a[i].users != b[j].users ||
        (IsAts(a[i]) && a[i].ssid != b[j].ssid)) {
      return false;
    }
    ++i, ++j;
  }
}

bool SameCd(const atsfuzz_stream& a, const atsfuzz_stream& b) {
  if (a.route != ATSFUZZ_ROUTE_STAGE1) return true;
  return a.cd_valid == b.cd_valid &&
         (!a.cd_valid || std::memcmp(a.cd, b.cd, sizeof a.cd) == 0);
}

}  // namespace

void Entries::OnSteWrite(const StepView& step, const Replay& replay,
                         int index) {
  const atsfuzz_event& event = step.events[index];
  if (event.a != 0 || ((event.b ^ event.c) & 1) == 0) return;
  const StreamSlot slot = step.machine.Find(event.smmu, event.stream);
  if (slot < 0) return;
  Window& window = windows_[slot];
  if ((event.c & 1) == 0) {
    window.event = index;
    window.before = replay.ste[slot];
    window.before[0] = event.b;
    return;
  }
  if (window.event < 0) return;  // it was invalid before the operation
  const int opened = window.event;
  window.event = -1;
  Entry now = replay.ste[slot];
  now[0] = event.c;
  if (!HitlessIsPromised(window.before, now)) return;
  Violation* v = step.findings.Report(Invariant::kHitlessWherePromised, slot);
  if (v == nullptr) return;
  v->message = absl::StrCat("The stream table entry of ", step.StreamName(slot),
                            " passed through V=0 on its way from ",
                            ConfigName(window.before), " to ", ConfigName(now),
                            ", though one 64-bit store is enough.");
  v->expected = "V=1 throughout";
  v->found = "V=0";
  v->event = opened;
  v->subject = {model::Fact::kSte, static_cast<uint8_t>(slot)};
}

void Entries::CheckStream(const StepView& step, int f, int s) {
  const StreamSlot slot = SlotOf(f, s);
  if (step.machine.Canonical(slot) != slot) return;
  const atsfuzz_stream& was = step.before.functions[f].streams[s];
  const atsfuzz_stream& is = step.after.functions[f].streams[s];
  const model::Fact fact = {model::Fact::kSte, static_cast<uint8_t>(slot)};
  // A failed probe ends with a release, which leaves the function that needs a
  // reserved region in bypass.
  const bool left_in_bypass = is.route == ATSFUZZ_ROUTE_BYPASS &&
                              step.OwnerOf(slot) < 0 &&
                              step.machine.ListsReserved(f, is.id);
  if (!SameRoute(was, is) && !left_in_bypass) {
    ReportChange(
        step, slot, fact,
        absl::StrCat("the stream table entry of ", step.StreamName(slot)),
        RouteName(was.route), RouteName(is.route), "entry");
  } else if (!SameCd(was, is)) {
    ReportChange(
        step, slot, fact,
        absl::StrCat("the context descriptor of ", step.StreamName(slot)),
        absl::StrCat("ASID ", was.asid), absl::StrCat("ASID ", is.asid),
        "context descriptor");
  }
}

void Entries::CheckFunction(const StepView& step, int f) {
  const atsfuzz_function& was = step.before.functions[f];
  const atsfuzz_function& is = step.after.functions[f];
  const auto compare = [&](int kind, const char* what, bool before, bool after,
                           model::Fact::Kind fact) {
    if (before == after) return;
    ReportChange(step, 0x100 + f * 8 + kind, {fact, static_cast<uint8_t>(f)},
                 absl::StrCat(what, " of ", step.FunctionName(f)),
                 OnOff(before), OnOff(after), what);
  };
  compare(0, "the driver's record", was.probed, is.probed, model::Fact::kNone);
  compare(1, "the driver's belief in ATS", was.belief, is.belief,
          model::Fact::kBelief);
  compare(2, "the ATS enable bit", was.ats, is.ats, model::Fact::kAts);
  compare(3, "the PASID enable bit", was.pasid, is.pasid, model::Fact::kPasid);
  for (int s = 0; s < step.machine.Streams(f); ++s) CheckStream(step, f, s);
  if (!SamePasids(was, is)) {
    ReportChange(step, 0x600 + f,
                 {model::Fact::kSte, static_cast<uint8_t>(SlotOf(f, 0))},
                 absl::StrCat("the context descriptors of PASIDs of ",
                              step.FunctionName(f)),
                 absl::StrCat(was.substream_count, " PASIDs"),
                 absl::StrCat(is.substream_count, " PASIDs"),
                 "PASID context descriptors");
  }
}

void Entries::CheckDomain(const StepView& step, int slot) {
  const atsfuzz_domain& was = step.before.domains[slot];
  const atsfuzz_domain& is = step.after.domains[slot];
  if (!was.exists || !is.exists) return;
  if (was.nr_ats_masters != is.nr_ats_masters) {
    ReportChange(step, 0x200 + slot,
                 {model::Fact::kCounter, static_cast<uint8_t>(slot)},
                 absl::StrCat("nr_ats_masters of ", step.DomainName(slot)),
                 absl::StrCat(was.nr_ats_masters),
                 absl::StrCat(is.nr_ats_masters), "counter");
  }
  if (!SameArray(EntriesOf(step.before, was), EntriesOf(step.after, is))) {
    ReportChange(step, 0x400 + slot,
                 {model::Fact::kArray, static_cast<uint8_t>(slot)},
                 absl::StrCat("the live entries of the invalidation array of ",
                              step.DomainName(slot)),
                 "the live entries as before", "others", "array");
  }
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (was.pasid_attachments[f] != is.pasid_attachments[f]) {
      ReportChange(
          step, 0x500 + slot * ATSFUZZ_MAX_FUNCTIONS + f, {},
          absl::StrCat("the PASID attachments of ", step.FunctionName(f),
                       " to ", step.DomainName(slot)),
          absl::StrCat(was.pasid_attachments[f]),
          absl::StrCat(is.pasid_attachments[f]), "PASID attachments");
    }
    if (was.attachments[f] == is.attachments[f]) continue;
    ReportChange(step, 0x300 + slot * ATSFUZZ_MAX_FUNCTIONS + f, {},
                 absl::StrCat("the attachments of ", step.FunctionName(f),
                              " to ", step.DomainName(slot)),
                 absl::StrCat(was.attachments[f]),
                 absl::StrCat(is.attachments[f]), "attachments");
  }
}

void Entries::AtRest(const StepView& step) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      windows_[SlotOf(f, s)].event = -1;
    }
  }
  if (step.operation == nullptr || step.result >= 0 ||
      model::ShapeOf(step.operation->kind).must_succeed ||
      step.must_succeed_failed) {
    return;
  }
  for (int f = 0; f < step.machine.functions(); ++f) CheckFunction(step, f);
  for (int slot = 0; slot < step.machine.domains(); ++slot) {
    CheckDomain(step, slot);
  }
  for (int f = 0; f < step.machine.functions(); ++f) {
    CheckDomain(step, ATSFUZZ_MAX_DOMAINS + f);
    CheckDomain(step, ATSFUZZ_FIRST_BLOCKING + f);
  }
}

}  // namespace atsfuzz::properties
