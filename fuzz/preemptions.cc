#include "fuzz/preemptions.h"

#include <algorithm>
#include <utility>

namespace atsfuzz::fuzz {
namespace {

using model::Actor;

uint8_t Bit(Actor thread) {
  return static_cast<uint8_t>(1u << (thread.thread() - 1));
}

// Those that are ready, but for one.
uint8_t ReadyThreads(const Situation& situation, Actor but) {
  unsigned ready = 0;
  for (int thread = 1; thread <= ATSFUZZ_MAX_THREADS; ++thread) {
    const Actor actor = Actor::Thread(thread);
    if (situation.ready[actor.value] && !(actor == but)) ready |= Bit(actor);
  }
  return static_cast<uint8_t>(ready);
}

}  // namespace

void PreemptionSearch::Path::Start(Branch branch) {
  branch_ = std::move(branch);
  turns_.emplace(branch_.turns);
  stretches_.clear();
  asleep_ = 0;
  for (const Sleeper& sleeper : branch_.asleep) asleep_ |= Bit(sleeper.thread);
  equal_ = false;
  in_stretch_ = false;
  last_ = {};
}

bool PreemptionSearch::Path::Choose(const Situation& situation) {
  const uint8_t ready = ReadyThreads(situation, Actor());
  if (ready == 0) return false;
  const bool fixed = stretches_.empty() && branch_.next.value != 0;
  const unsigned awake = ready & ~asleep_;
  // Whoever sleeps could have gone on before.
  equal_ |= awake == 0;
  const Actor chosen =
      fixed ? branch_.next
            : Actor::Thread(1 + __builtin_ctz(equal_ ? ready : awake));
  if (!equal_) {
    stretches_.push_back(
        {.thread = chosen,
         .others =
             fixed ? uint8_t{0} : static_cast<uint8_t>(awake & ~Bit(chosen)),
         .asleep = asleep_});
  }
  last_ = chosen;
  in_stretch_ = true;
  seen_ = situation.position[chosen.value];
  return true;
}

Choice PreemptionSearch::Path::Next(const Situation& situation) {
  if (stretches_.empty()) {
    if (const auto choice = turns_->Follow(situation)) {
      if (choice->actor.is_thread()) last_ = choice->actor;
      return *choice;
    }
  }
  for (;;) {
    if (!in_stretch_ && !Choose(situation)) return DefaultChoice(situation);
    const Actor thread = last_;
    const Position& at = situation.position[thread.value];
    if (at.operation != seen_.operation || at.step != seen_.step) {
      const unsigned others = ReadyThreads(situation, thread) & ~asleep_;
      if (others != 0 && situation.ready[thread.value] && !equal_) {
        stretches_.back().stops.push_back(
            {.operation = at.operation,
             .step = static_cast<uint16_t>(at.step),
             .others = static_cast<uint8_t>(others),
             .asleep = asleep_});
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

void PreemptionSearch::Path::Moved(Actor actor, const model::Touched& touched) {
  if (last_.value != 0) territories_[last_.thread()].Add(touched);
  if (stretches_.empty() || equal_) return;
  for (const Sleeper& sleeper : branch_.asleep) {
    if ((asleep_ & Bit(sleeper.thread)) && sleeper.next->Conflicts(touched)) {
      asleep_ &= ~Bit(sleeper.thread);
    }
  }
  std::vector<Stop>& stops = stretches_.back().stops;
  if (!stops.empty()) stops.back().next.Add(touched);
}

std::vector<PreemptionSearch::Sleeper> PreemptionSearch::StillAsleep(
    const std::vector<Sleeper>& sleepers, ThreadSet asleep) {
  std::vector<Sleeper> still;
  for (const Sleeper& sleeper : sleepers) {
    if (asleep & Bit(sleeper.thread)) still.push_back(sleeper);
  }
  return still;
}

void PreemptionSearch::NoteBranches() {
  const Branch& branch = path_.branch();
  model::Schedule turns = branch.turns;
  for (const Stretch& stretch : path_.stretches()) {
    for (unsigned left = stretch.others; left != 0; left &= left - 1) {
      now_.push_back({.turns = turns,
                      .next = Actor::Thread(1 + __builtin_ctz(left)),
                      .asleep = StillAsleep(branch.asleep, stretch.asleep),
                      .preemptions = branch.preemptions});
    }
    if (branch.preemptions < most_ && !stretch.stops.empty()) {
      cuts_[static_cast<size_t>(branch.preemptions) + 1].push_back(
          {.turns = turns,
           .asleep = branch.asleep,
           .stretch = stretch,
           .left = stretch.stops.size()});
    }
    turns.push_back({.actor = stretch.thread});
  }
}

bool PreemptionSearch::Matters(Actor thread, const Footprint& next) const {
  for (int other = 1; other <= ATSFUZZ_MAX_THREADS; ++other) {
    if (other != thread.thread() &&
        next.Conflicts(path_.territories()[static_cast<size_t>(other)])) {
      return true;
    }
  }
  return false;
}

void PreemptionSearch::Preempt(const Skipped& cut) {
  Branch branch = {.turns = cut.turns, .preemptions = cut.preemptions};
  branch.turns.push_back({.actor = cut.thread,
                          .operation = cut.stop.operation,
                          .step = cut.stop.step});
  branch.asleep = StillAsleep(cut.asleep, cut.stop.asleep);
  branch.asleep.push_back(
      {cut.thread, std::make_shared<const Footprint>(cut.stop.next)});
  for (unsigned left = cut.stop.others; left != 0; left &= left - 1) {
    branch.next = Actor::Thread(1 + __builtin_ctz(left));
    now_.push_back(branch);
  }
}

void PreemptionSearch::Cut(std::deque<Cuts>& queue, int preemptions) {
  Cuts& cuts = queue.front();
  // From the last stop on: what the others touch then is known the sooner.
  Stop& stop = cuts.stretch.stops[--cuts.left];
  Skipped cut = {.turns = cuts.turns,
                 .asleep = cuts.asleep,
                 .thread = cuts.stretch.thread,
                 .stop = std::move(stop),
                 .preemptions = preemptions};
  if (cuts.left == 0) queue.pop_front();
  if (Matters(cut.thread, cut.stop.next)) {
    Preempt(cut);
  } else {
    skipped_.push_back(std::move(cut));
  }
}

bool PreemptionSearch::Reconsider() {
  uint64_t size = 0;
  for (const Territory& territory : path_.territories()) {
    size += territory.size();
  }
  if (std::exchange(skipped_at_, size) == size) return false;
  const auto matters = std::stable_partition(
      skipped_.begin(), skipped_.end(), [this](const Skipped& cut) {
        return !Matters(cut.thread, cut.stop.next);
      });
  std::for_each(matters, skipped_.end(),
                [this](const Skipped& cut) { Preempt(cut); });
  skipped_.erase(matters, skipped_.end());
  return !now_.empty();
}

Scheduler* PreemptionSearch::Next() {
  if (ran_) NoteBranches();
  while (now_.empty()) {
    const auto level =
        std::find_if(cuts_.begin(), cuts_.end(),
                     [](const auto& cuts) { return !cuts.empty(); });
    const int preemptions = static_cast<int>(level - cuts_.begin());
    const bool level_is_over = preemptions > this->preemptions();
    if (level_is_over && Reconsider()) break;
    if (level == cuts_.end()) return nullptr;
    Cut(*level, preemptions);
  }
  path_.Start(std::move(now_.front()));
  now_.pop_front();
  ran_ = true;
  return &path_;
}

}  // namespace atsfuzz::fuzz
