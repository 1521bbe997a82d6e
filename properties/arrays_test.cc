#include "properties/arrays.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/hand_made.h"

namespace atsfuzz::properties {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ArraysTest : public testing::Test, protected HandMade {
 protected:
  std::vector<std::string> Judge() {
    Arrays().AtRest(Step());
    return Found();
  }
  // p2 alone in d0, ATS on.
  void P2InD0() {
    Attached(2, 0);
    now.functions[2].ats = 1;
    now.domains[0].attachments[2] = now.domains[0].nr_ats_masters = 1;
  }
  // p0 and p1 in d0 with ATS, PASID 3 of both in d1.
  void GroupWithPasid() {
    Attached(0, 0);
    PasidSet(0, 3, 1);
    for (int f = 0; f < 2; ++f) {
      now.functions[f].ats = 1;
      now.domains[0].attachments[f] = now.domains[1].pasid_attachments[f] = 1;
    }
    now.domains[0].nr_ats_masters = now.domains[1].nr_ats_masters = 2;
  }
  static std::vector<atsfuzz_inv> OfRids() {
    return {Tag(0, 2), Ats(0x100), Ats(0x180), Ats(0x200)};
  }
  static std::vector<atsfuzz_inv> OfPasids() {
    return {Tag(1, 2), Ats(0x100, 3), Ats(0x180, 3), Ats(0x200, 3)};
  }
  // p0 nested above d2, and p1 with it; ATS on.
  void GroupNested() {
    Attached(0, 3);
    for (int f = 0; f < 2; ++f) {
      now.functions[f].ats = now.domains[2].attachments[f] = 1;
    }
    now.domains[2].nr_ats_masters = 2;
  }
};

TEST_F(ArraysTest, NothingAttachedNeedsNothing) {
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(ArraysTest, AnIdListedTwiceHasTwoEqualEntries) {
  P2InD0();
  Array(0, {Tag(0, 1), Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(ArraysTest, OneOfTwoEqualEntriesIsMissing) {
  P2InD0();
  Array(0, {Tag(0, 1), Ats(0x300)});
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: ATS missing once"));
}

TEST_F(ArraysTest, TwoUsersOfOneEntryAreNotTwoEntries) {
  P2InD0();
  Array(0, {Tag(0, 1), Ats(0x300, 0, 2)});
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: ATS missing once"));
}

TEST_F(ArraysTest, RidsAndPasidsOfAGroupEachHaveTheirEntries) {
  GroupWithPasid();
  Array(0, OfRids());
  Array(1, OfPasids());
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(ArraysTest, APasidWithoutItsEntryIsNotCovered) {
  GroupWithPasid();
  Array(0, OfRids());
  Array(1, {Tag(1, 2), Ats(0x100, 3), Ats(0x180, 3)});
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: ATS missing",
                                   "representations-agree: array"));
}

TEST_F(ArraysTest, AnEntryOfAPasidElsewhereIsLeftBehind) {
  GroupWithPasid();
  std::vector<atsfuzz_inv> rids = OfRids();
  rids.insert(rids.begin() + 2, Ats(0x100, 3));
  Array(0, rids);
  Array(1, OfPasids());
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: ATS left behind",
                                   "representations-agree: array"));
}

TEST_F(ArraysTest, TheTagHasAUserForEachAttachment) {
  GroupWithPasid();
  std::vector<atsfuzz_inv> rids = OfRids();
  rids[0].users = 1;
  Array(0, rids);
  std::vector<atsfuzz_inv> pasids = OfPasids();
  pasids[0].users = 3;
  Array(1, pasids);
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: too few users",
                                   "array-covers-attachments: too many users"));
}

