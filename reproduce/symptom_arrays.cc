#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "reproduce/symptom_families.h"

// Symptoms of the invalidation arrays: properties/arrays.h.
namespace atsfuzz::reproduce {
namespace {

using properties::StepView;

// C: who is attached to the slot, nested ones to their parent, RIDs and PASIDs.
std::vector<std::string> AttachmentsOf(const StepView& step, int slot) {
  std::vector<std::string> attached;
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.RidAttachments(f, slot) != 0) {
      attached.push_back(absl::StrFormat("{ %d, 0 }", f));
    }
    for (const model::PasidState& state : step.PasidsOf(f)) {
      if (step.machine.CountedBy(state.domain.value) == slot) {
        attached.push_back(absl::StrFormat("{ %d, %d }", f, state.pasid));
      }
    }
  }
  return attached;
}

Symptom OfCover(const Sight& sight) {
  const StepView& step = sight.step;
  const int slot = sight.violation.subject.index;
  const std::vector<std::string> attached = AttachmentsOf(step, slot);
  const std::string table =
      attached.empty()
          ? ""
          : absl::StrCat("\tstatic const struct attachment attached[] = { ",
                         absl::StrJoin(attached, ", "), " };\n\n");
  return {.check = absl::StrCat(
              "\t/* Attached to ", step.DomainName(slot),
              attached.empty() ? ": nobody" : ": function, PASID", " */\n",
              table, "\tprint_array(", slot, ");\n",
              "\treturn seen.as_recorded && !array_covers(", slot, ", ",
              attached.empty() ? "NULL" : "attached", ", ", attached.size(),
              ", ", step.machine.IsNestingParent(slot) ? 1 : 0, ");\n"),
          .parts = {"array", "array_covers"}};
}

}  // namespace

Symptom SymptomOfArray(const Sight& sight) {
  if (sight.violation.invariant ==
      properties::Invariant::kArrayCoversAttachments) {
    return OfCover(sight);
  }
  const int slot = sight.violation.subject.index;
  return {
      .check = absl::StrCat("\tprint_array(", slot, ");\n",
                            "\treturn !array_is_well_formed(", slot, ");\n"),
      .parts = {"array", "array_form"}};
}

Symptom SymptomOfAgreement(const Sight& sight) {
  const int slot = sight.violation.subject.index;
  return {
      .check = absl::StrCat("\tprint_array(", slot, ");\n",
                            "\treturn !representations_agree(", slot, ");\n"),
      .parts = {"array", "agree"}};
}

}  // namespace atsfuzz::reproduce
