#include "properties/invalidations.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/command.h"
#include "properties/command_order.h"
#include "properties/hand_made.h"

// Syncs of domains with PASIDs, groups, guests and arrays; checker_test.cc has
// those of a single RID.
namespace atsfuzz::properties {
namespace {

using model::OperationKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kSubstreamValid = 1 << 11;

class InvalidationsTest : public testing::Test, protected HandMade {
 protected:
  InvalidationsTest() {
    for (int f = 0; f < 3; ++f) now.functions[f].ats = 1;
  }
  void Command(uint64_t a, uint64_t b = 0) {
    atsfuzz_event event = {};
    event.kind = ATSFUZZ_EVENT_COMMAND;
    event.a = a;
    event.b = b;
    events.push_back(event);
  }
  void Sync() { Command(kCmdSync); }
  // Of pages 4 to 7, all in one.
  void Tlbi(int d) {
    const uint64_t range = 1 << 20 | 1 << 12;
    const uint64_t where = Iova(4) | 1 << 10 | 1;
    if (d == 2) {
      Command(uint64_t{TagOf(d)} << 32 | range | kTlbiS2Ipa, where);
    } else {
      Command(uint64_t{TagOf(d)} << 48 | range | kTlbiNhVa, where);
    }
  }
  void ClearGuests() { Command(uint64_t{TagOf(2)} << 32 | kTlbiNhAll); }
  void AtcInv(uint32_t stream, uint32_t pasid = 0) {
    Command(uint64_t{stream} << 32 | uint64_t{pasid} << 12 |
                (pasid != 0 ? kSubstreamValid : 0) | kAtcInv,
            Iova(4) | 2);
  }
  void AtcInvAll(uint32_t stream) {
    Command(uint64_t{stream} << 32 | kAtcInv, 52);
  }
  std::vector<std::string> Judge() {
    const StepView step = Step();
    Invalidations invalidations;
    invalidations.Begin(step);
    for (int i = 0; i < static_cast<int>(events.size()); ++i) {
      invalidations.OnCommand(step, i);
    }
    invalidations.AtRest(step);
    events.clear();
    return Found();
  }
  std::vector<std::string> Unmap(uint8_t d) {
    operation = Make(OperationKind::kUnmap, 0, d);
    operation.page = operation.pages = 4;
    return Judge();
  }
};

TEST_F(InvalidationsTest, APasidIsInvalidatedWithItsPasid) {
  PasidSet(2, 3, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x300, 3);
  Sync();
  EXPECT_THAT(Unmap(1), IsEmpty());
}

TEST_F(InvalidationsTest, APasidThatIsLeftOutIsMissed) {
  PasidSet(2, 3, 1);
  PasidSet(2, 4, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x300, 4);
  Sync();
  EXPECT_THAT(Unmap(1),
              ElementsAre("invalidations-exact: ATC_INV of a PASID missing",
                          "invalidations-exact: ATC_INV of a PASID missing"));
}

TEST_F(InvalidationsTest, AnotherPasidIsNotThisDomains) {
  PasidSet(2, 3, 1);
  PasidSet(2, 4, 0);
  Tlbi(1);
  Sync();
  AtcInv(0x300, 3);
  AtcInv(0x300, 4);
  Sync();
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: wrong PASID"));
}

TEST_F(InvalidationsTest, AnAttachedRidsInvalidationEmptiesItsPasidsToo) {
  Attached(2, 1);
  PasidSet(2, 3, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x300);
  Sync();
  EXPECT_THAT(Unmap(1), IsEmpty());
}

TEST_F(InvalidationsTest, WithoutAnAttachedRidThatIsTooWide) {
  PasidSet(2, 3, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x300);
  Sync();
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: without PASID"));
}

TEST_F(InvalidationsTest, APasidsInvalidationDoesNotDoForTheRid) {
  Attached(2, 1);
  PasidSet(2, 3, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x300, 3);
  Sync();
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: ATC_INV missing",
                                    "invalidations-exact: ATC_INV missing"));
}

TEST_F(InvalidationsTest, EveryFunctionOfAGroupIsATarget) {
  Attached(0, 1);
  Tlbi(1);
  Sync();
  AtcInv(0x100);
  AtcInv(0x180);
  Sync();
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: ATC_INV missing"));
}

