#include "fuzz/preemptions.h"

#include <array>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

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
      scheduler.Moved(choice.actor, std::nullopt);
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

// Threads that read, write and lock a few words. A thread's first, third, ...
// instruction writes an odd number.
struct Instruction {
  enum Kind : uint8_t {
    kRead,
    kIfOdd,  // reads, and leaves the next access out if the number is even
    kWrite,
    kLock,
    kUnlock
  };
  Kind kind = kRead;
  uint8_t word = 0;
};
using Code = std::vector<Instruction>;

void showValue(const Instruction& instruction, std::ostream& os) {
  os << "riwlu"[instruction.kind] << int{instruction.word};
}

// All that threads did, as anybody can tell: of each read who wrote last, and
// who wrote each word last.
class Memory {
 public:
  Memory(const std::vector<Code>& threads, bool tells)
      : threads_(threads), tells_(tells) {}

  std::string Run(Scheduler& scheduler) {
    words_ = {};
    holders_ = {};
    next_.assign(threads_.size(), 0);
    taken_.assign(threads_.size(), 0);
    std::vector<std::string> read(threads_.size());
    Situation situation;
    while (Look(situation)) {
      const Choice choice = scheduler.Next(situation);
      for (uint32_t n = 0; n < choice.steps; ++n) {
        const auto i = static_cast<size_t>(choice.actor.thread()) - 1;
        if (n != 0 &&
            (!Look(situation) || !situation.ready[choice.actor.value])) {
          break;
        }
        Step(i, read[i]);
        scheduler.Moved(choice.actor,
                        tells_ ? model::Touched(touched_) : model::Touched());
      }
      situation.last = choice.actor;
    }
    return absl::StrCat(absl::StrJoin(read, "|"), "=",
                        absl::StrJoin(words_, ","));
  }

 private:
  bool Look(Situation& situation) const {
    bool any = false;
    for (size_t i = 0; i < threads_.size(); ++i) {
      const uint8_t value = Actor::Thread(static_cast<int>(i) + 1).value;
      Position& position = situation.position[value];
      position.ended = next_[i] == threads_[i].size();
      position.step = position.taken = taken_[i];
      position.waits = !position.ended && Waits(i);
      situation.ready[value] = !position.ended && !position.waits;
      any |= situation.ready[value];
    }
    return any;
  }
  bool Waits(size_t i) const {
    const Instruction& instruction = threads_[i][next_[i]];
    const size_t holder = holders_[instruction.word];
    return instruction.kind == Instruction::kLock && holder != 0;
  }
  void Step(size_t i, std::string& read) {
    const Instruction& instruction = threads_[i][next_[i]++];
    ++taken_[i];
    const uint8_t word = instruction.word;
    const bool lock = instruction.kind >= Instruction::kLock;
    touched_ = {{.place = word + (lock ? 100u : 0u),
                 .written = instruction.kind >= Instruction::kWrite}};
    if (instruction.kind == Instruction::kIfOdd && words_[word] % 2 == 0 &&
        next_[i] < threads_[i].size() &&
        threads_[i][next_[i]].kind < Instruction::kLock) {
      ++next_[i];
    }
    // Who has come to a lock has seen whether it must wait.
    if (next_[i] < threads_[i].size() &&
        threads_[i][next_[i]].kind == Instruction::kLock) {
      touched_.push_back({.place = 100u + threads_[i][next_[i]].word});
    }
    switch (instruction.kind) {
      case Instruction::kRead:
      case Instruction::kIfOdd:
        absl::StrAppend(&read, words_[word], " ");
        break;
      case Instruction::kWrite:
        words_[word] = static_cast<int>(100 * (i + 1) + next_[i]);
        break;
      case Instruction::kLock:
        holders_[word] = i + 1;
        break;
      case Instruction::kUnlock:
        holders_[word] = 0;
        break;
    }
  }

  const std::vector<Code>& threads_;
  const bool tells_;
  std::array<int, 4> words_ = {};
  std::array<size_t, 4> holders_ = {};
  std::vector<size_t> next_;  // instruction, by thread
  std::vector<uint32_t>
      taken_;  // steps: one an instruction that was not left out
  std::vector<atsfuzz_touch> touched_;
};

struct Outcomes {
  std::set<std::string> all;
  std::vector<std::set<std::string>> by_preemptions;
  size_t runs = 0;
};

