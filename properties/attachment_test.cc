#include "properties/attachment.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/ats_state.h"
#include "properties/entries.h"
#include "properties/hand_made.h"

// Where PASIDs, groups, nested domains and functions in a reset must be.
namespace atsfuzz::properties {
namespace {

using model::OperationKind;
using testing::ElementsAre;
using testing::IsEmpty;

class AttachmentTest : public testing::Test, protected HandMade {
 protected:
  void SetUp() override {
    for (uint8_t f = 0; f < 3; ++f) {
      for (int s = 0; s < machine.Streams(f); ++s) {
        now.functions[f].streams[s].route = ATSFUZZ_ROUTE_BYPASS;
        now.functions[f].streams[s].master = f;
      }
    }
  }
  std::vector<std::string> Judge() {
    Attachment().AtRest(Step());
    return Found();
  }
  void Route(int f, uint8_t route, int d = -1) {
    for (int s = 0; s < machine.Streams(f); ++s) {
      atsfuzz_stream& stream = now.functions[f].streams[s];
      stream.route = route;
      if (d < 0) continue;
      stream.cd_valid = route == ATSFUZZ_ROUTE_STAGE1;
      (d == 2 ? stream.vmid : stream.asid) = TagOf(d);
      stream.table = TableOf(d);
    }
  }
  void Substream(int f, uint32_t pasid, int d) {
    atsfuzz_function& function = now.functions[f];
    function.substreams[function.substream_count++] = {
        .pasid = pasid, .asid = TagOf(d), .table = TableOf(d)};
  }
  // PASID 3 of p2 in d1, above identity.
  void P2WithPasid() {
    PasidSet(2, 3, 1);
    Route(2, ATSFUZZ_ROUTE_S1DSS_BYPASS);
    Substream(2, 3, 1);
  }
};

TEST_F(AttachmentTest, IdentityMayBeACdTablesBypass) {
  P2WithPasid();
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(AttachmentTest, BlockedMayBeACdTablesTerminate) {
  P2WithPasid();
  Did(OperationKind::kClaim, 2);
  Route(2, ATSFUZZ_ROUTE_S1DSS_TERMINATE);
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(AttachmentTest, APasidNeedsItsContextDescriptor) {
  P2WithPasid();
  now.functions[2].substream_count = 0;
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: PASID: no valid "
                                   "context descriptor"));
}

TEST_F(AttachmentTest, APasidGoesThroughItsOwnDomain) {
  P2WithPasid();
  now.functions[2].substreams[0].asid = TagOf(0);
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: PASID: another ASID"));
}

TEST_F(AttachmentTest, APasidGoesThroughItsDomainsTable) {
  P2WithPasid();
  now.functions[2].substreams[0].table = TableOf(0);
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: PASID: another page table"));
}

TEST_F(AttachmentTest, APasidNeedsTheCdTableInTheStreamTableEntry) {
  P2WithPasid();
  Route(2, ATSFUZZ_ROUTE_BYPASS);
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: PASID: no CD table"));
}

TEST_F(AttachmentTest, APasidThatWasClearedHasNoContextDescriptor) {
  P2WithPasid();
  Did(OperationKind::kClearPasid, 2, 1, 3);
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: PASID: left behind"));
}

TEST_F(AttachmentTest, AParkedFunctionIsBlockedAndHasNoPasid) {
  P2WithPasid();
  Did(OperationKind::kResetBegin, 2);
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: not blocked",
                          "attachment-as-returned: not blocked",
                          "attachment-as-returned: PASID: left behind"));
}

TEST_F(AttachmentTest, AResetEndsWhereItBegan) {
  P2WithPasid();
  Did(OperationKind::kResetBegin, 2);
  now.functions[2].substream_count = 0;
  Route(2, ATSFUZZ_ROUTE_ABORT);
  EXPECT_THAT(Judge(), IsEmpty());
  Did(OperationKind::kResetEnd, 2);
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: not identity",
                                   "attachment-as-returned: not identity",
                                   "attachment-as-returned: PASID: no valid "
                                   "context descriptor"));
}

TEST_F(AttachmentTest, AGroupMovesAsOne) {
  Attached(0, 0);
  Route(0, ATSFUZZ_ROUTE_STAGE1, 0);
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: not stage 1"));
}

TEST_F(AttachmentTest, AGroupHasOneDefaultDomainItsLeaders) {
  Did(OperationKind::kSetDefault, 0);
  const int slot = ATSFUZZ_MAX_DOMAINS;
  now.domains[slot] = {
      .exists = 1, .finalised = 1, .stage = 1, .tag = TagOf(0)};
  now.domains[slot].tag = 99;
  for (int f = 0; f < 2; ++f) {
    now.functions[f].group_domain = slot;
    Route(f, ATSFUZZ_ROUTE_STAGE1, 0);
    for (atsfuzz_stream& stream : now.functions[f].streams) {
      stream.asid = 99;
      stream.table = 0;
    }
  }
  EXPECT_THAT(Judge(), IsEmpty());
  now.functions[1].group_domain = slot + 1;
  EXPECT_THAT(
      Judge(),
      ElementsAre("attachment-as-returned: the group is in another domain"));
}

