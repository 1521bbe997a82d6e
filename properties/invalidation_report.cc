#include "properties/invalidation_report.h"

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {

std::string Text(const Range& range) {
  return absl::StrCat("[0x", absl::Hex(range.start), ", 0x",
                      absl::Hex(range.end), ")");
}

std::string Text(const StepView& step) {
  return absl::StrCat("`", ToText(step.machine.topology(), *step.operation),
                      "`");
}

void ReportInvalidation(const StepView& step, uint64_t subject, int event,
                        model::Fact fact, InvalidationWords words) {
  Violation* v = step.findings.Report(Invariant::kInvalidationsExact, subject);
  if (v == nullptr) return;
  v->message = std::move(words.message);
  v->expected = std::move(words.expected);
  v->found = std::move(words.found);
  v->event = event;
  v->subject = fact;
  v->aspect = step.Aspect(fact.kind == model::Fact::kBelief ? fact.index : -1,
                          words.aspect);
}

int FunctionOfStream(const StepView& step, int smmu, uint32_t stream) {
  if (step.operation != nullptr &&
      model::ShapeOf(step.operation->kind).function) {
    const int f = step.operation->function.value;
    if (step.machine.SmmuOf(f) == smmu && step.machine.Lists(f, stream)) {
      return f;
    }
  }
  const StreamSlot slot = step.machine.Find(smmu, stream);
  return slot < 0 ? -1 : step.OwnerOf(slot);
}

}  // namespace atsfuzz::properties
