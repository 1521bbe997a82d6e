#include "reproduce/symptom.h"

#include <cassert>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "reproduce/symptom_families.h"

namespace atsfuzz::reproduce {
namespace {

using properties::Invariant;
using properties::Violation;

const atsfuzz_event* EventOf(const Sight& sight) {
  const int event = sight.violation.event;
  return event < 0 ? nullptr : &sight.step.events[static_cast<size_t>(event)];
}

std::string Quoted(const char* text) {
  return absl::StrCat("\"", absl::CEscape(text == nullptr ? "" : text), "\"");
}

// An event tells it, by its kind, function and text.
Symptom OfEvent(const Sight& sight, const char* kind) {
  const atsfuzz_event* event = EventOf(sight);
  assert(event != nullptr);
  return {.check = absl::StrCat("\treturn happened(", kind, ", ",
                                Quoted(event->kernel_function), ",\n\t\t\t",
                                Quoted(event->text), ");\n"),
          .parts = {"events"}};
}

Symptom OfProgress(const Sight& sight) {
  const atsfuzz_event* event = EventOf(sight);
  if (event == nullptr) {
    return {.check = absl::StrCat("\treturn ended_in(",
                                  absl::AsciiStrToUpper(sight.violation.aspect),
                                  ");\n"),
            .parts = {"stuck"}};
  }
  return OfEvent(sight, event->kind == ATSFUZZ_EVENT_OVERFLOW
                            ? "ATSFUZZ_EVENT_OVERFLOW"
                            : "ATSFUZZ_EVENT_TIMEOUT");
}

Symptom OfBelief(const Violation& violation) {
  return {.check = absl::StrFormat(
              "\tconst struct atsfuzz_function *function = "
              "&seen.now->functions[%d];\n\n"
              "\tprintf(\"  found: the driver believes that ATS of %%s is "
              "%%s, the function says %%s\\n\",\n"
              "\t       machine.functions[%d].name, function->belief ? \"on\" "
              ": \"off\",\n"
              "\t       function->ats ? \"on\" : \"off\");\n"
              "\treturn function->probed && function->belief != "
              "function->ats;\n",
              violation.subject.index, violation.subject.index)};
}

Symptom OfCount(const Sight& sight) {
  const int slot = sight.violation.subject.index;
  return {
      .check = absl::StrFormat(
          "\t/* %s */\n"
          "\tconst struct atsfuzz_domain *domain = &seen.now->domains[%d];\n"
          "\tint devices = 0;\n"
          "\tuint32_t f;\n\n"
          "\tfor (f = 0; f < machine.function_count; f++)\n"
          "\t\tif (seen.now->functions[f].ats)\n"
          "\t\t\tdevices += domain->attachments[f] + "
          "domain->pasid_attachments[f];\n"
          "\tprintf(\"  found: nr_ats_masters is %%d, and %%d attachments are "
          "of functions with ATS on\\n\",\n"
          "\t       domain->nr_ats_masters, devices);\n"
          "\treturn domain->exists && domain->has_counter && "
          "domain->nr_ats_masters != devices;\n",
          sight.step.DomainName(slot), slot)};
}

Symptom OfStu(const Sight& sight) {
  const properties::Machine& machine = sight.step.machine;
  const int f = sight.violation.subject.index;
  return {.check = absl::StrFormat(
              "\tunsigned int stu = seen.now->functions[%d].stu;\n\n"
              "\tprintf(\"  found: ATS of %%s is %%s, the STU that counts is "
              "%%u; the smallest granule is %d\\n\",\n"
              "\t       machine.functions[%d].name, "
              "seen.now->functions[%d].ats ? \"on\" : \"off\", stu);\n"
              "\treturn seen.now->functions[%d].ats && stu != %d;\n",
              machine.StuOwner(f), machine.PageShift(machine.SmmuOf(f)), f, f,
              f, machine.PageShift(machine.SmmuOf(f)))};
}

Symptom OfStaleAtc(const Sight& sight) {
  const atsfuzz_atc_entry& entry = sight.step.after.atc[sight.violation.entry];
  return {.check = absl::StrFormat("\treturn atc_holds(%d, %d, 0x%x, 0x%x);\n",
                                   entry.function, entry.pasid, entry.iova,
                                   entry.physical),
          .parts = {"atc"}};
}

Symptom OfStaleIotlb(const Sight& sight) {
  const atsfuzz_iotlb_entry& entry =
      sight.step.after.iotlb[sight.violation.entry];
  return {.check = absl::StrFormat(
              "\treturn iotlb_holds(%d, %d, 0x%x, 0x%x);\n", entry.smmu,
              entry.stage, entry.iova, entry.physical),
          .parts = {"iotlb"}};
}

Symptom OfDma(const Sight& sight) {
  const atsfuzz_event& event = *EventOf(sight);
  const Which which = WhichOf(sight);
  return {.check = absl::StrCat(
              which.declaration,
              absl::StrFormat("\treturn dma_reached(%d, %d, 0x%x, 0x%x, %s);\n",
                              event.function, event.pasid, event.a, event.b,
                              which.arguments)),
          .parts = {"returned", "dma"}};
}

Symptom OfTranslation(const Sight& sight) {
  const int slot = sight.violation.subject.index;
  return {.check = absl::StrFormat("\treturn ats_on_without_eats(%d, %d);\n",
                                   properties::FunctionOf(slot),
                                   properties::StreamOf(slot)),
          .parts = {"entry", "ats_bit", "translation"}};
}

Symptom OfHitless(const Sight& sight) {
  const int slot = sight.violation.subject.index;
  const properties::Machine& machine = sight.step.machine;
  return {
      .check = absl::StrFormat("\treturn passes_through_invalid(%d, 0x%x);\n",
                               machine.SmmuOf(properties::FunctionOf(slot)),
                               machine.StreamId(slot)),
      .parts = {"hitless"}};
}

Symptom OfTags(const Sight& sight) {
  std::vector<std::string> nested;
  for (int slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    if (sight.step.machine.IsNested(slot)) {
      nested.push_back(absl::StrCat("[", slot, "] = 1"));
    }
  }
  if (nested.empty()) nested = {"0"};
  return {.check = absl::StrCat(
              "\tstatic const uint8_t nested[ATSFUZZ_MAX_DOMAIN_SLOTS] = { ",
              absl::StrJoin(nested, ", "), " };\n\n",
              "\treturn tag_twice(nested);\n"),
          .parts = {"tags"}};
}

Symptom OfLeak(const Violation& violation) {
  using model::Fact;
  if (violation.subject.kind == Fact::kAts ||
      violation.subject.kind == Fact::kPasid) {
    const char* bit = violation.subject.kind == Fact::kAts ? "ats" : "pasid";
    return {.check = absl::StrFormat(
                "\tprintf(\"  found: %s of %%s is %%d after its release\\n\", "
                "machine.functions[%d].name,\n"
                "\t       seen.now->functions[%d].%s);\n"
                "\treturn seen.now->functions[%d].%s;\n",
                bit, violation.subject.index, violation.subject.index, bit,
                violation.subject.index, bit)};
  }
  return {.check =
              "\tprintf(\"  found: %u allocations and %u stream nodes are left "
              "behind\\n\",\n"
              "\t       seen.now->allocations, seen.now->stream_nodes);\n"
              "\treturn seen.now->allocations || seen.now->stream_nodes;\n"};
}

Symptom OfRace(const Sight& sight) {
  return {.check = absl::StrCat("\treturn races(", EventOf(sight)->b, ");\n"),
          .parts = {"race"},
          .weaker =
              "The program does not know lines of source: any two accesses of "
              "this kind (which of them writes, which is plain) count."};
}

}  // namespace

Which WhichOf(const Sight& sight) {
  if (sight.returned.empty()) return {"", "NULL, 0"};
  return {absl::StrCat("\tstatic const unsigned int which[] = { ",
                       absl::StrJoin(sight.returned, ", "), " };\n\n"),
          absl::StrCat("which, ", sight.returned.size())};
}

Symptom SymptomOf(const Sight& sight) {
  const Violation& violation = sight.violation;
  switch (violation.invariant) {
    case Invariant::kNoWarning:
      return OfEvent(sight, "ATSFUZZ_EVENT_WARN");
    case Invariant::kMemorySafe:
      return OfEvent(sight, "ATSFUZZ_EVENT_MEMORY_ERROR");
    case Invariant::kBeliefMatchesDevice:
      return OfBelief(violation);
    case Invariant::kCountMatchesDevices:
      return OfCount(sight);
    case Invariant::kArrayCoversAttachments:
    case Invariant::kArrayWellFormed:
      return SymptomOfArray(sight);
    case Invariant::kRepresentationsAgree:
      return SymptomOfAgreement(sight);
    case Invariant::kTranslationBeforeAts:
      return OfTranslation(sight);
    case Invariant::kHitlessWherePromised:
      return OfHitless(sight);
    case Invariant::kNoStaleAtc:
      return OfStaleAtc(sight);
    case Invariant::kNoStaleIotlb:
      return OfStaleIotlb(sight);
    case Invariant::kNoDmaAfterUnmap:
      return OfDma(sight);
    case Invariant::kInvalidationsExact:
      return SymptomOfInvalidation(sight);
    case Invariant::kCommandsInOrder:
      return SymptomOfOrder(sight);
    case Invariant::kFailedOperationChangesNothing:
      return SymptomOfChange(sight);
    case Invariant::kAttachmentAsReturned:
      return SymptomOfAttachment(sight);
    case Invariant::kStreamsResolve:
      return SymptomOfMaster(sight);
    case Invariant::kPasidThenAts:
      return {.check = absl::StrCat("\treturn pasid_changes_under_ats(",
                                    violation.subject.index, ");\n"),
              .parts = {"ats_bit", "pasid"}};
    case Invariant::kStuMatchesGranule:
      return OfStu(sight);
    case Invariant::kTagsUnique:
      return OfTags(sight);
    case Invariant::kNoLeak:
      return OfLeak(violation);
    case Invariant::kLockDiscipline:
      return OfEvent(sight, "ATSFUZZ_EVENT_LOCK_RULE");
    case Invariant::kProgress:
      return OfProgress(sight);
    case Invariant::kDataRace:
      return OfRace(sight);
  }
  assert(false && "an invariant");
  return {};
}

}  // namespace atsfuzz::reproduce
