#include "model/schedule.h"

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {

std::string ToText(Actor actor) {
  return actor.is_smmu() ? absl::StrCat("s", actor.smmu())
                         : absl::StrCat("t", actor.thread() - 1);
}

std::string ToText(const Turn& turn) {
  std::string text = ToText(turn.actor);
  if (turn.step == Turn::kToTheEnd) return text;
  absl::StrAppend(&text, "@");
  if (turn.operation != 0) absl::StrAppend(&text, turn.operation + 1, ".");
  absl::StrAppend(&text, turn.step);
  return text;
}

}  // namespace atsfuzz::model
