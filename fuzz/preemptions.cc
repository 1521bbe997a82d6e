#include "fuzz/preemptions.h"

#include <utility>

namespace atsfuzz::fuzz {
namespace {

using model::Actor;

// Those that are ready, but for one.
uint8_t ReadyThreads(const Situation& situation, Actor but) {
  unsigned ready = 0;
  for (int thread = 1; thread <= ATSFUZZ_MAX_THREADS; ++thread) {
    const Actor actor = Actor::Thread(thread);
    if (situation.ready[actor.value] && !(actor == but)) {
      ready |= 1u << (thread - 1);
    }
  }
  return static_cast<uint8_t>(ready);
}

}  // namespace

void PreemptionSearch::Path::Start(Branch branch) {
  branch_ = std::move(branch);
  turns_.emplace(branch_.turns);
  stretches_.clear();
  in_stretch_ = false;
}

bool PreemptionSearch::Path::Choose(const Situation& situation) {
  const uint8_t ready = ReadyThreads(situation, Actor());
  if (ready == 0) return false;
  Actor chosen = Actor::Thread(1 + __builtin_ctz(ready));
  const bool fixed = stretches_.empty() && branch_.next.value != 0;
  if (fixed) chosen = branch_.next;
  stretches_.push_back(
      {.thread = chosen,
       .others = fixed ? uint8_t{0} : ReadyThreads(situation, chosen)});
  in_stretch_ = true;
  seen_ = situation.position[chosen.value];
  return true;
}

Choice PreemptionSearch::Path::Next(const Situation& situation) {
  if (stretches_.empty()) {
    if (const auto choice = turns_->Follow(situation)) return *choice;
  }
  for (;;) {
    if (!in_stretch_ && !Choose(situation)) return DefaultChoice(situation);
    Stretch& stretch = stretches_.back();
    const Actor thread = stretch.thread;
    const Position& at = situation.position[thread.value];
    if (at.operation != seen_.operation || at.step != seen_.step) {
      const uint8_t others = ReadyThreads(situation, thread);
      if (others != 0 && situation.ready[thread.value]) {
        stretch.stops.push_back(
            {at.operation, static_cast<uint16_t>(at.step), others});
      }
      seen_ = at;
    }
    if (situation.ready[thread.value]) return {thread, 1};
    if (at.waits) {
      for (int smmu = 0; smmu < ATSFUZZ_MAX_SMMUS; ++smmu) {
        const Actor actor = Actor::Smmu(smmu);
        if (situation.ready[actor.value]) return {actor, 1};
      }
    }
    in_stretch_ = false;
  }
}

void PreemptionSearch::NoteBranches() {
  model::Schedule turns = path_.branch().turns;
  for (const Stretch& stretch : path_.stretches()) {
    for (unsigned left = stretch.others; left != 0; left &= left - 1) {
      now_.push_back({turns, Actor::Thread(1 + __builtin_ctz(left))});
    }
    if (preemptions_ < most_ && !stretch.stops.empty()) {
      later_.push_back({.turns = turns, .stretch = stretch});
    }
    turns.push_back({.actor = stretch.thread});
  }
}

void PreemptionSearch::Cut() {
  Cuts& cuts = cuts_.front();
  const Stop& stop = cuts.stretch.stops[cuts.next_stop];
  model::Schedule turns = cuts.turns;
  turns.push_back({.actor = cuts.stretch.thread,
                   .operation = stop.operation,
                   .step = stop.step});
  for (unsigned left = stop.others; left != 0; left &= left - 1) {
    now_.push_back({turns, Actor::Thread(1 + __builtin_ctz(left))});
  }
  if (++cuts.next_stop == cuts.stretch.stops.size()) cuts_.pop_front();
}

Scheduler* PreemptionSearch::Next() {
  if (ran_) NoteBranches();
  if (now_.empty()) {
    if (cuts_.empty()) {
      cuts_.swap(later_);
      ++preemptions_;
    }
    if (cuts_.empty()) return nullptr;
    Cut();
  }
  path_.Start(std::move(now_.front()));
  now_.pop_front();
  ran_ = true;
  return &path_;
}

}  // namespace atsfuzz::fuzz