TEST_F(InvalidationsTest, AParkedFunctionIsNone) {
  Attached(0, 1);
  PasidSet(0, 3, 1);
  Did(OperationKind::kResetBegin, 1);
  now.functions[1].ats = 0;
  const auto sync = [&] {
    Tlbi(1);
    Sync();
    for (uint32_t stream : {0x100, 0x180}) {
      AtcInv(stream);
      AtcInv(stream, 3);
    }
  };
  sync();
  Sync();
  EXPECT_THAT(Unmap(1), IsEmpty());
  sync();
  AtcInv(0x200, 3);
  Sync();
  EXPECT_THAT(Unmap(1),
              ElementsAre("invalidations-exact: to a function with ATS off"));
}

TEST_F(InvalidationsTest, WithArraysADomainAttachedNowhereSendsNothing) {
  EXPECT_THAT(Unmap(1), IsEmpty());
  Tlbi(1);
  Sync();
  EXPECT_THAT(Unmap(1),
              ElementsAre("invalidations-exact: TLBI of an unused tag"));
}

TEST_F(InvalidationsTest, BeforeArraysItSendsItsTlbis) {
  now.domains[1].has_array = 0;
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: TLBI missing"));
}

TEST_F(InvalidationsTest, WithArraysAWholeTagMayStandForManyPages) {
  PasidSet(2, 3, 1);
  const auto whole_tag = [&] {
    Command(uint64_t{TagOf(1)} << 48 | kTlbiNhAsid);
    Sync();
  };
  whole_tag();
  AtcInv(0x300, 3);
  Sync();
  EXPECT_THAT(Unmap(1), IsEmpty());
  whole_tag();
  Command(uint64_t{0x300} << 32 | 3 << 12 | kSubstreamValid | kAtcInv,
          Iova(0) | 6);
  Sync();
  EXPECT_THAT(Unmap(1), ElementsAre("invalidations-exact: too large"));
}

// ---- Guests -----------------------------------------------------------------

class GuestTest : public InvalidationsTest {
 protected:
  GuestTest() { Attached(2, 3); }
};

TEST_F(GuestTest, Stage2ThenStage1ThenEverythingInTheAtc) {
  Tlbi(2);
  Sync();
  ClearGuests();
  Sync();
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Unmap(2), IsEmpty());
}

TEST_F(GuestTest, Stage1IsNotForgotten) {
  Tlbi(2);
  Sync();
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Unmap(2), ElementsAre("invalidations-exact: S1 clear missing"));
}

TEST_F(GuestTest, Stage1IsNotForgottenWithAtsOff) {
  now.functions[2].ats = 0;
  Tlbi(2);
  Sync();
  EXPECT_THAT(Unmap(2), ElementsAre("invalidations-exact: S1 clear missing"));
}

TEST_F(GuestTest, Stage1ComesAfterTheSyncOfStage2) {
  Tlbi(2);
  ClearGuests();
  Sync();
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Unmap(2),
              ElementsAre("invalidations-exact: S1 clear before CMD_SYNC"));
}

TEST_F(GuestTest, TheWholeVmidIsStage1Too) {
  Command(uint64_t{TagOf(2)} << 32 | kTlbiS12VmAll);
  Sync();
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Unmap(2), IsEmpty());
}

TEST_F(GuestTest, ARangeOfTheParentsAddressesIsTooSmallForTheAtc) {
  Tlbi(2);
  Sync();
  ClearGuests();
  Sync();
  AtcInv(0x300);
  Sync();
  EXPECT_THAT(Unmap(2), ElementsAre("invalidations-exact: too small"));
}

TEST_F(InvalidationsTest, WithArraysSoItIsForAFunctionOfTheParentItself) {
  Attached(2, 2);
  Tlbi(2);
  Sync();
  ClearGuests();
  Sync();
  AtcInv(0x300);
  Sync();
  EXPECT_THAT(Unmap(2), ElementsAre("invalidations-exact: too small"));
}

TEST_F(GuestTest, AnotherVmidsGuestsAreAnotherTag) {
  Tlbi(2);
  Sync();
  Command(uint64_t{99} << 32 | kTlbiNhAll);
  ClearGuests();
  Sync();
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Unmap(2),
              ElementsAre("invalidations-exact: TLBI of another tag"));
}

// ---- Attaching --------------------------------------------------------------

TEST_F(InvalidationsTest, AnAttachMayInvalidateItsGroupAndNobodyElse) {
  operation = Make(OperationKind::kAttach, 0, 1);
  AtcInvAll(0x100);
  AtcInvAll(0x200);
  Sync();
  EXPECT_THAT(Judge(), IsEmpty());
  AtcInvAll(0x300);
  Sync();
  EXPECT_THAT(Judge(), ElementsAre("invalidations-exact: to another function"));
}