TEST_F(AttachmentTest, AReleasedFunctionAbortsUnlessItHasAReservedRegion) {
  for (uint8_t f = 1; f < 3; ++f) {
    Did(OperationKind::kRelease, f);
    for (atsfuzz_stream& stream : now.functions[f].streams) {
      stream.master = ATSFUZZ_NONE;
    }
  }
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: left behind"))
      << "p2's, not p1's";
  Route(1, ATSFUZZ_ROUTE_S1DSS_BYPASS);
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: left behind"))
      << "p1's, with a CD table";
}

TEST_F(AttachmentTest, ANestedFunctionIsAboveItsParent) {
  Attached(2, 3);
  Route(2, ATSFUZZ_ROUTE_NESTED, 2);
  EXPECT_THAT(Judge(), IsEmpty());
  now.functions[2].streams[0].vmid = 99;
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: another VMID"));
}

TEST_F(AttachmentTest, AGuestsStage1IsNotTheParentAlone) {
  Attached(2, 3);
  Route(2, ATSFUZZ_ROUTE_STAGE2, 2);
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: not nested",
                                   "attachment-as-returned: not nested"));
}

TEST_F(AttachmentTest, AGuestsBypassIsTheParentAlone) {
  Attached(2, 4);
  Route(2, ATSFUZZ_ROUTE_STAGE2, 2);
  EXPECT_THAT(Judge(), IsEmpty());
  now.functions[2].streams[0].route = ATSFUZZ_ROUTE_BYPASS;
  EXPECT_THAT(Judge(), ElementsAre("attachment-as-returned: not stage 2"));
}

TEST_F(AttachmentTest, AGuestsAbortIsAnAbort) {
  Attached(2, 5);
  Route(2, ATSFUZZ_ROUTE_ABORT);
  EXPECT_THAT(Judge(), IsEmpty());
  now.functions[2].streams[0].route = ATSFUZZ_ROUTE_STAGE2;
  EXPECT_THAT(Judge(),
              ElementsAre("attachment-as-returned: not the guest's abort"));
}

// ---- Counters ---------------------------------------------------------------

TEST_F(AttachmentTest, TheCounterCountsPasidsToo) {
  now.functions[2].probed = now.functions[2].ats = now.functions[2].belief = 1;
  now.functions[2].stu = 12;
  for (atsfuzz_stream& stream : now.functions[2].streams) stream.eats = 1;
  now.domains[1].attachments[2] = now.domains[1].pasid_attachments[2] = 1;
  now.domains[1].nr_ats_masters = 2;
  AtsState().AtRest(Step());
  EXPECT_THAT(Found(), IsEmpty());
  now.domains[1].nr_ats_masters = 1;
  AtsState().AtRest(Step());
  EXPECT_THAT(Found(), ElementsAre("count-matches-devices: too low"));
}

// ---- Operations that failed -------------------------------------------------

class FailedTest : public AttachmentTest {
 protected:
  void SetUp() override {
    AttachmentTest::SetUp();
    P2WithPasid();
    Array(1, {Tag(1, 1), Ats(0x200, 3, 0), Ats(0x300, 3), Ats(0x300, 3)});
    before_invs_ = std::vector(now.invs, now.invs + now.inv_count);
    before = now;
    before.invs = before_invs_.data();
    operation = Make(OperationKind::kSetPasid, 2, 0, 4);
    result = -12;
  }
  std::vector<std::string> Judge() {
    Entries().AtRest(Step());
    return Found();
  }
  std::vector<atsfuzz_inv> before_invs_;
};

TEST_F(FailedTest, TrashMayGo) {
  Array(1, {Tag(1, 1), Ats(0x300, 3), Ats(0x300, 3)});
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(FailedTest, ALiveEntryMayNot) {
  Array(1, {Tag(1, 1), Ats(0x300, 3)});
  EXPECT_THAT(Judge(), ElementsAre("failed-operation-changes-nothing: array"));
}

TEST_F(FailedTest, AFailedProbeMayLeaveAReservedFunctionInBypass) {
  for (uint8_t f : {1, 0}) {
    Did(OperationKind::kRelease, f);
    before.functions[f].streams[0].route = ATSFUZZ_ROUTE_ABORT;
    operation = Make(OperationKind::kProbe, f);
    EXPECT_EQ(Judge().empty(), f == 1) << "p" << int{f};
  }
}

TEST_F(FailedTest, UsersMayNotChange) {
  Array(1, {Tag(1, 2), Ats(0x300, 3), Ats(0x300, 3)});
  EXPECT_THAT(Judge(), ElementsAre("failed-operation-changes-nothing: array"));
}

TEST_F(FailedTest, NoContextDescriptorOfAPasidMayAppear) {
  Substream(2, 4, 0);
  EXPECT_THAT(Judge(), ElementsAre("failed-operation-changes-nothing: PASID "
                                   "context descriptors"));
}

TEST_F(FailedTest, NoPasidAttachmentMayStay) {
  now.domains[0].pasid_attachments[2] = 1;
  EXPECT_THAT(
      Judge(),
      ElementsAre("failed-operation-changes-nothing: PASID attachments"));
}

}  // namespace
}  // namespace atsfuzz::properties
