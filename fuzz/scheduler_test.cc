#include "fuzz/scheduler.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Actor;

const Actor kT0 = Actor::Thread(1), kT1 = Actor::Thread(2),
            kS0 = Actor::Smmu(0);

class SchedulerTest : public testing::Test {
 protected:
  void Ready(std::initializer_list<Actor> actors) {
    now_.ready = {};
    for (Actor actor : actors) now_.ready[actor.value] = true;
  }
  Position& At(Actor actor) { return now_.position[actor.value]; }
  void Stand(Actor actor, uint8_t operation, uint32_t step) {
    At(actor) = {.operation = operation, .step = step, .taken = step};
  }

  Situation now_;
};

TEST_F(SchedulerTest, ByDefaultThreadsRunInTurnAndSmmusServeWhoWaits) {
  Ready({kT0, kT1, kS0});
  EXPECT_EQ(DefaultChoice(now_).actor, kT0);
  now_.last = kT1;
  EXPECT_EQ(DefaultChoice(now_).actor, kT1);
  Ready({kT0, kS0});
  At(kT1).waits = true;
  EXPECT_EQ(DefaultChoice(now_).actor, kS0);
  EXPECT_EQ(DefaultChoice(now_).steps, 1u);
  At(kT1).waits = false;
  EXPECT_EQ(DefaultChoice(now_).actor, kT0);
  Ready({kS0});
  EXPECT_EQ(DefaultChoice(now_).actor, kS0);
}

TEST_F(SchedulerTest, RcuServesWhoWaitsToo) {
  const Actor rcu = Actor::Rcu();
  now_.last = kT1;
  At(kT1).waits = true;
  Ready({kT0, rcu});
  EXPECT_EQ(DefaultChoice(now_).actor, rcu);
  EXPECT_EQ(DefaultChoice(now_).steps, 1u);
  Ready({kT0, kS0, rcu});
  EXPECT_EQ(DefaultChoice(now_).actor, kS0);
}

TEST_F(SchedulerTest, RcuMovesInAScheduleThatNamesIt) {
  const model::Schedule without = {{kT0, 0, 3}, {kS0}};
  EXPECT_FALSE(Replay(without).MovesRcu());
  const model::Schedule with = {{kT0, 0, 3}, {Actor::Rcu(), 0, 2}};
  Replay replay(with);
  EXPECT_TRUE(replay.MovesRcu());
  Ready({kT0, Actor::Rcu()});
  Stand(kT0, 0, 3);
  EXPECT_EQ(replay.Next(now_).actor, Actor::Rcu());
  EXPECT_EQ(replay.Next(now_).steps, 2u);
  Stand(Actor::Rcu(), 0, 2);
  EXPECT_EQ(replay.Next(now_).actor, kT0);
}

TEST_F(SchedulerTest, AReplayStopsAThreadBeforeTheStepOfItsTurn) {
  const model::Schedule schedule = {{kT1, 1, 7}, {kT0}};
  Replay replay(schedule);
  Ready({kT0, kT1});
  EXPECT_EQ(replay.Next(now_).actor, kT1);
  Stand(kT1, 1, 0);
  Choice choice = replay.Next(now_);
  EXPECT_EQ(choice.actor, kT1);
  EXPECT_EQ(choice.steps, 7u);
  Stand(kT1, 1, 7);
  choice = replay.Next(now_);
  EXPECT_EQ(choice.actor, kT0);
  EXPECT_EQ(choice.steps, Choice::kAllSteps);
}

TEST_F(SchedulerTest, AReplayLetsTheSmmuServeTheThreadWhoseTurnItIs) {
  const model::Schedule schedule = {{kT1, 0, 9}, {kT0}};
  Replay replay(schedule);
  Stand(kT1, 0, 4);
  At(kT1).waits = true;
  Ready({kT0, kS0});
  EXPECT_EQ(replay.Next(now_).actor, kS0);
  Ready({kT0});  // it waits for a lock, or for ever
  EXPECT_EQ(replay.Next(now_).actor, kT0);
}

TEST_F(SchedulerTest, AThreadThatHasMadeItsLastAccessStandsBeforeTheNext) {
  const model::Schedule schedule = {{kT1, 0, 5}, {kT0}};
  Replay replay(schedule);
  At(kT1) = {.step = 5, .taken = 4, .waits = true};
  Ready({kT0, kS0});
  EXPECT_EQ(replay.Next(now_).actor, kT0);
}

TEST_F(SchedulerTest, TurnsThatAreBehindTheirActorMoveNobody) {
  const model::Schedule schedule = {{kT0, 0, 3}, {kS0, 0, 2}, {kT1}};
  Replay replay(schedule);
  Ready({kT0, kT1, kS0});
  Stand(kT0, 1, 0);
  Stand(kS0, 0, 2);
  EXPECT_EQ(replay.Next(now_).actor, kT1);
}

