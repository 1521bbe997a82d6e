#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/checker.h"
#include "properties/hand_made.h"

// What the checker says of a `par` block.
namespace atsfuzz::properties {
namespace {

using model::OperationKind;
using testing::IsEmpty;
using testing::SizeIs;

class BlockTest : public testing::Test, protected HandMade {
 protected:
  BlockTest() : checker_(Topology()) {
    for (uint8_t f = 0; f < 3; ++f) {
      checker_.contract().Apply(Make(OperationKind::kProbe, f), 0, 0);
    }
    checker_.contract().Apply(Make(OperationKind::kDomainNew, 0, 1), 0, 0);
    checker_.contract().Apply(Make(OperationKind::kAttach, 2, 1), 0, 0);
    model::Operation map = Make(OperationKind::kMap, 0, 1);
    map.page = 5;
    checker_.contract().Apply(map, 0, Physical(5));
    checker_.Boot({}, now);
  }
  static SideBySide Beside(const model::Operation& operation, uint32_t began,
                           uint32_t ended) {
    return {.operation = operation,
            .returned = true,
            .began = began,
            .ended = ended};
  }
  static model::Operation Unmap() {
    model::Operation unmap = Make(OperationKind::kUnmap, 0, 1);
    unmap.page = 5;
    return unmap;
  }
  static atsfuzz_event Dma(int page) {
    return {.kind = ATSFUZZ_EVENT_DMA,
            .function = 2,
            .stream = 0x300,
            .a = Iova(page),
            .b = Physical(page),
            .c = ATSFUZZ_DMA_UNTRANSLATED};
  }
  static atsfuzz_event AtcInv() {
    return {.kind = ATSFUZZ_EVENT_COMMAND,
            .smmu = 0,
            .a = 0x40 | uint64_t{0x200} << 32,
            .b = 52};
  }
  // The messages about `invariant`.
  std::vector<std::string> Judge(Invariant invariant,
                                 const std::vector<SideBySide>& operations,
                                 const Stuck& stuck = {}) {
    std::vector<std::string> messages;
    for (const Violation& v : checker_.Block(operations, stuck, events, now)) {
      if (v.invariant == invariant) messages.push_back(v.message);
    }
    return messages;
  }

  Checker checker_;
};

TEST_F(BlockTest, AnAccessBesideAnUnmapMayStillReachThePage) {
  events = {Dma(5), Dma(5)};
  EXPECT_THAT(Judge(Invariant::kNoDmaAfterUnmap, {Beside(Unmap(), 0, 2)}),
              IsEmpty());
}

TEST_F(BlockTest, AnAccessAfterTheUnmapHasReturnedMayNot) {
  events = {Dma(5), Dma(5)};
  EXPECT_THAT(Judge(Invariant::kNoDmaAfterUnmap, {Beside(Unmap(), 0, 1)}),
              SizeIs(1));
}

TEST_F(BlockTest, AnAccessBesideAMapMayReachThePageAlready) {
  model::Operation map = Make(OperationKind::kMap, 0, 1);
  map.page = 7;
  SideBySide side = Beside(map, 0, 2);
  side.physical = Physical(7);
  events = {Dma(7)};
  EXPECT_THAT(Judge(Invariant::kNoDmaAfterUnmap, {side}), IsEmpty());
}

TEST_F(BlockTest, AnAccessBeforeTheMapBeganMayNot) {
  model::Operation map = Make(OperationKind::kMap, 0, 1);
  map.page = 7;
  SideBySide side = Beside(map, 1, 2);
  side.physical = Physical(7);
  events = {Dma(7), {}};
  EXPECT_THAT(Judge(Invariant::kNoDmaAfterUnmap, {side}), SizeIs(1));
}

TEST_F(BlockTest, AnAtcInvMayNameAFunctionThatIsJustBeingDetached) {
  events = {AtcInv()};
  EXPECT_THAT(Judge(Invariant::kInvalidationsExact,
                    {Beside(Make(OperationKind::kDetach, 1), 0, 1)}),
              IsEmpty());
}

TEST_F(BlockTest, AnAtcInvMayNotNameAFunctionWhoseDetachHasReturned) {
  events = {{}, AtcInv()};
  EXPECT_THAT(Judge(Invariant::kInvalidationsExact,
                    {Beside(Make(OperationKind::kDetach, 1), 0, 1)}),
              SizeIs(1));
}

TEST_F(BlockTest, WhatNeverReturnsIsAFindingOfItsKindThatNamesTheLocks) {
  SideBySide side = Beside(Unmap(), 0, 0);
  side.returned = false;
  const std::vector<std::pair<Stuck::Kind, std::string>> kinds = {
      {Stuck::kDeadlock, "a deadlock"},
      {Stuck::kLivelock, "a livelock"},
      {Stuck::kStarvation, "starvation"}};
  for (const auto& [kind, found] : kinds) {
    Checker checker(Topology());
    checker.Boot({}, now);
    const Stuck stuck = {.kind = kind, .why = "`unmap d1 5` waits for a lock"};
    const auto violations = checker.Block({&side, 1}, stuck, {}, now);
    ASSERT_THAT(violations, SizeIs(1));
    EXPECT_EQ(violations[0].invariant, Invariant::kProgress);
    EXPECT_EQ(violations[0].found, found);
    EXPECT_THAT(violations[0].message, testing::HasSubstr(stuck.why));
  }
}

}  // namespace
}  // namespace atsfuzz::properties
