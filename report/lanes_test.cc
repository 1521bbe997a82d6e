#include "report/lanes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::report {
namespace {

TEST(Lanes, AreOrderedByWhatTheyAre) {
  std::vector<Row> rows;
  for (const char* lane : {"d0", "v10", "p0's default domain", "s0", "t1", "",
                           "rcu", "f2", "cpu", "t0", "s0", "p1"}) {
    rows.push_back({.lane = lane});
  }
  EXPECT_THAT(LanesOf(rows),
              testing::ElementsAre("cpu", "t0", "t1", "s0", "rcu", "f2", "p1",
                                   "v10", "d0", "p0's default domain"));
}

TEST(Lanes, AreCalledWhatTheyAre) {
  EXPECT_EQ(LaneTitle("cpu"), "CPU");
  EXPECT_EQ(LaneTitle("t1"), "CPU t1");
  EXPECT_EQ(LaneTitle("s0"), "SMMU s0");
  EXPECT_EQ(LaneTitle("rcu"), "RCU");
  EXPECT_EQ(LaneTitle("p0"), "p0");
  EXPECT_EQ(LaneTitle("p0's default domain"), "p0's default domain");
}

}  // namespace
}  // namespace atsfuzz::report