TEST_F(SchedulerTest, AThreadThatHasEndedHasNoTurn) {
  const model::Schedule schedule = {{kT0}, {kT1}};
  Replay replay(schedule);
  Ready({kT1, kS0});
  At(kT0).ended = true;
  EXPECT_EQ(replay.Next(now_).actor, kT1);
}

TEST_F(SchedulerTest, EveryStrategyChoosesAmongThoseThatAreReady) {
  RandomWalk walk(1);
  Pct pct(2, 4, 50);
  PartialOrderSampling pos(3);
  for (Scheduler* scheduler :
       std::initializer_list<Scheduler*>{&walk, &pct, &pos}) {
    scheduler->Begin(now_);
    for (int i = 0; i < 200; ++i) {
      const bool all = i % 3 != 0;
      if (all) {
        Ready({kT0, kT1, kS0});
      } else {
        Ready({kT1});
      }
      now_.steps = static_cast<uint32_t>(i);
      const Choice choice = scheduler->Next(now_);
      EXPECT_TRUE(now_.ready[choice.actor.value]);
      EXPECT_GE(choice.steps, 1u);
    }
  }
}

TEST_F(SchedulerTest, WeakTurnsAreThreadsOfSomeBlocks) {
  Ready({kT0, kT1, kS0});
  Refined weakened(1, {.weak = true}, std::make_unique<RandomWalk>(1));
  std::set<int> counts;  // of weak turns in blocks of twenty
  for (int block = 0; block < 30; ++block) {
    weakened.Begin(now_);
    int weak = 0, threads = 0;
    for (int i = 0; i < 20; ++i) {
      const Choice choice = weakened.Next(now_);
      threads += !choice.actor.is_smmu();
      weak += choice.weak;
      EXPECT_FALSE(choice.weak && choice.actor.is_smmu());
    }
    counts.insert(weak == threads ? 20 : weak);
  }
  EXPECT_THAT(counts, testing::IsSupersetOf({0, 20}));
  EXPECT_GE(counts.size(), 3u);
}

TEST_F(SchedulerTest, AReplayKeepsWeakTurns) {
  const model::Schedule schedule = {
      {.actor = kT1, .operation = 1, .step = 7, .weak = true}, {kT0}};
  Replay replay(schedule);
  Ready({kT0, kT1});
  const Choice first = replay.Next(now_);
  EXPECT_EQ(first.actor, kT1);
  EXPECT_TRUE(first.weak);
  Stand(kT1, 1, 7);
  EXPECT_FALSE(replay.Next(now_).weak);
}

TEST_F(SchedulerTest, AReplayStopsBeforeThePlainAccessOfItsTurn) {
  const model::Schedule schedule = {
      {.actor = kT1, .operation = 0, .step = 7, .plain = 3}, {kT0}};
  Replay replay(schedule);
  Ready({kT0, kT1});
  Stand(kT1, 0, 4);
  const Choice far = replay.Next(now_);
  EXPECT_EQ(far.steps, 4u);  // to stand before step 8, or
  EXPECT_EQ(far.plain, 3);   // at the third plain access after step 7
  Stand(kT1, 0, 7);
  At(kT1).plain = 1;
  const Choice near = replay.Next(now_);
  EXPECT_EQ(near.actor, kT1);
  EXPECT_EQ(near.steps, 1u);
  EXPECT_EQ(near.plain, 2);
  At(kT1).plain = 3;
  EXPECT_EQ(replay.Next(now_).actor, kT0);
}

TEST_F(SchedulerTest, PctKeepsToOneThreadBetweenItsPoints) {
  Ready({kT0, kT1, kS0});
  std::set<uint8_t> first;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Pct pct(seed, 2, 100);
    pct.Begin(now_);
    now_.steps = 0;
    const Choice before = pct.Next(now_);
    first.insert(before.actor.value);
    ASSERT_LE(before.steps, 100u);  // up to its one point
    now_.steps = before.steps;
    const Choice after = pct.Next(now_);
    EXPECT_NE(after.actor, before.actor) << "it fell to the end";
    EXPECT_EQ(after.steps, Choice::kAllSteps);
  }
  EXPECT_EQ(first.size(), 3u);
}

TEST_F(SchedulerTest, EqualSeedsChooseAlike) {
  Ready({kT0, kT1, kS0});
  for (int i = 0; i < 3; ++i) {
    RandomWalk a(7), b(7);
    a.Begin(now_);
    b.Begin(now_);
    for (int j = 0; j < 50; ++j) {
      const Choice left = a.Next(now_), right = b.Next(now_);
      ASSERT_EQ(left.actor, right.actor);
      ASSERT_EQ(left.steps, right.steps);
    }
  }
}

}  // namespace
}  // namespace atsfuzz::fuzz