TEST_F(ArraysTest, AnAttachmentWithoutTagIsNotCovered) {
  P2InD0();
  Array(0, {Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: tag missing"));
}

TEST_F(ArraysTest, ATagWithoutAttachmentIsLeftBehind) {
  Array(0, {Tag(0, 1)});
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: tag left behind"));
}

TEST_F(ArraysTest, TheTagIsTheDomainsOwn) {
  P2InD0();
  Array(0, {Tag(1, 1), Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: another tag"));
}

TEST_F(ArraysTest, AtsEntriesGoWithAtsOfTheDeviceAndNotWithBelief) {
  P2InD0();
  now.functions[2].ats = 0;
  now.functions[2].belief = 1;
  Array(0, {Tag(0, 1), Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-covers-attachments: ATS left behind",
                                   "representations-agree: list"));
}

TEST_F(ArraysTest, UsersOfAnAtsEntryAreOne) {
  GroupWithPasid();
  std::vector<atsfuzz_inv> rids = OfRids();
  rids[3].users = 2;
  Array(0, rids);
  Array(1, OfPasids());
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: ATS too many users"));
}

TEST_F(ArraysTest, NestedAttachmentsAreTheParents) {
  GroupNested();
  Array(2,
        {Tag(2, 2), Clear(2), AtsFull(0x100), AtsFull(0x180), AtsFull(0x200)});
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(ArraysTest, ANestingParentClearsItsGuests) {
  GroupNested();
  Array(2, {Tag(2, 2), AtsFull(0x100), AtsFull(0x180), AtsFull(0x200)});
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: S1 clear missing"));
}

TEST_F(ArraysTest, ANestingParentNeedsFullAtsEntries) {
  GroupNested();
  Array(2, {Tag(2, 2), Clear(2), Ats(0x200), AtsFull(0x100), AtsFull(0x180)});
  EXPECT_THAT(Judge(),
              ElementsAre("array-covers-attachments: ATS missing",
                          "array-covers-attachments: ATS of the wrong type"));
}

TEST_F(ArraysTest, AParkedFunctionNeedsNothing) {
  GroupWithPasid();
  Did(model::OperationKind::kResetBegin, 1);
  now.functions[1].ats = 0;
  now.domains[0].attachments[1] = now.domains[1].pasid_attachments[1] = 0;
  now.domains[0].nr_ats_masters = now.domains[1].nr_ats_masters = 1;
  Array(0, {Tag(0, 1), Ats(0x100), Ats(0x180)});
  Array(1, {Tag(1, 1), Ats(0x100, 3), Ats(0x180, 3)});
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(ArraysTest, TrashBetweenLiveEntriesIsFine) {
  P2InD0();
  Array(0, {Tag(0, 1), Ats(0x100, 0, 0), Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), IsEmpty());
}

// ---- Shape ------------------------------------------------------------------

class ShapeTest : public ArraysTest {
 protected:
  void SetUp() override {
    P2InD0();
    Array(0, {Tag(0, 1), Ats(0x100, 0, 0), Ats(0x300), Ats(0x300)});
  }
  atsfuzz_domain& d0() { return now.domains[0]; }
};

TEST_F(ShapeTest, ALiveAtsEntryImpliesHasAts) {
  d0().has_ats = 0;
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: has_ats"));
}

TEST_F(ShapeTest, NumInvsIsAtMostMaxInvs) {
  d0().max_invs = 3;
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: num_invs"));
}

TEST_F(ShapeTest, NumTrashesIsTheTrashThatThereIs) {
  d0().num_trashes = 0;
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: num_trashes"));
}

TEST_F(ShapeTest, EntriesAreSorted) {
  Array(0, {Tag(0, 1), Ats(0x300), Ats(0x300), Ats(0x100, 0, 0)});
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: not sorted"));
}

TEST_F(ShapeTest, AtsEntriesOfOneStreamAreSortedByPasid) {
  Array(0, {Tag(0, 1), Ats(0x100, 2, 0), Ats(0x100, 1, 0), Ats(0x300),
            Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: not sorted"));
}

TEST_F(ShapeTest, EqualNeighboursAreOfAnIdListedTwice) {
  Array(0, {Tag(0, 1), Ats(0x100, 0, 0), Ats(0x100, 0, 0), Ats(0x300),
            Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: equal entries"));
}

TEST_F(ShapeTest, UsersAreNeverNegative) {
  Array(0, {Tag(0, 1), Tag(1, -1), Ats(0x300), Ats(0x300)});
  EXPECT_THAT(Judge(), ElementsAre("array-well-formed: negative users",
                                   "array-covers-attachments: another tag"));
}

// ---- Agreement --------------------------------------------------------------

TEST_F(ShapeTest, TheCounterAgreesWithTheArray) {
  d0().nr_ats_masters = 2;
  EXPECT_THAT(Judge(), ElementsAre("representations-agree: counter"));
}

TEST_F(ShapeTest, TheListAgreesWithTheArray) {
  d0().attachments[2] = 2;
  EXPECT_THAT(Judge(), ElementsAre("representations-agree: list"));
}

TEST_F(ShapeTest, AKernelWithoutArraysIsNotJudged) {
  d0().has_array = 0;
  d0().has_ats = 0;
  d0().nr_ats_masters = 2;
  EXPECT_THAT(Judge(), IsEmpty());
}

}  // namespace
}  // namespace atsfuzz::properties
