#include "fuzz/scheduler.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace atsfuzz::fuzz {
namespace {

using model::Actor;
using model::Turn;

int CountReady(const Situation& situation) {
  return static_cast<int>(
      std::count(situation.ready.begin(), situation.ready.end(), true));
}

// The n-th of those that are ready, from 0.
Actor NthReady(const Situation& situation, uint32_t n) {
  for (uint8_t value = 0; value < model::kActors; ++value) {
    if (situation.ready[value] && n-- == 0) return {value};
  }
  assert(false && "an actor is ready");
  return {};
}

// Who can serve a thread that waits: the first SMMU that is ready, or RCU.
std::optional<Actor> ReadyServer(const Situation& situation) {
  for (uint8_t value = Actor::Smmu(0).value; value < model::kActors; ++value) {
    if (situation.ready[value]) return Actor{value};
  }
  return std::nullopt;
}

// The ready one with the highest value.
template <typename Number>
Actor Highest(const Situation& situation,
              const std::array<Number, model::kActors>& values) {
  int best = -1;
  for (int value = 0; value < model::kActors; ++value) {
    if (situation.ready[value] && (best < 0 || values[value] > values[best])) {
      best = value;
    }
  }
  assert(best >= 0);
  return {static_cast<uint8_t>(best)};
}

}  // namespace

Choice DefaultChoice(const Situation& situation) {
  if (situation.ready[situation.last.value]) return {situation.last};
  if (situation.position[situation.last.value].waits) {
    if (const auto server = ReadyServer(situation)) return {*server, 1};
  }
  const Actor actor = NthReady(situation, 0);
  return {actor, actor.is_thread() ? Choice::kAllSteps : 1};
}

Choice Replay::Next(const Situation& situation) {
  const std::optional<Choice> choice = Follow(situation);
  return choice ? *choice : DefaultChoice(situation);
}

std::optional<Choice> Replay::Follow(const Situation& situation) {
  for (; next_ < schedule_.size(); ++next_) {
    const Turn& turn = schedule_[next_];
    const Position& at = situation.position[turn.actor.value];
    const bool to_the_end = turn.step == Turn::kToTheEnd;
    const bool earlier = to_the_end || at.operation < turn.operation;
    const bool there =
        !earlier && (at.operation > turn.operation || at.step > turn.step ||
                     (at.step == turn.step && at.plain >= turn.plain));
    if (there || at.ended) continue;
    if (situation.ready[turn.actor.value]) {
      if (earlier) return Choice{.actor = turn.actor, .weak = turn.weak};
      Choice choice = {.actor = turn.actor,
                       .steps = turn.step - at.taken,
                       .plain = turn.plain,
                       .weak = turn.weak};
      if (turn.plain != 0) {
        ++choice.steps;
        if (at.step == turn.step) {
          choice.plain = static_cast<uint8_t>(turn.plain - at.plain);
        }
      }
      return choice;
    }
    if (!at.waits) continue;
    if (const auto server = ReadyServer(situation)) return Choice{*server, 1};
  }
  return std::nullopt;
}

void RandomWalk::Begin(const Situation& situation) {
  stretch_ = 1u << dice_.Below(8);
}

Choice RandomWalk::Next(const Situation& situation) {
  const uint32_t ready = static_cast<uint32_t>(CountReady(situation));
  const Actor actor = NthReady(situation, dice_.Below(ready));
  return {actor, 1 + dice_.Below(2 * stretch_)};
}

void Pct::Begin(const Situation& situation) {
  for (int i = 0; i < model::kActors; ++i) priority_[i] = i;
  for (uint32_t i = model::kActors - 1; i > 0; --i) {
    std::swap(priority_[i], priority_[dice_.Below(i + 1)]);
  }
  lowest_ = 0;
  next_point_ = 0;
  point_count_ = std::clamp(depth_ - 1, 0, kMaxDepth);
  for (int i = 0; i < point_count_; ++i) {
    points_[i] = 1 + dice_.Below(length_);
  }
  std::sort(points_.begin(), points_.begin() + point_count_);
}

Choice Pct::Next(const Situation& situation) {
  Actor actor = Highest(situation, priority_);
  while (next_point_ < point_count_ &&
         situation.steps >= points_[next_point_]) {
    priority_[actor.value] = --lowest_;
    ++next_point_;
    actor = Highest(situation, priority_);
  }
  return {actor, next_point_ < point_count_
                     ? points_[next_point_] - situation.steps
                     : Choice::kAllSteps};
}

void PartialOrderSampling::Begin(const Situation& situation) {
  for (uint32_t& priority : priority_) priority = dice_.Below(1u << 31);
}

Choice PartialOrderSampling::Next(const Situation& situation) {
  const Actor actor = Highest(situation, priority_);
  priority_[actor.value] = dice_.Below(1u << 31);
  return {actor, 1};
}

void Refined::Begin(const Situation& situation) {
  weak_percent_ = how_.weak ? 50 * dice_.Below(3) : 0;
  plain_percent_ = how_.plain_stops ? 50 * dice_.Below(3) : 0;
  chooser_->Begin(situation);
}

Choice Refined::Next(const Situation& situation) {
  Choice choice = chooser_->Next(situation);
  if (!choice.actor.is_thread()) return choice;
  choice.weak = dice_.Chance(weak_percent_);
  if (dice_.Chance(plain_percent_) && choice.steps != Choice::kAllSteps) {
    choice.plain = static_cast<uint8_t>(1 + dice_.Below(1u << dice_.Below(6)));
  }
  return choice;
}

}  // namespace atsfuzz::fuzz