// ---- Context descriptors of PASIDs ------------------------------------------

class PasidCdTest : public InvalidationsTest {
 protected:
  PasidCdTest() { operation = Make(OperationKind::kSetPasid, 2, 1, 3); }
  void Cd(int word, uint64_t from, uint64_t to) {
    atsfuzz_event event = {};
    event.kind = ATSFUZZ_EVENT_CD_WRITE;
    event.function = 2;
    event.stream = 3;
    event.a = word;
    event.b = from;
    event.c = to;
    events.push_back(event);
  }
  void Cfgi(uint32_t pasid = 3) {
    Command(uint64_t{0x300} << 32 | pasid << 12 | kCfgiCd, 1);
    Sync();
  }
  std::vector<std::string> Judge() {
    const StepView step = Step();
    CommandOrder order;
    order.Begin();
    Replay replay;
    replay.Begin(machine, before);
    for (int i = 0; i < static_cast<int>(events.size()); ++i) {
      if (events[i].kind == ATSFUZZ_EVENT_CD_WRITE) {
        order.OnCdWrite(step, replay, i);
      } else if (events[i].kind == ATSFUZZ_EVENT_SMMU_FAULT) {
        order.OnFault(step, replay, i);
      } else {
        order.OnCommand(step, i);
      }
    }
    order.AtRest(step);
    events.clear();
    return Found();
  }
  std::vector<std::string> JudgeFault(uint64_t id, uint32_t pasid) {
    atsfuzz_event event = {};
    event.kind = ATSFUZZ_EVENT_SMMU_FAULT;
    event.function = 2;
    event.stream = 0x300;
    event.a = id;
    event.pasid = pasid;
    events = {event};
    operation = Make(OperationKind::kDma, 2);
    operation.page = 5;
    return Judge();
  }
  static constexpr uint64_t kValid = uint64_t{1} << 31;
};

TEST_F(PasidCdTest, TheTableFirstThenTheValidBitIsLegal) {
  Cd(1, 0, 0x6000);
  Cfgi();
  Cd(0, 0, kValid);
  Cfgi();
  EXPECT_THAT(Judge(), IsEmpty());
}

TEST_F(PasidCdTest, TheSmmuMustBeToldOfAStore) {
  Cd(0, 0, kValid);
  Sync();
  EXPECT_THAT(Judge(), ElementsAre("commands-in-order: no CFGI of a CD"));
}

TEST_F(PasidCdTest, TheCfgiNamesThePasid) {
  Cd(0, 0, kValid);
  Cfgi(4);
  EXPECT_THAT(Judge(), ElementsAre("commands-in-order: no CFGI of a CD"));
}

TEST_F(PasidCdTest, TheValidBitWaitsForTheTable) {
  Cd(1, 0, 0x6000);
  Cd(0, 0, kValid);
  Cfgi();
  EXPECT_THAT(Judge(), ElementsAre("commands-in-order: CD store before sync"));
}

TEST_F(PasidCdTest, AValidOneIsInUseFromTheStart) {
  before.functions[2].substream_count = 1;
  before.functions[2].substreams[0] = {.pasid = 3};
  Cd(1, 0x6000, 0x7000);
  Cd(3, 0, 1);
  Cfgi();
  EXPECT_THAT(Judge(), ElementsAre("commands-in-order: CD store before sync"));
}

TEST_F(PasidCdTest, APasidThatIsNotAttachedMayFindNoDescriptor) {
  EXPECT_THAT(JudgeFault(0x0a, 4), IsEmpty());
  EXPECT_THAT(JudgeFault(0x08, 4), IsEmpty());
  PasidSet(2, 3, 1);
  EXPECT_THAT(JudgeFault(0x0a, 3), ElementsAre("commands-in-order: C_BAD_CD"));
  EXPECT_THAT(JudgeFault(0x08, 3),
              ElementsAre("commands-in-order: C_BAD_SUBSTREAMID"));
}

TEST_F(PasidCdTest, AFaultOfAPasidIsItsOwnWhereItsDomainMapsNothing) {
  PasidSet(2, 3, 1);
  EXPECT_THAT(JudgeFault(0x10, 3), IsEmpty());
  Mapped(1, 5, 1);
  EXPECT_THAT(JudgeFault(0x10, 3),
              ElementsAre("commands-in-order: F_TRANSLATION"));
}

}  // namespace
}  // namespace atsfuzz::properties
