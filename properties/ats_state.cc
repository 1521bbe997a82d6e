#include "properties/ats_state.h"

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {
namespace {

void ReportTranslation(const StepView& step, StreamSlot slot, int index,
                       const char* entry) {
  const int f = FunctionOf(slot);
  Violation* v = step.findings.Report(Invariant::kTranslationBeforeAts, f);
  if (v == nullptr) return;
  v->message = absl::StrCat("ATS of ", step.FunctionName(f),
                            " is on while the stream table entry of ",
                            step.StreamName(slot), " is ", entry,
                            ": its ATS requests and translated accesses are "
                            "refused.");
  v->expected = "ATS on only above EATS on";
  v->found = absl::StrCat("ATS on, entry ", entry);
  v->event = index;
  v->subject = {model::Fact::kSte, static_cast<uint8_t>(slot)};
  v->aspect = step.Aspect(f, index < 0 ? "at rest" : "");
}

}  // namespace

void AtsState::Begin() { any_interrupted_ = false; }

void AtsState::CheckTranslation(const StepView& step, const Replay& replay,
                                int f, int index) {
  for (int s = 0; s < step.machine.Streams(f); ++s) {
    const StreamSlot slot = SlotOf(f, s);
    const Entry& ste = replay.ste[step.machine.Canonical(slot)];
    if (TranslatesAts(ste)) continue;
    if (IsValid(ste)) {
      ReportTranslation(step, slot, index, ConfigName(ste));
      return;
    }
    // Legal if the replacement ends with EATS on: AtRest knows.
    if (!any_interrupted_) interrupted_.fill(-1);
    any_interrupted_ = true;
    if (interrupted_[slot] < 0) interrupted_[slot] = index;
  }
}

void AtsState::CloseWindows(const StepView& step, const Replay& replay) {
  for (StreamSlot slot = 0; slot < kStreamSlots; ++slot) {
    if (interrupted_[slot] >= 0 &&
        TranslatesAts(replay.ste[step.machine.Canonical(slot)])) {
      interrupted_[slot] = -1;
    }
  }
}

void AtsState::OnChange(const StepView& step, const Replay& replay, int index) {
  const atsfuzz_event& event = step.events[index];
  if (any_interrupted_) CloseWindows(step, replay);
  if (replay.ats == 0) return;
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (!replay.AtsOn(f)) continue;
    const bool concerned = event.kind == ATSFUZZ_EVENT_CONFIG_WRITE
                               ? event.function == f
                               : step.machine.SmmuOf(f) == event.smmu &&
                                     step.machine.Lists(f, event.stream);
    if (concerned) CheckTranslation(step, replay, f, index);
  }
}

void AtsState::OnConfigWrite(const StepView& step, const Replay& replay,
                             int index) {
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  if (event.a != ATSFUZZ_CONFIG_PASID_CONTROL || f >= ATSFUZZ_MAX_FUNCTIONS) {
    return;
  }
  const bool was = (event.b & 1) != 0, is = (event.c & 1) != 0;
  if (was == is || !replay.AtsOn(f)) return;
  Violation* v = step.findings.Report(Invariant::kPasidThenAts, f);
  if (v == nullptr) return;
  v->message = absl::StrCat("PASID of ", step.FunctionName(f), " is switched ",
                            OnOff(is), " while its ATS is on.");
  v->expected = "PASID changes only while ATS is off";
  v->found = absl::StrCat("PASID ", OnOff(was), " -> ", OnOff(is), ", ATS on");
  v->event = index;
  v->subject = {model::Fact::kPasid, static_cast<uint8_t>(f)};
  v->aspect = is ? "enabled" : "disabled";
}

void AtsState::CheckBelief(const StepView& step, int f) {
  const atsfuzz_function& function = step.after.functions[f];
  if (!function.probed || function.belief == function.ats) return;
  Violation* v = step.findings.Report(Invariant::kBeliefMatchesDevice, f);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("The driver believes that ATS of ", step.FunctionName(f),
                   " is ", OnOff(function.belief), ". The function says that ",
                   "it is ", OnOff(function.ats), ".");
  v->expected = "belief == function";
  v->found = absl::StrCat(OnOff(function.belief), ", ", OnOff(function.ats));
  v->subject = {model::Fact::kBelief, static_cast<uint8_t>(f)};
  v->aspect = function.belief ? "believed on" : "believed off";
}

void AtsState::CheckStu(const StepView& step, int f) {
  const Machine& machine = step.machine;
  if (!step.after.functions[f].ats || machine.SmmuOf(f) == ATSFUZZ_NONE) return;
  const int owner = machine.StuOwner(f);
  const int stu = step.after.functions[owner].stu;
  const int granule = machine.PageShift(machine.SmmuOf(f));
  if (stu == granule) return;
  Violation* v = step.findings.Report(Invariant::kStuMatchesGranule, f);
  if (v == nullptr) return;
  v->message =
      absl::StrCat("ATS of ", step.FunctionName(f), " is on with the ",
                   "STU of ", step.FunctionName(owner), ", ", stu,
                   ". The smallest granule of its SMMU is ", granule, ".");
  v->expected = absl::StrCat("STU == ", granule);
  v->found = absl::StrCat(stu);
  v->subject = {model::Fact::kAts, static_cast<uint8_t>(f)};
  v->aspect = stu == 0 ? "never written" : "";
}

void AtsState::CheckCount(const StepView& step, int slot) {
  const atsfuzz_domain& domain = step.after.domains[slot];
  if (!domain.exists || !domain.has_counter) return;
  int expected = 0;
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (!step.after.functions[f].ats) continue;
    expected += domain.attachments[f] + domain.pasid_attachments[f];
  }
  if (domain.nr_ats_masters == expected) return;
  Violation* v = step.findings.Report(Invariant::kCountMatchesDevices, slot);
  if (v == nullptr) return;
  v->message = absl::StrCat(
      "nr_ats_masters of ", step.DomainName(slot), " is ",
      domain.nr_ats_masters, ". ", expected, " of its attachments ",
      expected == 1 ? "is" : "are", " to a function whose ATS is on.");
  v->expected = absl::StrCat(expected);
  v->found = absl::StrCat(domain.nr_ats_masters);
  v->subject = {model::Fact::kCounter, static_cast<uint8_t>(slot)};
  v->aspect = step.Aspect(-1, domain.nr_ats_masters < 0          ? "negative"
                              : domain.nr_ats_masters > expected ? "too high"
                                                                 : "too low");
}

void AtsState::AtRest(const StepView& step) {
  const Machine& machine = step.machine;
  for (int f = 0; f < machine.functions(); ++f) {
    CheckBelief(step, f);
    CheckStu(step, f);
    const atsfuzz_function& function = step.after.functions[f];
    for (int s = 0; s < machine.Streams(f); ++s) {
      const StreamSlot slot = SlotOf(f, s);
      const atsfuzz_stream& stream = function.streams[s];
      if (any_interrupted_ && interrupted_[slot] >= 0 && !stream.eats) {
        ReportTranslation(step, slot, interrupted_[slot],
                          "V=0 and not replaced by one with EATS on");
      } else if (function.ats && !stream.eats) {
        ReportTranslation(step, slot, -1, RouteName(stream.route));
      }
    }
  }
  for (int slot = 0; slot < machine.domains(); ++slot) CheckCount(step, slot);
  for (int f = 0; f < machine.functions(); ++f) {
    CheckCount(step, ATSFUZZ_MAX_DOMAINS + f);
    CheckCount(step, ATSFUZZ_FIRST_BLOCKING + f);
  }
}

}  // namespace atsfuzz::properties
