#include "nightly/finding_state.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::nightly {
namespace {

Judgement Shows(NightNumber night) { return {.night = night, .shows = true}; }
Judgement Clean(NightNumber night) { return {.night = night}; }

TEST(FindingState, IsNewInItsFirstNightAndKnownAfterwards) {
  EXPECT_EQ(LifeOf({Shows(3)}, 3).state, FindingState::kNew);
  const Life life = LifeOf({Shows(3), Shows(4), Shows(5)}, 5);
  EXPECT_EQ(life.state, FindingState::kKnown);
  EXPECT_EQ(life.since, 4);
  EXPECT_EQ(life.last_seen, 5);
}

TEST(FindingState, IsNotSeenWhereNobodyLooked) {
  const Life life = LifeOf({Shows(1), Shows(2)}, 5);
  EXPECT_EQ(life.state, FindingState::kNotSeen);
  EXPECT_EQ(life.since, 3);
  EXPECT_EQ(life.last_seen, 2);
}

TEST(FindingState, IsFixedUntilSomebodySeesItAgain) {
  EXPECT_EQ(LifeOf({Shows(1), Clean(2)}, 2).state, FindingState::kFixed);
  const Life later = LifeOf({Shows(1), Clean(2)}, 9);
  EXPECT_EQ(later.state, FindingState::kFixed);
  EXPECT_EQ(later.since, 2);
  const Life back = LifeOf({Shows(1), Clean(2), Shows(3)}, 3);
  EXPECT_EQ(back.state, FindingState::kRegressed);
  EXPECT_EQ(back.since, 3);
  EXPECT_EQ(LifeOf({Shows(1), Clean(2), Shows(3), Shows(4)}, 4).state,
            FindingState::kKnown);
}

TEST(FindingState, ChangedSaysWhatItIsNow) {
  const Life life = LifeOf(
      {Shows(1), {.night = 2, .instead = "belief-matches-device-111111"}}, 2);
  EXPECT_EQ(life.state, FindingState::kChanged);
  EXPECT_EQ(life.instead, "belief-matches-device-111111");
}

TEST(FindingState, OneWhoSeesItInANightIsEnough) {
  EXPECT_EQ(LifeOf({Shows(1), Clean(2), Shows(2)}, 2).state,
            FindingState::kKnown);
  EXPECT_EQ(LifeOf({Shows(1), Shows(2), Clean(2)}, 2).state,
            FindingState::kKnown);
}

// What is told of a night does not depend on the nights after it, and every
// night has one state.
RC_GTEST_PROP(FindingState, LooksBackOnly, ()) {
  std::vector<Judgement> judgements = {Shows(1)};
  const int nights = *rc::gen::inRange(1, 12);
  for (NightNumber night = 2; night <= nights; ++night) {
    const int what = *rc::gen::inRange(0, 3);
    if (what == 0) continue;
    judgements.push_back(what == 1 ? Shows(night) : Clean(night));
  }
  const NightNumber last = judgements.back().night;
  const Life life = LifeOf(judgements, last);
  RC_ASSERT(life.since <= last);
  RC_ASSERT(life.last_seen <= last);
  const bool shows = judgements.back().shows;
  RC_ASSERT((life.state == FindingState::kFixed) == !shows);
  RC_ASSERT((life.last_seen == last) == shows);
  // A night at which nobody looks changes nothing that was fixed.
  const Life next = LifeOf(judgements, last + 1);
  RC_ASSERT(next.state ==
            (shows ? FindingState::kNotSeen : FindingState::kFixed));
}

}  // namespace
}  // namespace atsfuzz::nightly
