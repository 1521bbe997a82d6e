#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "model/parse.h"

namespace atsfuzz::model {
namespace {

constexpr absl::string_view kHint =
    "t0@17: thread 0 up to its 17th access; t0@2.17: of its second operation; "
    "t0: to its end; t0@17+3: up to its third plain access after that; t0@17~: "
    "a weak turn; s0@3: s0 up to its third command; rcu@1: grace periods "
    "go on once";

absl::StatusOr<Actor> ParseActor(const Line& line, const Token& token,
                                 const Limits& limits) {
  if (token.text == "rcu") return Actor::Rcu();
  Token number = token;
  const bool smmu = absl::ConsumePrefix(&number.text, "s");
  const bool thread = !smmu && absl::ConsumePrefix(&number.text, "t");
  const int count = smmu ? limits.smmus : limits.threads;
  if (smmu || thread) {
    number.column = token.column + 1;
    const auto value =
        line.Number(number, 0, static_cast<uint32_t>(count - 1),
                    smmu ? absl::StrCat("s0 to s", count - 1, ", the SMMUs")
                         : absl::StrCat("t0 to t", count - 1, ", the threads"),
                    kHint);
    if (!value.ok()) return value.status();
    return smmu ? Actor::Smmu(static_cast<int>(*value))
                : Actor::Thread(static_cast<int>(*value) + 1);
  }
  return line.Error(token, "a thread, an SMMU or rcu", kHint);
}

}  // namespace

absl::StatusOr<Turn> ParseTurn(Line& line, const Limits& limits) {
  Token token = line.Next();
  const bool weak = absl::ConsumeSuffix(&token.text, "~");
  const size_t at = token.text.find('@');
  Token name = token;
  name.text = token.text.substr(0, at);
  absl::StatusOr<Actor> actor = ParseActor(line, name, limits);
  if (!actor.ok()) return actor.status();
  if (weak && !actor->is_thread()) {
    return line.Error(token, "a thread", "only a CPU has weak turns");
  }
  Turn turn{.actor = *actor, .weak = weak};
  if (at == absl::string_view::npos) return turn;
  Token step = token.From(at + 1);
  const size_t dot = step.text.find('.');
  if (dot != absl::string_view::npos && turn.actor.is_thread()) {
    Token operation = step;
    operation.text = step.text.substr(0, dot);
    // Texts count from 1, turns from 0.
    const auto number = line.Number(operation, 1, UINT8_MAX + 1,
                                    "the number of an operation", kHint);
    if (!number.ok()) return number.status();
    turn.operation = static_cast<uint8_t>(*number - 1);
    step = step.From(dot + 1);
  }
  const size_t plus = step.text.find('+');
  if (plus != absl::string_view::npos && turn.actor.is_thread()) {
    const auto plain = line.Number(step.From(plus + 1), 1, UINT8_MAX,
                                   "a number of plain accesses", kHint);
    if (!plain.ok()) return plain.status();
    turn.plain = static_cast<uint8_t>(*plain);
    step.text = step.text.substr(0, plus);
  }
  const auto number =
      line.Number(step, 0, Turn::kToTheEnd - 1, "the number of a step", kHint);
  if (!number.ok()) return number.status();
  turn.step = static_cast<uint16_t>(*number);
  return turn;
}

}  // namespace atsfuzz::model
