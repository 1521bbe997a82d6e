#include <algorithm>

#include "fuzz/shrink_cost.h"
#include "fuzz/shrink_moves.h"

// Moves on the sequence of operations.
namespace atsfuzz::fuzz {

using model::Operation;
using model::OperationKind;
using model::Scenario;

namespace {

// The turns of the operation at `index` go to the one after it in its thread.
void ForgetTurns(size_t index, Scenario* scenario) {
  const uint8_t thread = scenario->operations[index].thread;
  if (thread == 0) return;
  uint8_t ordinal = 0;
  for (size_t i = index; i > 0 && scenario->operations[i - 1].thread == thread;
       --i) {
    ++ordinal;
  }
  for (model::Turn& turn : scenario->schedule) {
    if (turn.actor != model::Actor::Thread(thread)) continue;
    if (turn.operation > ordinal) {
      --turn.operation;
    } else if (turn.operation == ordinal &&
               turn.step != model::Turn::kToTheEnd) {
      turn.step = 0;
    }
  }
}

Scenario WithoutRange(const Scenario& scenario, size_t begin, size_t end) {
  Scenario result = scenario;
  for (size_t i = end; i > begin; --i) ForgetTurns(i - 1, &result);
  result.operations.erase(
      result.operations.begin() + static_cast<ptrdiff_t>(begin),
      result.operations.begin() + static_cast<ptrdiff_t>(end));
  return result;
}

}  // namespace

// From the end: what comes after the failure goes first.
bool DropChunks(const Scenario& scenario, const Attempt& attempt) {
  const size_t count = scenario.operations.size();
  for (size_t chunk = std::max<size_t>(count / 2, 1); chunk >= 1; chunk /= 2) {
    for (size_t end = count; end >= chunk; end -= chunk) {
      if (attempt(WithoutRange(scenario, end - chunk, end))) return true;
      if (end < 2 * chunk && end > chunk) {
        if (attempt(WithoutRange(scenario, 0, end - chunk))) return true;
      }
    }
    if (chunk == 1) break;
  }
  return false;
}

bool DropPairs(const Scenario& scenario, const Attempt& attempt) {
  const size_t count = scenario.operations.size();
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i + 1; j < count; ++j) {
      if (attempt(WithoutRange(WithoutRange(scenario, j, j + 1), i, i + 1))) {
        return true;
      }
    }
  }
  return false;
}

bool FoldSetDefault(const Scenario& scenario, const Attempt& attempt) {
  for (size_t i = 0; i < scenario.operations.size(); ++i) {
    const Operation& operation = scenario.operations[i];
    if (operation.kind != OperationKind::kSetDefault) continue;
    Scenario folded = WithoutRange(scenario, i, i + 1);
    const uint16_t group =
        model::MembersOf(scenario.topology, operation.function);
    for (size_t f = 0; f < folded.topology.functions.size(); ++f) {
      if (group >> f & 1) {
        folded.topology.functions[f].default_domain = operation.default_domain;
      }
    }
    if (attempt(folded)) return true;
  }
  return false;
}

bool ReplaceOperations(const Scenario& scenario, const Attempt& attempt) {
  const std::vector<Operation> alphabet = Alphabet(scenario);
  for (size_t i = 0; i < scenario.operations.size(); ++i) {
    const Operation& old = scenario.operations[i];
    for (Operation other : alphabet) {
      other.faults = old.faults;
      if (CostOf(other) > CostOf(old)) continue;
      Scenario replaced = scenario;
      replaced.operations[i] = other;
      if (attempt(replaced)) return true;
    }
  }
  return false;
}

bool MoveOperations(const Scenario& scenario, const Attempt& attempt) {
  const size_t count = scenario.operations.size();
  for (size_t from = 0; from < count; ++from) {
    for (size_t to = 0; to < count; ++to) {
      if (from == to) continue;
      Scenario moved = WithoutRange(scenario, from, from + 1);
      moved.operations.insert(
          moved.operations.begin() + static_cast<ptrdiff_t>(to),
          scenario.operations[from]);
      if (attempt(moved)) return true;
    }
  }
  return false;
}

}  // namespace atsfuzz::fuzz
