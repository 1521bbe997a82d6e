#include "fuzz/preemptions.h"

#include <array>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Actor;

// Threads of a few steps each; from `locks` on up to its end a thread needs a
// lock. Returns who took which step in which order: "1a 1b 2a 1.".
class Toy {
 public:
  struct Thread {
    uint32_t steps = 0;
    uint32_t locks = UINT32_MAX;  // before this step it takes the lock
  };

  explicit Toy(std::vector<Thread> threads) : threads_(std::move(threads)) {}

  std::string Run(Scheduler& scheduler) const {
    std::string order;
    std::array<bool, 8> ended = {};
    Situation situation;
    size_t holder = 0;
    for (;;) {
      size_t left = 0;
      for (size_t i = 1; i <= threads_.size(); ++i) {
        const uint8_t value = Actor::Thread(static_cast<int>(i)).value;
        Position& position = situation.position[value];
        const bool wants = position.step == threads_[i - 1].locks;
        const bool ready = !ended[i] && !(wants && holder != 0 && holder != i);
        position.ended = ended[i];
        position.waits = !ended[i] && !ready;
        situation.ready[value] = ready;
        left += ready;
      }
      if (left == 0) return order;
      const Choice choice = scheduler.Next(situation);
      const auto i = static_cast<size_t>(choice.actor.thread());
      EXPECT_TRUE(situation.ready[choice.actor.value]);
      Position& position = situation.position[choice.actor.value];
      situation.last = choice.actor;
      for (uint32_t n = 0; n < choice.steps && !ended[i]; ++n) {
        if (position.step == threads_[i - 1].locks) {
          if (holder != 0 && holder != i) break;
          holder = i;
        }
        ended[i] = position.step == threads_[i - 1].steps;
        if (ended[i] && holder == i) holder = 0;
        if (!ended[i]) position.taken = ++position.step;
        ++situation.steps;
        absl::StrAppend(&order, i, ended[i] ? ". " : " ");
      }
    }
  }

 private:
  const std::vector<Thread> threads_;
};

// How many different orders there are with each number of preemptions; each
// must come once.
std::vector<size_t> Count(const Toy& toy, int most) {
  std::vector<size_t> counts(static_cast<size_t>(most) + 1);
  std::set<std::string> orders;
  PreemptionSearch search(most);
  int last = 0;
  while (Scheduler* scheduler = search.Next()) {
    EXPECT_GE(search.preemptions(), last) << "fewer come first";
    last = search.preemptions();
    const std::string order = toy.Run(*scheduler);
    EXPECT_TRUE(orders.insert(order).second) << order << " came before";
    ++counts[static_cast<size_t>(last)];
  }
  return counts;
}

TEST(PreemptionSearch, RunsEveryOrderOfTwoThreadsOnce) {
  // A thread can be stopped before each of its steps but where it begins: with
  // one preemption at 3 + 4 places, with two at 3 * 4 in either order.
  EXPECT_EQ(Count(Toy({{3}, {4}}), 2), (std::vector<size_t>{2, 7, 24}));
}

TEST(PreemptionSearch, WithEnoughPreemptionsRunsAllInterleavings) {
  // Of 3 moves and 3 moves: 6 over 3.
  size_t all = 0;
  for (size_t count : Count(Toy({{2}, {2}}), 8)) all += count;
  EXPECT_EQ(all, 20u);
  // Of 2, 2 and 2 moves.
  all = 0;
  for (size_t count : Count(Toy({{1}, {1}, {1}}), 8)) all += count;
  EXPECT_EQ(all, 90u);
}

TEST(PreemptionSearch, WhoWaitsForALockIsNotPreempted) {
  // Each is under the lock from its step 1 on, and can give way before it takes
  // it only.
  EXPECT_EQ(Count(Toy({{2, 1}, {2, 1}}), 0), (std::vector<size_t>{2}));
  const std::vector<size_t> counts = Count(Toy({{2, 1}, {2, 1}}), 2);
  EXPECT_EQ(counts[0], 2u);
  // Stopped before the lock: the other runs. Stopped under it: the other goes
  // as far as the lock.
  EXPECT_EQ(counts[1], 4u);
}

TEST(PreemptionSearch, OneThreadHasOneOrder) {
  EXPECT_EQ(Count(Toy({Toy::Thread{.steps = 5}}), 3),
            (std::vector<size_t>{1, 0, 0, 0}));
}

}  // namespace
}  // namespace atsfuzz::fuzz
