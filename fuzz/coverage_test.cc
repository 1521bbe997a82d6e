#include "fuzz/coverage.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Coverage, AnEdgeIsNewOnceForEachBucketOfCounts) {
  Coverage coverage;
  const std::vector<uint8_t> once = {0, 1, 0}, four = {0, 4, 0},
                             seven = {0, 7, 0}, many = {0, 200, 0};
  EXPECT_THAT(coverage.NewFeatures(once), ElementsAre(8));
  EXPECT_TRUE(coverage.Add({8}));
  EXPECT_FALSE(coverage.Add({8}));
  EXPECT_THAT(coverage.NewFeatures(once), IsEmpty());
  EXPECT_THAT(coverage.NewFeatures(four), ElementsAre(8 + 3));
  EXPECT_THAT(coverage.NewFeatures(seven), ElementsAre(8 + 3));
  EXPECT_THAT(coverage.NewFeatures(many), ElementsAre(8 + 7));
  EXPECT_EQ(coverage.edges(), 1u);
}

TEST(Coverage, EveryCountHasABucketAndBucketsGrow) {
  const Coverage nothing;
  uint32_t last = 0;
  for (int count = 1; count <= 255; ++count) {
    const std::vector<uint8_t> counters = {static_cast<uint8_t>(count)};
    const auto features = nothing.NewFeatures(counters);
    ASSERT_EQ(features.size(), 1u) << count;
    EXPECT_GE(features[0], last) << count;
    EXPECT_LT(features[0], 8u) << count;
    last = features[0];
  }
  EXPECT_EQ(last, 7u);
}

TEST(Coverage, FindsEdgesAcrossLongRunsOfZeroes) {
  std::vector<uint8_t> counters(100);
  counters[0] = counters[23] = counters[64] = counters[99] = 1;
  EXPECT_THAT(Coverage().NewFeatures(counters),
              ElementsAre(0, 23 * 8, 64 * 8, 99 * 8));
}

}  // namespace
}  // namespace atsfuzz::fuzz
