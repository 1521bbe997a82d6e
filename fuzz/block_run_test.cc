#include "fuzz/block_run.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzz/dice.h"
#include "fuzz/strategy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using properties::Stuck;
using testing::ElementsAre;
using testing::HasSubstr;

// Threads that are programs of a test, on a machine of a few words and locks.
class Toy final : public model::System, public model::Interleaving {
 public:
  enum class Then { kGoesOn, kWaits, kSpins, kReturns };
  struct Machine {
    std::array<int, 4> words = {};
    std::array<int, 4> holders = {};  // of locks: threads; 0: free
    int milliseconds = 0;
    int changes = 0;
    int wanted = 0;  // the lock that was last not to be had

    // The thread has it now, or may not go on.
    bool Take(int lock, int thread) {
      int& holder = holders[static_cast<size_t>(lock)];
      if (holder != 0) {
        wanted = lock;
        return false;
      }
      holder = thread;
      ++changes;
      return true;
    }
    void Give(int lock) {
      holders[static_cast<size_t>(lock)] = 0;
      ++changes;
    }
    void Set(int word, int value) {
      words[static_cast<size_t>(word)] = value;
      ++changes;
    }
    int Get(int word) const { return words[static_cast<size_t>(word)]; }
  };
  // Makes one access; `pc` is the thread's own, and 0 at first.
  using Program = std::function<Then(Machine& machine, int thread, int& pc)>;

  explicit Toy(std::vector<Program> programs) : programs_(std::move(programs)) {
    capabilities_.threads = true;
  }

  // Who made how many accesses, in turns: "1:3 2:1".
  const std::vector<std::pair<int, int>>& course() const { return course_; }

