#include <algorithm>

#include "fuzz/shrink_moves.h"
#include "model/block.h"

// Moves on the `par` block and its schedule.
namespace atsfuzz::fuzz {

using model::Block;
using model::Operation;
using model::Scenario;
using model::Turn;

namespace {

// The operations of `thread` run before the block, or after it.
Scenario OutOfBlock(const Scenario& scenario, const Block& block, int thread,
                    bool before) {
  Scenario moved = scenario;
  const auto first =
      moved.operations.begin() + static_cast<ptrdiff_t>(block.first);
  const auto end = moved.operations.begin() + static_cast<ptrdiff_t>(block.end);
  const auto stays_first = [&](const Operation& operation) {
    return (operation.thread == thread) == before;
  };
  std::stable_partition(first, end, stays_first);
  for (auto it = first; it != end; ++it) {
    if (it->thread == thread) it->thread = 0;
  }
  return moved;
}

// Thread `from` goes on after the end of thread `to`.
Scenario Joined(const Scenario& scenario, int from, int to) {
  Scenario joined = scenario;
  for (Operation& operation : joined.operations) {
    if (operation.thread == from) operation.thread = static_cast<uint8_t>(to);
  }
  return joined;
}

Scenario WithoutTurns(const Scenario& scenario, size_t first, size_t end) {
  Scenario result = scenario;
  result.schedule.erase(result.schedule.begin() + static_cast<ptrdiff_t>(first),
                        result.schedule.begin() + static_cast<ptrdiff_t>(end));
  return result;
}

// A turn may stand beyond the last one of the schedule that it replaces: what
// went on before it has spared the thread some steps (waiting for the SMMU).
constexpr uint32_t kBeyond = 32;

// The step after which no turn of a schedule like this one ends.
uint32_t LastStep(const model::Schedule& schedule) {
  uint32_t last = 0;
  for (const Turn& turn : schedule) {
    if (turn.step != Turn::kToTheEnd) {
      last = std::max<uint32_t>(last, turn.step);
    }
  }
  return last + kBeyond;
}

// A thread moves in the first turn and in the last, and no other one between.
bool OneThread(const model::Schedule& schedule, size_t first, size_t last) {
  const model::Actor actor = schedule[first].actor;
  if (!actor.is_thread() || !(schedule[last].actor == actor)) return false;
  return std::all_of(schedule.begin() + static_cast<ptrdiff_t>(first),
                     schedule.begin() + static_cast<ptrdiff_t>(last),
                     [&](const Turn& turn) {
                       return !turn.actor.is_thread() || turn.actor == actor;
                     });
}

// `first` alone, and then each other actor.
bool TryFirstTurn(const Scenario& scenario, const Block& block,
                  const Turn& first, const Attempt& attempt) {
  Scenario with = scenario;
  with.schedule = {first};
  if (attempt(with)) return true;
  if (scenario.schedule.size() < 3) return false;
  with.schedule.emplace_back();
  const auto second = [&](model::Actor actor) {
    with.schedule.back() = {.actor = actor};
    return !(actor == first.actor) && attempt(with);
  };
  for (int thread = 1; thread <= block.threads; ++thread) {
    if (second(model::Actor::Thread(thread))) return true;
  }
  for (size_t smmu = 0; smmu < scenario.topology.smmus.size(); ++smmu) {
    if (second(model::Actor::Smmu(static_cast<int>(smmu)))) return true;
  }
  return MovesRcu(scenario.schedule) && second(model::Actor::Rcu());
}

}  // namespace

bool DropThreads(const Scenario& scenario, const Attempt& attempt) {
  const Block block = BlockOf(scenario);
  if (!block.exists()) return false;
  Scenario sequential = scenario;
  for (Operation& operation : sequential.operations) operation.thread = 0;
  if (attempt(sequential)) return true;
  for (int thread = 1; thread <= block.threads; ++thread) {
    for (bool before : {true, false}) {
      if (attempt(OutOfBlock(scenario, block, thread, before))) return true;
    }
    for (int to = 1; to <= block.threads; ++to) {
      if (to != thread && attempt(Joined(scenario, thread, to))) return true;
    }
  }
  // One operation at a time: the first of a thread, or its last.
  for (size_t i = block.first; i < block.end; ++i) {
    const uint8_t thread = scenario.operations[i].thread;
    const bool first =
        i == block.first || scenario.operations[i - 1].thread != thread;
    const bool last =
        i + 1 == block.end || scenario.operations[i + 1].thread != thread;
    if (!first && !last) continue;
    Scenario moved = scenario;
    moved.operations[i].thread = 0;
    const auto at = moved.operations.begin();
    const auto here = at + static_cast<ptrdiff_t>(i);
    if (first) {
      std::rotate(at + static_cast<ptrdiff_t>(block.first), here, here + 1);
    } else {
      std::rotate(here, here + 1, at + static_cast<ptrdiff_t>(block.end));
    }
    if (attempt(moved)) return true;
  }
  return false;
}

bool DropTurns(const Scenario& scenario, const Attempt& attempt) {
  const size_t count = scenario.schedule.size();
  if (count == 0) return false;
  // One turn of RCU left is all the difference (model/schedule.h).
  if (MovesRcu(scenario.schedule)) {
    Scenario without = scenario;
    std::erase_if(without.schedule,
                  [](const Turn& turn) { return turn.actor.is_rcu(); });
    if (attempt(without)) return true;
  }
  for (size_t chunk = std::max<size_t>(count / 2, 1); chunk >= 1; chunk /= 2) {
    for (size_t end = count; end >= chunk; end -= chunk) {
      if (attempt(WithoutTurns(scenario, end - chunk, end))) return true;
    }
    if (chunk == 1) break;
  }
  return false;
}

bool MergeTurns(const Scenario& scenario, const Attempt& attempt) {
  const model::Schedule& schedule = scenario.schedule;
  const size_t count = schedule.size();
  for (size_t length = count; length > 1; --length) {
    for (size_t first = 0; first + length <= count; ++first) {
      const size_t last = first + length - 1;
      if (!OneThread(schedule, first, last)) continue;
      Scenario merged = WithoutTurns(scenario, first, last);
      Turn& turn = merged.schedule[first];
      const uint32_t farthest =
          turn.step == Turn::kToTheEnd
              ? Turn::kToTheEnd
              : std::min<uint32_t>(turn.step + kBeyond, Turn::kToTheEnd - 1);
      for (uint32_t step = turn.step; step <= farthest; ++step) {
        turn.step = static_cast<uint16_t>(step);
        if (attempt(merged)) return true;
      }
    }
  }
  return false;
}

bool ReplaceTurns(const Scenario& scenario, const Attempt& attempt) {
  const Block block = BlockOf(scenario);
  if (!block.exists() || scenario.schedule.size() < 2) return false;
  const bool any_weak =
      std::any_of(scenario.schedule.begin(), scenario.schedule.end(),
                  [](const Turn& turn) { return turn.weak; });
  const uint32_t last = LastStep(scenario.schedule);
  const auto threads = ThreadsOf(scenario, block);
  for (int thread = 1; thread <= block.threads; ++thread) {
    const size_t operations = threads[static_cast<size_t>(thread)].size();
    for (size_t operation = 0; operation < operations; ++operation) {
      for (uint32_t step = 0; step <= last; ++step) {
        for (const bool weak : {false, true}) {
          if (weak && !any_weak) continue;
          const Turn first = {.actor = model::Actor::Thread(thread),
                              .operation = static_cast<uint8_t>(operation),
                              .step = static_cast<uint16_t>(step),
                              .weak = weak};
          if (TryFirstTurn(scenario, block, first, attempt)) return true;
        }
      }
    }
  }
  return false;
}

bool SimplifyTurns(const Scenario& scenario, const Attempt& attempt) {
  for (size_t i = 0; i < scenario.schedule.size(); ++i) {
    const Turn& turn = scenario.schedule[i];
    const auto with = [&](const Turn& other) {
      Scenario simpler = scenario;
      simpler.schedule[i] = other;
      return simpler;
    };
    if (turn.weak) {
      Turn strong = turn;
      strong.weak = false;
      if (attempt(with(strong))) return true;
    }
    if (turn.step == Turn::kToTheEnd) continue;
    if (attempt(with({.actor = turn.actor, .weak = turn.weak}))) return true;
    for (uint32_t step : Towards(0, turn.step)) {
      Turn other = turn;
      other.step = static_cast<uint16_t>(step);
      if (attempt(with(other))) return true;
    }
    for (uint32_t plain : Towards(0, turn.plain)) {
      Turn other = turn;
      other.plain = static_cast<uint8_t>(plain);
      if (attempt(with(other))) return true;
    }
  }
  return false;
}

}  // namespace atsfuzz::fuzz
