#include "model/mapping.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::model {
namespace {

using ::testing::ElementsAre;

constexpr Mapping kLow{.page = 2, .pages = 2, .physical = 0x1000};
constexpr Mapping kMiddle{.page = 4, .pages = 1, .physical = 0x2000};
constexpr Mapping kHigh{.page = 8, .pages = 3, .physical = 0x3000};

Mappings Three() {
  Mappings mappings;
  for (const Mapping& mapping : {kHigh, kLow, kMiddle}) {
    Insert(mappings, mapping);
  }
  return mappings;
}

TEST(Mapping, TheyAreKeptByPage) {
  EXPECT_THAT(Three(), ElementsAre(kLow, kMiddle, kHigh));
}

TEST(Mapping, APageFindsTheMappingThatCoversIt) {
  const Mappings mappings = Three();
  const int expected[] = {-1, -1, 0, 0, 1, -1, -1, -1, 2, 2, 2, -1};
  for (uint16_t page = 0; page < 12; ++page) {
    SCOPED_TRACE(page);
    const Mapping* found = Find(mappings, page);
    EXPECT_EQ(found, expected[page] < 0 ? nullptr : &mappings[expected[page]]);
  }
}

TEST(Mapping, ARangeOverlapsIfAnyOfItsPagesIsMapped) {
  const Mappings mappings = Three();
  EXPECT_TRUE(Overlaps(mappings, 0, 3));
  EXPECT_TRUE(Overlaps(mappings, 5, 4));
  EXPECT_TRUE(Overlaps(mappings, 0, 100));
  EXPECT_TRUE(Overlaps(mappings, 10, 1));
  EXPECT_FALSE(Overlaps(mappings, 0, 2));
  EXPECT_FALSE(Overlaps(mappings, 5, 3));
  EXPECT_FALSE(Overlaps(mappings, 11, 100));
}

TEST(Mapping, OnlyNeighboursThatAreWholeMakeAWhole) {
  const Mappings mappings = Three();
  EXPECT_TRUE(IsWhole(mappings, 2, 2));
  EXPECT_TRUE(IsWhole(mappings, 2, 3));
  EXPECT_TRUE(IsWhole(mappings, 8, 3));
  EXPECT_FALSE(IsWhole(mappings, 2, 1));
  EXPECT_FALSE(IsWhole(mappings, 3, 1));
  EXPECT_FALSE(IsWhole(mappings, 2, 4));
  EXPECT_FALSE(IsWhole(mappings, 4, 7));
  EXPECT_FALSE(IsWhole(mappings, 5, 1));
}

TEST(Mapping, WhatIsRemovedIsTaken) {
  Mappings mappings = Three();
  Mappings taken = {kHigh};
  Remove(mappings, 2, 3, &taken);
  EXPECT_THAT(mappings, ElementsAre(kHigh));
  EXPECT_THAT(taken, ElementsAre(kLow, kMiddle, kHigh));
  Remove(mappings, 8, 3, nullptr);
  EXPECT_THAT(mappings, ElementsAre());
}

}  // namespace
}  // namespace atsfuzz::model
