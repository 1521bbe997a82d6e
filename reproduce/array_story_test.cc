#include "reproduce/array_story.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/observation.h"

namespace atsfuzz::reproduce {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ArrayEntry kAsid = {.type = ATSFUZZ_INV_S1_ASID, .id = 1};
constexpr ArrayEntry kAts = {.type = ATSFUZZ_INV_ATS, .id = 0x100};
constexpr ArrayEntry kOther = {.type = ATSFUZZ_INV_ATS, .id = 0x200};

ArrayCall Merge(uint32_t array, ArrayList list, uint32_t result) {
  return {.kind = ArrayCall::kMerge,
          .array = array,
          .result = result,
          .list = std::move(list)};
}
ArrayCall Unref(uint32_t array, ArrayList list) {
  return {.kind = ArrayCall::kUnref, .array = array, .list = std::move(list)};
}
ArrayCall Purge(uint32_t array, uint32_t result) {
  return {.kind = ArrayCall::kPurge, .array = array, .result = result};
}

// "S1_ASID 1 x2", by step.
std::vector<std::string> Live(const StoryStep& step) {
  std::vector<std::string> live;
  for (const LiveEntry& each : step.expected) {
    live.push_back(ToText(each.entry) + " x" + std::to_string(each.users));
  }
  return live;
}

TEST(ArrayStory, ListsThatJoinAndLeaveCountTheUsersOfTheirEntries) {
  const auto story =
      StoryOf({Merge(1, {kAsid, kAts}, 2), Merge(2, {kAsid, kOther}, 3),
               Unref(3, {kAsid, kAts})},
              3);
  ASSERT_EQ(story.size(), 3u);
  EXPECT_THAT(Live(story[0]), ElementsAre("S1_ASID 1 x1", "ATS 0x100 x1"));
  EXPECT_THAT(Live(story[1]),
              ElementsAre("S1_ASID 1 x2", "ATS 0x100 x1", "ATS 0x200 x1"));
  EXPECT_THAT(Live(story[2]), ElementsAre("S1_ASID 1 x1", "ATS 0x200 x1"));
  EXPECT_THAT(story[2].gone, ElementsAre(1u));
  EXPECT_EQ(story[2].misuse, "");
}

TEST(ArrayStory, TrashIsLeftBeforeALiveEntryAndCutOffAtTheEnd) {
  const auto story = StoryOf(
      {Merge(1, {kAsid}, 2), Merge(2, {kAts}, 3), Unref(3, {kAts}), Purge(3, 0),
       Merge(3, {kOther}, 4), Unref(4, {kAsid}), Purge(4, 5)},
      5);
  ASSERT_EQ(story.size(), 7u);
  EXPECT_FALSE(story[3].has_trash);
  EXPECT_TRUE(story[6].has_trash);
  EXPECT_THAT(Live(story[6]), ElementsAre("ATS 0x200 x1"));
}

TEST(ArrayStory, TheCopiesOfAnEntryHaveUsersOfTheirOwn) {
  const auto story = StoryOf(
      {Merge(1, {kAts, kAts}, 2), Merge(2, {kAts}, 3), Unref(3, {kAts, kAts})},
      3);
  EXPECT_THAT(Live(story[1]), ElementsAre("ATS 0x100 x2", "ATS 0x100 x1"));
  EXPECT_THAT(Live(story[2]), ElementsAre("ATS 0x100 x1"));
  EXPECT_THAT(story[2].gone, ElementsAre(1u));
}

TEST(ArrayStory, OtherArraysAreNoPartOfItAndADroppedOneIsToldSo) {
  const auto story = StoryOf({Merge(1, {kAsid}, 2), Merge(7, {kOther}, 8),
                              Merge(2, {kAts}, 3), Unref(2, {kAsid})},
                             2);
  ASSERT_EQ(story.size(), 3u);
  EXPECT_FALSE(story[0].dropped);
  EXPECT_TRUE(story[1].dropped);
  EXPECT_THAT(Live(story[2]), IsEmpty());
}

TEST(ArrayStory, ACallerThatDoesWhatItMustNotIsNamed) {
  const auto story = StoryOf({Merge(1, {kAsid}, 2), Unref(2, {kAsid, kAts}),
                              Unref(2, {kAsid}), Merge(2, {kAts, kAsid}, 3)},
                             3);
  EXPECT_EQ(story[1].misuse, "ATS 0x100 leaves, and is not in the array");
  EXPECT_EQ(story[2].misuse, "S1_ASID 1 leaves, and is not in the array");
  EXPECT_EQ(story[3].misuse, "the list is not sorted");
}

TEST(ArrayStory, AMergeThatFailsChangesNothing) {
  const auto story = StoryOf(
      {Merge(1, {kAsid}, 2), Merge(2, {kAts}, 0), Unref(2, {kAsid})}, 2);
  ASSERT_EQ(story.size(), 3u);
  EXPECT_THAT(story[2].gone, ElementsAre(0u));
  EXPECT_THAT(Live(story[2]), IsEmpty());
}

}  // namespace
}  // namespace atsfuzz::reproduce
