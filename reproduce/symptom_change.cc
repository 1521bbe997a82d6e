#include "absl/strings/str_format.h"
#include "reproduce/symptom_families.h"

// Symptoms of an operation that failed and changed something all the same:
// properties/entries.h.
namespace atsfuzz::reproduce {
namespace {

using model::Fact;

// C: what is asked, over `seen.before` and `seen.now`, and its part.
struct Changed {
  std::string condition;
  const char* part = nullptr;
};

std::string Differs(const std::string& member) {
  return absl::StrFormat("seen.before.%s != seen.now->%s", member, member);
}

// The attachments of all functions to all domains: the violation's own pair
// stands in its words alone.
Changed AttachmentsChanged(bool of_pasids) {
  return {absl::StrFormat("attachments_changed(%d)", of_pasids ? 1 : 0),
          "changed_attachments"};
}

Changed ChangedOf(const properties::Violation& violation) {
  const int index = violation.subject.index;
  const int function = properties::FunctionOf(index);
  const int stream = properties::StreamOf(index);
  switch (violation.subject.kind) {
    case Fact::kBelief:
      return {Differs(absl::StrFormat("functions[%d].belief", index))};
    case Fact::kAts:
      return {Differs(absl::StrFormat("functions[%d].ats", index))};
    case Fact::kPasid:
      return {Differs(absl::StrFormat("functions[%d].pasid", index))};
    case Fact::kCounter:
      return {Differs(absl::StrFormat("domains[%d].nr_ats_masters", index))};
    case Fact::kArray:
      return {absl::StrFormat("live_entries_changed(%d)", index),
              "changed_array"};
    case Fact::kSte:
      if (violation.aspect == "context descriptor") {
        return {absl::StrFormat("cd_changed(%d, %d)", function, stream),
                "changed_cd"};
      }
      if (violation.aspect == "PASID context descriptors") {
        return {absl::StrFormat("pasids_changed(%d)", function),
                "changed_pasids"};
      }
      return {absl::StrFormat("entry_changed(%d, %d)", function, stream),
              "changed"};
    default:
      if (violation.aspect == "attachments") return AttachmentsChanged(false);
      if (violation.aspect == "PASID attachments") {
        return AttachmentsChanged(true);
      }
      return {Differs(absl::StrFormat("functions[%d].probed", index))};
  }
}

}  // namespace

Symptom SymptomOfChange(const Sight& sight) {
  const Changed changed = ChangedOf(sight.violation);
  Symptom symptom = {
      .check = absl::StrFormat(
          "\tint changed = %s;\n\n"
          "\tprintf(\"  found: it returned %%d, and what it concerns is %%s "
          "as before\\n\", ran[CALLS - 1].result,\n"
          "\t       changed ? \"not\" : \"still\");\n"
          "\treturn ran[CALLS - 1].result < 0 && changed;\n",
          changed.condition)};
  if (changed.part != nullptr) symptom.parts.emplace_back(changed.part);
  return symptom;
}

}  // namespace atsfuzz::reproduce