Outcomes Explore(const std::vector<Code>& threads, int most, bool tells) {
  Outcomes outcomes;
  outcomes.by_preemptions.resize(static_cast<size_t>(most) + 1);
  PreemptionSearch search(most);
  Memory memory(threads, tells);
  while (Scheduler* scheduler = search.Next()) {
    const auto preemptions = static_cast<size_t>(search.preemptions());
    ++outcomes.runs;
    std::string outcome = memory.Run(*scheduler);
    outcomes.by_preemptions[preemptions].insert(outcome);
    outcomes.all.insert(std::move(outcome));
  }
  return outcomes;
}

rc::Gen<Code> AnyCode() {
  return rc::gen::exec([] {
    Code code;
    const int steps = *rc::gen::inRange(2, 8);
    const auto kind = rc::gen::element(Instruction::kRead, Instruction::kWrite,
                                       Instruction::kIfOdd);
    const auto lock = *rc::gen::inRange<uint8_t>(0, 3);  // 2: none
    const int from = *rc::gen::inRange(1, steps);
    const int to = *rc::gen::inRange(from, steps);
    for (int i = 0; i < steps; ++i) {
      if (i == from && lock < 2) code.push_back({Instruction::kLock, lock});
      code.push_back({*kind, *rc::gen::inRange<uint8_t>(0, 4)});
      if (i == to && lock < 2) code.push_back({Instruction::kUnlock, lock});
    }
    return code;
  });
}

RC_GTEST_PROP(PreemptionSearch, LeavesOutNoOutcome, ()) {
  const auto count = *rc::gen::inRange<size_t>(2, 4);
  const auto threads = *rc::gen::container<std::vector<Code>>(count, AnyCode());
  const int most = *rc::gen::inRange(0, 4);
  const Outcomes full = Explore(threads, most, false);
  const Outcomes reduced = Explore(threads, most, true);
  RC_ASSERT(reduced.all == full.all);
  RC_ASSERT(reduced.runs <= full.runs);
}

TEST(PreemptionSearch, ComesBackToAStopWhenItTurnsOutToMatter) {
  // That the last reads x is known when all stops of the first are done with.
  // With two preemptions it reads it after the first has written g, before x.
  enum : uint8_t { g, x, f, own };
  const Code first = {{Instruction::kWrite, g}, {Instruction::kWrite, x}};
  const Code second = {{Instruction::kRead, own},
                       {Instruction::kIfOdd, g},
                       {Instruction::kWrite, f},
                       {Instruction::kWrite, f}};
  const Code third = {{Instruction::kIfOdd, f}, {Instruction::kRead, x}};
  const std::vector<Code> threads = {first, second, third};
  EXPECT_EQ(Explore(threads, 2, true).all, Explore(threads, 2, false).all);
}

TEST(PreemptionSearch, StopsNobodyWhereNothingIsShared) {
  const Code a(20, {Instruction::kWrite, 0}), b(20, {Instruction::kWrite, 1});
  EXPECT_EQ(Explore({a, b}, 2, false).runs, 2u + 38 + 19 * 19 * 2);
  EXPECT_EQ(Explore({a, b}, 2, true).runs, 2u);
}

TEST(PreemptionSearch, WhoWasStoppedSleepsUntilItMatters) {
  // Either can be stopped before it writes g. That the other one is stopped
  // there too, and the first goes on, is nothing new.
  enum : uint8_t { g, own, others };
  const Code first = {{Instruction::kWrite, own}, {Instruction::kWrite, g}};
  const Code second = {{Instruction::kWrite, others}, {Instruction::kWrite, g}};
  EXPECT_EQ(Explore({first, second}, 2, false).runs, 6u);
  EXPECT_EQ(Explore({first, second}, 2, true).runs, 4u);
}

TEST(PreemptionSearch, StopsWhereSomethingIsShared) {
  Code a(20, {Instruction::kWrite, 0}), b(20, {Instruction::kWrite, 1});
  a[10] = {Instruction::kWrite, 2};
  b[5] = {Instruction::kRead, 2};
  const Outcomes outcomes = Explore({a, b}, 2, true);
  EXPECT_EQ(outcomes.all.size(), 2u);
  EXPECT_LE(outcomes.runs, 6u);
}

}  // namespace
}  // namespace atsfuzz::fuzz
