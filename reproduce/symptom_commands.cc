#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "properties/command.h"
#include "reproduce/symptom_families.h"

// Symptoms of the command queue: properties/invalidations.h and
// properties/command_order.h.
namespace atsfuzz::reproduce {
namespace {

using properties::StepView;

bool IsCommand(const atsfuzz_event& event) {
  return event.kind == ATSFUZZ_EVENT_COMMAND ||
         event.kind == ATSFUZZ_EVENT_COMMAND_HELD;
}

bool IsStore(const atsfuzz_event& event) {
  return event.kind == ATSFUZZ_EVENT_STE_WRITE ||
         event.kind == ATSFUZZ_EVENT_CD_WRITE;
}

std::string KindName(const atsfuzz_event& event) {
  switch (event.kind) {
    case ATSFUZZ_EVENT_COMMAND:
      return "ATSFUZZ_EVENT_COMMAND";
    case ATSFUZZ_EVENT_COMMAND_HELD:
      return "ATSFUZZ_EVENT_COMMAND_HELD";
    case ATSFUZZ_EVENT_STE_WRITE:
      return "ATSFUZZ_EVENT_STE_WRITE";
    default:
      return "ATSFUZZ_EVENT_CD_WRITE";
  }
}

// The program looks for the commands, and the stores if `stores`, up to event
// `last`, or all of them.
Symptom AsRecorded(const StepView& step, bool stores, int last) {
  std::vector<std::string> steps;
  for (size_t i = 0; i < step.events.size(); ++i) {
    const atsfuzz_event& event = step.events[i];
    if (last >= 0 && i > static_cast<size_t>(last)) break;
    if (IsCommand(event)) {
      steps.push_back(absl::StrFormat("\t\t{ %s, %d, 0, 0x%x, 0x%x },\n",
                                      KindName(event), event.smmu, event.a,
                                      event.b));
    } else if (stores && IsStore(event)) {
      steps.push_back(absl::StrFormat("\t\t{ %s, %d, 0x%x, %d, 0 },\n",
                                      KindName(event), event.smmu, event.stream,
                                      event.a));
    }
  }
  const std::string table =
      steps.empty() ? ""
                    : absl::StrCat("\tstatic const struct step steps[] = {\n",
                                   absl::StrJoin(steps, ""), "\t};\n\n");
  return {.check = absl::StrCat(table, "\treturn goes_as_recorded(",
                                steps.empty() ? "NULL" : "steps", ", ",
                                steps.size(), ", ", stores ? 1 : 0, ", ",
                                last >= 0 ? 1 : 0, ");\n"),
          .parts = {"commands", "recorded"},
          .weaker = absl::StrCat(
              "The program looks for the very commands ",
              stores ? "and stores " : "",
              "that broke the rule, in the order in which they came: a driver "
              "that breaks it by other ones passes.")};
}

// An ATC_INV beside a detach or a reset that has returned.
Symptom LateAtcInv(const Sight& sight, const atsfuzz_event& event) {
  const auto stream = static_cast<uint32_t>(event.a >> 32);
  const properties::StreamSlot slot =
      sight.step.machine.Find(event.smmu, stream);
  const Which which = WhichOf(sight);
  return {.check = absl::StrCat(
              which.declaration,
              absl::StrFormat("\treturn atc_inv_after_return(%d, 0x%x, %s);\n",
                              properties::FunctionOf(slot), stream,
                              which.arguments)),
          .parts = {"commands", "ats_bit", "returned", "late_atc_inv"}};
}

}  // namespace

Symptom SymptomOfInvalidation(const Sight& sight) {
  const int index = sight.violation.event;
  if (index < 0) return AsRecorded(sight.step, false, -1);
  const atsfuzz_event& event = sight.step.events[static_cast<size_t>(index)];
  if (sight.step.phase == StepView::kBlock) return LateAtcInv(sight, event);
  return {
      .check = absl::StrFormat("\treturn commanded(%d, 0x%x, 0x%x);\n",
                               event.smmu, event.a, event.b),
      .parts = {"commands", "commanded"},
      .weaker = "The program looks for the very command that is one too many."};
}

Symptom SymptomOfOrder(const Sight& sight) {
  const std::string& aspect = sight.violation.aspect;
  const int index = sight.violation.event;
  const atsfuzz_event& event = sight.step.events[static_cast<size_t>(index)];
  if (event.kind == ATSFUZZ_EVENT_SMMU_FAULT) {
    return {.check =
                absl::StrFormat("\treturn faulted(%d, 0x%x, 0x%x, %d);\n",
                                event.smmu, event.stream, event.a, event.pasid),
            .parts = {"fault"}};
  }
  if (event.kind == ATSFUZZ_EVENT_ILLEGAL_COMMAND) {
    return {.check = absl::StrFormat("\treturn refused(0x%x);\n",
                                     properties::OpcodeOf(event.a)),
            .parts = {"illegal"}};
  }
  if (aspect == "ATC_INV before CMD_SYNC") {
    return {.check = absl::StrFormat("\treturn atc_inv_before_sync(%d);\n",
                                     event.smmu),
            .parts = {"commands", "order"}};
  }
  if (aspect == "ATC_INV before TLBI") {
    return {.check = "\treturn atc_inv_before_tlbi();\n",
            .parts = {"commands", "order_tlbi"}};
  }
  if (aspect == "no CMD_SYNC") {
    return {.check = absl::StrFormat("\treturn ends_without_sync(%d);\n",
                                     event.smmu),
            .parts = {"commands", "no_sync"}};
  }
  // Of a store that nothing tells the SMMU of, the rest of the operation says
  // that; of one that comes too early, what came before.
  const bool untold = absl::StartsWith(aspect, "no CFGI");
  return AsRecorded(sight.step, true, untold ? -1 : index);
}

}  // namespace atsfuzz::reproduce
