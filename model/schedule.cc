#include "model/schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {

std::string ToText(Actor actor) {
  if (actor.is_rcu()) return "rcu";
  return actor.is_smmu() ? absl::StrCat("s", actor.smmu())
                         : absl::StrCat("t", actor.thread() - 1);
}

std::string ToText(const Turn& turn) {
  std::string text = ToText(turn.actor);
  if (turn.step != Turn::kToTheEnd) {
    absl::StrAppend(&text, "@");
    if (turn.operation != 0) absl::StrAppend(&text, turn.operation + 1, ".");
    absl::StrAppend(&text, turn.step);
    if (turn.plain != 0) absl::StrAppend(&text, "+", turn.plain);
  }
  if (turn.weak) text += "~";
  return text;
}

bool HasWeakTurns(const Schedule& schedule) {
  return std::any_of(schedule.begin(), schedule.end(),
                     [](const Turn& turn) { return turn.weak; });
}

bool StopsAtPlainAccesses(const Schedule& schedule) {
  return std::any_of(schedule.begin(), schedule.end(),
                     [](const Turn& turn) { return turn.plain != 0; });
}

bool MovesRcu(const Schedule& schedule) {
  return std::any_of(schedule.begin(), schedule.end(),
                     [](const Turn& turn) { return turn.actor.is_rcu(); });
}

}  // namespace atsfuzz::model
