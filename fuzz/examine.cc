#include "fuzz/examine.h"

#include <string>

#include "fuzz/child.h"
#include "fuzz/crash.h"

namespace atsfuzz::fuzz {
namespace {

using model::Scenario;

// Whether `side` alone dies in turn `turn` of the scenario, too.
bool DiesToo(const LoadPair& load, const Scenario& scenario, uint64_t turn,
             Side side) {
  const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
    const auto systems = Load(load);
    if (!systems.ok()) return;
    link.Begin(0);
    model::System& system =
        side == Side::kLeft ? *systems->left : *systems->right;
    const bool dies = DiesAlone(scenario, turn, systems->capabilities(), system,
                                [&link](uint64_t now) { link.Part(now); });
    if (dies) link.Send("dies");
  });
  const bool said = !child->ReceiveAll(kRunTimeoutMs).empty();
  return child->finished() ? said : child->part() == turn;
}

std::string DeathText(const Death& death) {
  if (death.hung) return "hangs";
  return "crashes with signal " + std::to_string(death.signal);
}

Difference DeathDifference(const Scenario& scenario, uint64_t part,
                           const Death& death) {
  const uint64_t turn = TurnOf(part);
  const bool is_operation = turn > 0 && turn <= scenario.operations.size();
  const model::Operation* operation =
      is_operation ? &scenario.operations[turn - 1] : nullptr;
  const bool is_left = SideOf(part) == Side::kLeft;
  const std::string dies = DeathText(death), lives = "lives on";
  Difference difference =
      MakeDifference(ObservedKind::kDeath, operation, "the kernel",
                     is_left ? dies : lives, is_left ? lives : dies);
  difference.operation = turn == 0 ? 0 : turn - 1;
  difference.at_boot = turn == 0;
  (is_left ? difference.left_stack : difference.right_stack) =
      Symbolize(death.stack);
  return difference;
}

}  // namespace

absl::Status Systems::Fit(const Scenario& scenario) const {
  for (const model::System* system : {left.get(), right.get()}) {
    absl::Status status =
        Fits(system->capabilities(), system->name(), scenario.topology);
    for (const model::Operation& operation : scenario.operations) {
      if (!status.ok()) return status;
      status = Fits(system->capabilities(), system->name(), scenario.topology,
                    operation);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<Systems> Load(const LoadPair& load) {
  Systems systems;
  auto left = load.left();
  if (!left.ok()) return left.status();
  auto right = load.right();
  if (!right.ok()) return right.status();
  systems.left = *std::move(left);
  systems.right = *std::move(right);
  return systems;
}

std::optional<Difference> Examine(const LoadPair& load,
                                  const Scenario& scenario) {
  const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
    const auto systems = Load(load);
    if (!systems.ok() || !systems->Fit(scenario).ok()) return;
    link.Begin(0);
    const auto result =
        RunLockstep(scenario, *systems->left, *systems->right,
                    {.drop_impossible = true,
                     .entering = [&link](uint64_t turn, Side side) {
                       link.Part(PartOf(turn, side));
                     }});
    if (result.ok() && result->difference) {
      link.Send(Serialize(*result->difference));
    }
  });
  const auto lines = child->ReceiveAll(kRunTimeoutMs);
  if (child->finished()) {
    if (lines.empty()) return std::nullopt;
    return ParseDifference(lines.front());
  }
  const uint64_t turn = TurnOf(child->part());
  const Side other =
      SideOf(child->part()) == Side::kLeft ? Side::kRight : Side::kLeft;
  if (DiesToo(load, scenario, turn, other)) return std::nullopt;
  return DeathDifference(scenario, child->part(), child->death());
}

}  // namespace atsfuzz::fuzz