  void Begin() override {
    machine_ = {};
    course_.clear();
  }
  void Start(int thread, const model::Operation&, model::FunctionId,
             uint64_t) override {
    at(thread) = {};
  }
  Progress Advance(int thread, const Stretch& stretch) override {
    Place& place = at(thread);
    Progress progress;
    for (;;) {
      if (place.at_step) {
        place.then = programs_[static_cast<size_t>(thread) - 1](
            machine_, thread, place.pc);
        Note(thread);
      }
      if (place.then == Then::kReturns) {
        progress.stop = Stop::kReturned;
        return progress;
      }
      if (place.at_step && place.then != Then::kGoesOn) {
        place.changes = machine_.changes;
        place.lock = machine_.wanted;
        progress.stop =
            place.then == Then::kWaits ? Stop::kBlocks : Stop::kSpins;
        return progress;
      }
      place.at_step = true;
      if (++progress.steps == stretch.steps) return progress;
    }
  }
  bool IsReady(int thread) override {
    const Place& place = at(thread);
    switch (place.then) {
      case Then::kWaits:
        return machine_.holders[static_cast<size_t>(place.lock)] == 0;
      case Then::kSpins:
        return place.changes != machine_.changes;
      default:
        return true;
    }
  }
  bool IsReady(model::SmmuId) override { return false; }
  void Advance(model::SmmuId) override {}
  bool PassTime() override {
    const bool spins = std::any_of(
        places_.begin(), places_.end(),
        [](const Place& place) { return place.then == Then::kSpins; });
    if (!spins || machine_.milliseconds == 20'000) return false;
    ++machine_.milliseconds;
    ++machine_.changes;
    return true;
  }
  std::string WaitsFor(int thread) override {
    return at(thread).then == Then::kWaits ? "a lock" : "an answer";
  }
  std::vector<std::string> Holds(int thread) override {
    std::vector<std::string> locks;
    for (size_t lock = 0; lock < machine_.holders.size(); ++lock) {
      if (machine_.holders[lock] == thread) {
        locks.push_back(absl::StrCat("lock ", lock));
      }
    }
    return locks;
  }
  void End() override {}

  absl::Status Boot(const model::Topology&) override {
    return absl::OkStatus();
  }
  int Operate(const model::Operation&, model::FunctionId, uint64_t) override {
    return 0;
  }
  void Shutdown() override {}
  model::Interleaving* interleaving() override { return this; }
  const atsfuzz_observation& Observe() override { return observation_; }
  std::span<const atsfuzz_event> Events() override { return {}; }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

 private:
  struct Place {
    bool at_step = false;
    int pc = 0;
    Then then = Then::kGoesOn;
    int changes = 0;  // of the machine, when it began to spin
    int lock = 0;     // that it waits for
  };
  Place& at(int thread) { return places_[static_cast<size_t>(thread)]; }
  void Note(int thread) {
    if (course_.empty() || course_.back().first != thread) {
      course_.emplace_back(thread, 0);
    }
    ++course_.back().second;
  }

  const std::vector<Program> programs_;
  model::Capabilities capabilities_;
  const std::string name_ = "toy";
  atsfuzz_observation observation_ = {};
  Machine machine_;
  std::array<Place, 1 + ATSFUZZ_MAX_THREADS> places_;
  std::vector<std::pair<int, int>> course_;
};

using Then = Toy::Then;
using Machine = Toy::Machine;

// An operation of each thread; which, does not matter.
model::Scenario ScenarioOf(size_t threads) {
  std::string text =
      "smmu s0\n"
      "pf p0 smmu=s0\n"
      "domain d0 smmu=s0 stage=1\n"
      "probe p0\n"
      "domain-new d0\n"
      "par\n";
  for (size_t i = 0; i < threads; ++i) {
    absl::StrAppend(&text, "thread\nmap d0 ", i, "\n");
  }
  auto scenario = model::Parse(text + "end\n", "block_run_test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

BlockResult RunOn(Toy& toy, size_t threads, Scheduler& scheduler) {
  const model::Scenario scenario = ScenarioOf(threads);
  model::Contract contract(scenario.topology);
  for (size_t i = 0; i < 2; ++i) contract.Apply(scenario.operations[i], 0, 0);
  const auto result =
      RunBlock(scenario, BlockOf(scenario), std::vector<uint64_t>(threads),
               std::move(contract), toy, {.scheduler = &scheduler});
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

BlockResult RunOn(Toy& toy, size_t threads,
                  const model::Schedule& schedule = {}) {
  Replay replay(schedule);
  return RunOn(toy, threads, replay);
}

// Each is given one step in turn.
class Lockstep : public Scheduler {
 public:
  Choice Next(const Situation& situation) override {
    do {
      last_.value = static_cast<uint8_t>((last_.value + 1) % model::kActors);
    } while (!situation.ready[last_.value]);
    return {last_, 1};
  }

 private:
  model::Actor last_;
};

// Sets a word, and returns.
Then Sets(Machine& machine, int, int&) {
  machine.Set(0, 1);
  return Then::kReturns;
}

// Takes lock 0, looks at a word, gives the lock back: until the word is set.
Then RetriesUnderLock(Machine& machine, int thread, int& pc) {
  switch (pc++) {
    case 0:
      if (machine.Take(0, thread)) return Then::kGoesOn;
      pc = 0;
      return Then::kWaits;
    case 1:
      if (machine.Get(0) == 0) pc = 3;
      return Then::kGoesOn;
    case 2:
      machine.Give(0);
      return Then::kReturns;
    default:
      machine.Give(0);
      pc = 0;
      return Then::kGoesOn;
  }
}

// Holds lock 0, and never returns.
Then GoesOn(Machine& machine, int thread, int& pc) {
  if (pc++ == 0) machine.Take(0, thread);
  machine.Set(1, pc);
  return Then::kGoesOn;
}

// Takes lock 0 once.
Then NeedsLock(Machine& machine, int thread, int& pc) {
  if (pc == 0 && !machine.Take(0, thread)) return Then::kWaits;
  if (pc++ == 0) return Then::kGoesOn;
  machine.Give(0);
  return Then::kReturns;
}

// Takes one lock, tries the other one, and gives the first back if it fails.
Toy::Program BacksOff(int first, int second) {
  return [=](Machine& machine, int thread, int& pc) {
    switch (pc++) {
      case 0:
        if (machine.Take(first, thread)) return Then::kGoesOn;
        pc = 0;
        return Then::kWaits;
      case 1:
        if (machine.Take(second, thread)) pc = 3;
        return Then::kGoesOn;
      case 2:
        machine.Give(first);
        pc = 0;
        return Then::kGoesOn;
      case 3:
        machine.Give(first);
        return Then::kGoesOn;
      default:
        machine.Give(second);
        return Then::kReturns;
    }
  };
}

TEST(BlockRun, WhoRetriesUntilAnotherHasMovedIsNotStuck) {
  Toy toy({RetriesUnderLock, Sets});
  const BlockResult result = RunOn(toy, 2);
  EXPECT_EQ(result.stuck.kind, Stuck::kNot);
  EXPECT_THAT(result.indices, ElementsAre(3, 2));
}

TEST(BlockRun, WhoBackOffForEachOtherInLockstepAreNotStuck) {
  Toy toy({BacksOff(0, 1), BacksOff(1, 0)});
  Lockstep lockstep;
  const BlockResult result = RunOn(toy, 2, lockstep);
  EXPECT_EQ(result.stuck.kind, Stuck::kNot);
  EXPECT_GT(result.steps, kMostSteps);
}

// Each spoils what the other one has begun, whenever both take short turns.
TEST(BlockRun, WhoNeedToBeAloneForAWhileAreNotStuck) {
  const auto claims = [](Machine& machine, int thread, int& pc) {
    if (pc == 0) machine.Set(0, thread);
    pc = machine.Get(0) == thread ? pc + 1 : 0;
    return pc == 200 ? Then::kReturns : Then::kGoesOn;
  };
  Toy toy({claims, claims});
  Lockstep lockstep;
  const BlockResult result = RunOn(toy, 2, lockstep);
  EXPECT_EQ(result.stuck.kind, Stuck::kNot);
  EXPECT_GT(result.steps, kMostSteps);
}

TEST(BlockRun, WhatGoesOnForEverIsALivelock) {
  Toy toy({Sets, GoesOn});
  const BlockResult result = RunOn(toy, 2);
  EXPECT_EQ(result.stuck.kind, Stuck::kLivelock);
  EXPECT_EQ(result.stuck.why, "`map d0 1` holds lock 0 and goes on and on");
  EXPECT_THAT(result.indices, ElementsAre(2, 3));
}

TEST(BlockRun, TwoThatRetryUntilTheOtherHasReturnedAreALivelock) {
  Toy toy({RetriesUnderLock, RetriesUnderLock});
  const BlockResult result = RunOn(toy, 2);
  EXPECT_EQ(result.stuck.kind, Stuck::kLivelock);
  EXPECT_THAT(result.stuck.why, HasSubstr("`map d0 0` holds "));
  EXPECT_THAT(result.stuck.why, HasSubstr("`map d0 1` holds "));
}

TEST(BlockRun, WhoWaitsForALockOfWhoGoesOnForEverStarves) {
  Toy toy({GoesOn, NeedsLock});
  const BlockResult result = RunOn(toy, 2);
  EXPECT_EQ(result.stuck.kind, Stuck::kStarvation);
  EXPECT_EQ(result.stuck.why,
            "`map d0 0` holds lock 0 and goes on and on; "
            "`map d0 1` holds no lock and waits for a lock");
}

TEST(BlockRun, WhoWaitForEachOtherAreADeadlock) {
  const auto takes = [](int first, int second) {
    return [=](Machine& machine, int thread, int& pc) {
      if (!machine.Take(pc == 0 ? first : second, thread)) return Then::kWaits;
      return pc++ == 0 ? Then::kGoesOn : Then::kReturns;
    };
  };
  Toy toy({takes(0, 1), takes(1, 0)});
  Lockstep lockstep;
  const BlockResult result = RunOn(toy, 2, lockstep);
  EXPECT_EQ(result.stuck.kind, Stuck::kDeadlock);
  EXPECT_EQ(result.stuck.why,
            "`map d0 0` holds lock 0 and waits for a lock; "
            "`map d0 1` holds lock 1 and waits for a lock");
}

// Each change wakes the other one, so that somebody can always move.
TEST(BlockRun, TimeEndsTheWaitsOfWhoWakeEachOther) {
  const auto polls = [](Machine& machine, int thread, int& pc) {
    if (machine.milliseconds >= 1'000) return Then::kReturns;
    machine.Set(thread, ++pc);
    return Then::kSpins;
  };
  Toy toy({polls, polls});
  EXPECT_EQ(RunOn(toy, 2).stuck.kind, Stuck::kNot);
}

TEST(BlockRun, WhoSleepsBetweenItsTriesForEverIsALivelock) {
  const auto polls = [](Machine& machine, int thread, int& pc) {
    machine.milliseconds = 0;
    machine.Set(thread, ++pc);
    return Then::kSpins;
  };
  Toy toy({polls, Sets});
  EXPECT_EQ(RunOn(toy, 2).stuck.kind, Stuck::kLivelock);
}

TEST(BlockRun, FairTurnsFollowTheirScheduleAgain) {
  Toy toy({RetriesUnderLock, BacksOff(1, 2), BacksOff(2, 1), Sets});
  Lockstep lockstep;
  const BlockResult first = RunOn(toy, 4, lockstep);
  const auto course = toy.course();
  const BlockResult again = RunOn(toy, 4, first.schedule);
  EXPECT_EQ(again.stuck.kind, Stuck::kNot);
  EXPECT_EQ(again.schedule, first.schedule);
  EXPECT_EQ(toy.course(), course);
}

// RCU moves, and finds nothing to do.
class WithRcu : public Lockstep {
 public:
  bool MovesRcu() const override { return true; }
};

TEST(BlockRun, ARunInWhichRcuMovesSaysSoInItsSchedule) {
  Toy toy({Sets, Sets});
  WithRcu scheduler;
  EXPECT_TRUE(MovesRcu(RunOn(toy, 2, scheduler).schedule));
  Lockstep lockstep;
  EXPECT_FALSE(MovesRcu(RunOn(toy, 2, lockstep).schedule));
}

// Reads a word, works for a while, and stores the next number if the word is
// still the same; else once more.
Toy::Program Counts(int times, int work) {
  return [=, read = 0, done = 0](Machine& machine, int, int& pc) mutable {
    if (pc++ == 0) read = machine.Get(3);
    if (pc <= work) return Then::kGoesOn;
    pc = 0;
    if (machine.Get(3) == read) {
      machine.Set(3, read + 1);
      if (++done == times) return Then::kReturns;
    }
    return Then::kGoesOn;
  };
}

RC_GTEST_PROP(BlockRun, WhoOnlyRetriesWhatOthersSpoiltIsNeverStuck, ()) {
  const int threads = *rc::gen::inRange(2, 5);
  std::vector<Toy::Program> programs;
  for (int i = 0; i < threads; ++i) {
    programs.push_back(
        Counts(*rc::gen::inRange(1, 30), *rc::gen::inRange(1, 200)));
  }
  Toy toy(std::move(programs));
  const int kind = *rc::gen::inRange(0, 4);
  const uint64_t seed = *rc::gen::arbitrary<uint64_t>();
  std::unique_ptr<Scheduler> scheduler;
  if (kind == 0) scheduler = std::make_unique<Lockstep>();
  if (kind == 1) scheduler = std::make_unique<RandomWalk>(seed);
  if (kind == 2) scheduler = std::make_unique<Pct>(seed, 3, 1000);
  if (kind == 3) scheduler = std::make_unique<PartialOrderSampling>(seed);
  RC_ASSERT(RunOn(toy, static_cast<size_t>(threads), *scheduler).stuck.kind ==
            Stuck::kNot);
}

}  // namespace
}  // namespace atsfuzz::fuzz
