#include "properties/checker.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/address.h"
#include "properties/command.h"
#include "properties/entry.h"
#include "properties/hand_made.h"

// What an operation may send, store and leave, to the letter. Scripted runs of
// one PF with ATS behind one SMMU; whether a real driver's bug shows is for the
// planted ones to say.
namespace atsfuzz::properties {
namespace {

using model::OperationKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kStream = 0x100;
constexpr uint64_t kAsid = 7;
constexpr uint64_t kTable = 0x6000;
constexpr uint64_t kEats = uint64_t{1} << 28;
constexpr Entry kBypass = {1 | 4 << 1};
constexpr Entry kStage1 = {1 | 5 << 1 | 0x2000, 2};
constexpr Entry kStage1Ats = {1 | 5 << 1 | 0x2000, 2 | kEats};
constexpr Entry kCd = {kAsid << 48 | uint64_t{1} << 31, kTable};

class ScriptedRun : public testing::Test {
 protected:
  ScriptedRun() : checker_(Machine()), now_{} {
    for (auto& function : now_.functions) {
      function.group_domain = ATSFUZZ_NONE;
      for (auto& stream : function.streams) stream.master = ATSFUZZ_NONE;
    }
    now_.functions[0].stream_count = 1;
    now_.functions[0].streams[0].id = kStream;
    now_.domains[0].has_counter = 1;
    EXPECT_THAT(checker_.Boot({}, now_), IsEmpty());
  }

  static model::Topology Machine() {
    model::Topology topology;
    topology.smmus = {{}};
    topology.functions = {{.smmu = model::SmmuId(0),
                           .ats = true,
                           .streams = {kStream},
                           .default_domain = model::DefaultDomain::kIdentity}};
    topology.domains = {{.smmu = model::SmmuId(0), .stage = 1}};
    return topology;
  }

  atsfuzz_event& Add(uint16_t kind) {
    atsfuzz_event event = {};
    event.kind = kind;
    events_.push_back(event);
    return events_.back();
  }
  void Command(uint64_t a, uint64_t b = 0) {
    atsfuzz_event& event = Add(ATSFUZZ_EVENT_COMMAND);
    event.a = a;
    event.b = b;
  }
  void Sync() { Command(kCmdSync); }
  void CfgiSte() { Command(uint64_t{kStream} << 32 | kCfgiSte, 1); }
  void CfgiCd() { Command(uint64_t{kStream} << 32 | kCfgiCd, 1); }
  void AtcInv(uint64_t address, int log2_pages) {
    Command(uint64_t{kStream} << 32 | kAtcInv, address | log2_pages);
  }
  void AtcInvAll() { AtcInv(0, 52); }
  // One TLBI of `pages` pages from `page` on, by address and without a range.
  void Tlbi(int page, int pages = 1) {
    for (int i = 0; i < pages; ++i) {
      Command(kAsid << 48 | kTlbiNhVa, At(page + i) | 1);
    }
  }
  void Ste(int word, uint64_t value) {
    atsfuzz_event& event = Add(ATSFUZZ_EVENT_STE_WRITE);
    event.stream = kStream;
    event.a = word;
    event.b = ste_[word];
    event.c = ste_[word] = value;
  }
  void Cd(int word, uint64_t value) {
    atsfuzz_event& event = Add(ATSFUZZ_EVENT_CD_WRITE);
    event.a = word;
    event.b = cd_[word];
    event.c = cd_[word] = value;
  }
  void Ats(bool on) {
    atsfuzz_event& event = Add(ATSFUZZ_EVENT_CONFIG_WRITE);
    event.a = ATSFUZZ_CONFIG_ATS_CONTROL;
    event.b = now_.functions[0].ats ? 0x8000 : 0;
    event.c = on ? 0x8000 : 0;
    now_.functions[0].ats = now_.functions[0].belief = on;
  }

  // Copies what was stored into the observation, as memory would show it.
  void Settle() {
    atsfuzz_stream& stream = now_.functions[0].streams[0];
    std::copy(ste_.begin(), ste_.end(), stream.ste);
    std::copy(cd_.begin(), cd_.end(), stream.cd);
    stream.eats = TranslatesAts(ste_);
    stream.cd_valid = CdIsValid(cd_);
    stream.asid = stream.cd_valid ? kAsid : 0;
    stream.table = cd_[1];
    stream.route = !IsValid(ste_)        ? ATSFUZZ_ROUTE_INVALID
                   : ConfigOf(ste_) == 5 ? ATSFUZZ_ROUTE_STAGE1
                   : ConfigOf(ste_) == 4 ? ATSFUZZ_ROUTE_BYPASS
                                         : ATSFUZZ_ROUTE_ABORT;
  }

  std::vector<std::string> Step(OperationKind kind, int page = 0, int pages = 1,
                                bool queued = false, int result = 0) {
    model::Operation operation;
    operation.kind = kind;
    operation.function = model::FunctionId(0);
    operation.domain = model::DomainId(0);
    operation.page = static_cast<uint16_t>(page);
    operation.pages = static_cast<uint16_t>(pages);
    operation.queued = queued;
    Settle();
    std::vector<std::string> found;
    for (const Violation& v : checker_.Step(
             operation, result, 0x100000000 + (uint64_t{1} << 12) * page,
             events_, now_)) {
      found.push_back(std::string(InvariantName(v.invariant)) + ": " +
                      v.aspect);
    }
    events_.clear();
    return found;
  }

  std::vector<std::string> Probe() {
    now_.functions[0].probed = 1;
    now_.functions[0].stu = 12;
    now_.functions[0].streams[0].master = 0;
    Ste(0, kBypass[0]);
    CfgiSte();
    Sync();
    return Step(OperationKind::kProbe);
  }

  void Allocate() {
    now_.domains[0].exists = now_.domains[0].finalised = 1;
    now_.domains[0].stage = 1;
    now_.domains[0].tag = kAsid;
    now_.domains[0].table = kTable;
    EXPECT_THAT(Step(OperationKind::kDomainNew), IsEmpty());
  }

  void WriteCd() {
    Cd(1, kCd[1]);
    CfgiCd();
    Sync();
    Cd(0, kCd[0]);
    CfgiCd();
    Sync();
  }
  void WriteSte() {
    Ste(1, kStage1Ats[1]);
    CfgiSte();
    Sync();
    Ste(0, kStage1Ats[0]);
    CfgiSte();
    Sync();
  }
  std::vector<std::string> FinishAttach() {
    now_.domains[0].attachments[0] = 1;
    now_.domains[0].nr_ats_masters = now_.functions[0].ats;
    return Step(OperationKind::kAttach);
  }
  void Attach() {
    EXPECT_THAT(Probe(), IsEmpty());
    Allocate();
    WriteCd();
    WriteSte();
    AtcInvAll();
    Sync();
    Ats(true);
    EXPECT_THAT(FinishAttach(), IsEmpty());
  }

  static uint64_t At(int page) {
    return model::kIovaBase + (uint64_t(page) << 12);
  }

  Checker checker_;
  atsfuzz_observation now_;
  std::vector<atsfuzz_event> events_;
  Entry ste_ = kAbortEntry;
  Entry cd_ = {};
};

// ---- Attaching ------------------------------------------------------------

TEST_F(ScriptedRun, TheDriversOwnAttachSequenceIsLegal) { Attach(); }

TEST_F(ScriptedRun, AtsBeforeEatsIsNot) {
  Probe();
  Allocate();
  WriteCd();
  Ats(true);
  WriteSte();
  EXPECT_THAT(FinishAttach(), ElementsAre("translation-before-ats: "));
}

TEST_F(ScriptedRun, AtsThroughAReplacementThatEndsWithEatsIsLegal) {
  Attach();
  Ste(0, 0);
  CfgiSte();
  Sync();
  Ste(1, kStage1Ats[1] | 4);
  CfgiSte();
  Sync();
  Ste(0, kStage1Ats[0] + 0x2000);
  CfgiSte();
  Sync();
  EXPECT_THAT(Step(OperationKind::kAttach), IsEmpty());
}

TEST_F(ScriptedRun, AtsThroughAReplacementThatEndsWithoutEatsIsNot) {
  Attach();
  Ste(0, 0);
  CfgiSte();
  Sync();
  Ste(1, 2);
  CfgiSte();
  Sync();
  Ats(false);
  Ste(0, kStage1[0] + 0x2000);
  CfgiSte();
  Sync();
  now_.domains[0].nr_ats_masters = 0;
  EXPECT_THAT(Step(OperationKind::kAttach),
              ElementsAre("translation-before-ats: "));
}

TEST_F(ScriptedRun, AWindowOfV0FromBypassToStage1IsNotHitless) {
  Probe();
  Allocate();
  WriteCd();
  Ste(0, 0);
  CfgiSte();
  Sync();
  Ste(1, kStage1[1]);
  CfgiSte();
  Sync();
  Ste(0, kStage1[0]);
  CfgiSte();
  Sync();
  EXPECT_THAT(FinishAttach(), ElementsAre("hitless-where-promised: "));
}

TEST_F(ScriptedRun, AStoreThatTheSmmuIsNotToldOfIsOutOfOrder) {
  Probe();
  Allocate();
  WriteCd();
  WriteSte();
  Ste(1, kStage1[1]);
  Sync();
  EXPECT_THAT(FinishAttach(),
              ElementsAre("commands-in-order: no CFGI of an STE"));
}

TEST_F(ScriptedRun, AValidStoreBeforeTheOthersAreSyncedIsOutOfOrder) {
  Probe();
  Allocate();
  Cd(1, kCd[1]);
  Cd(0, kCd[0]);
  CfgiCd();
  Sync();
  WriteSte();
  EXPECT_THAT(FinishAttach(),
              ElementsAre("commands-in-order: CD store before sync"));
}

TEST_F(ScriptedRun, AnInvalidationWithoutSyncIsOutOfOrder) {
  Probe();
  Allocate();
  WriteCd();
  WriteSte();
  AtcInvAll();
  EXPECT_THAT(FinishAttach(), ElementsAre("commands-in-order: no CMD_SYNC"));
}

// ---- Unmapping --------------------------------------------------------------

class MappedRun : public ScriptedRun {
 protected:
  void SetUp() override {
    Attach();
    EXPECT_THAT(Step(OperationKind::kMap, 7, 4), IsEmpty());
  }
  std::vector<std::string> Unmap(bool queued = false) {
    return Step(OperationKind::kUnmap, 7, 4, queued);
  }
};

TEST_F(MappedRun, TlbiSyncAtcInvSyncOfTheSmallestCoverIsExact) {
  Tlbi(7, 4);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(), IsEmpty());
}

TEST_F(MappedRun, ARangeTlbiCoversAsManySinglesDo) {
  // NUM 1, SCALE 1, TG 1: four pages.
  Command(kAsid << 48 | 1 << 20 | 1 << 12 | kTlbiNhVa, At(7) | 1 << 10 | 1);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(), IsEmpty());
}

TEST_F(MappedRun, ATlbiThatMissesAPageIsNotExact) {
  Tlbi(7, 3);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("invalidations-exact: TLBI missing"));
}

TEST_F(MappedRun, ATlbiBeyondTheRangeIsNotExact) {
  Tlbi(7, 5);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(),
              ElementsAre("invalidations-exact: TLBI beyond the range"));
}

TEST_F(MappedRun, ATlbiOfAnotherAsidIsNotExact) {
  Tlbi(7, 4);
  Command((kAsid + 1) << 48 | kTlbiNhVa, At(7) | 1);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("invalidations-exact: TLBI of another tag"));
}

TEST_F(MappedRun, AnAtcInvOfHalfTheCoverIsTooSmall) {
  Tlbi(7, 4);
  Sync();
  AtcInv(At(0), 3);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("invalidations-exact: too small",
                                   "invalidations-exact: ATC_INV missing"));
}

TEST_F(MappedRun, AnAtcInvOfTwiceTheCoverIsTooLarge) {
  Tlbi(7, 4);
  Sync();
  AtcInv(At(0), 5);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("invalidations-exact: too large"));
}

TEST_F(MappedRun, NoAtcInvToAnAttachedFunctionWithAtsIsNotExact) {
  Tlbi(7, 4);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("invalidations-exact: ATC_INV missing"));
}

TEST_F(MappedRun, AnAtcInvBeforeItsTlbiIsOutOfOrder) {
  AtcInv(At(0), 4);
  Sync();
  Tlbi(7, 4);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("commands-in-order: ATC_INV before TLBI"));
}

TEST_F(MappedRun, AnAtcInvBeforeTheSyncOfItsTlbiIsOutOfOrder) {
  Tlbi(7, 4);
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(),
              ElementsAre("commands-in-order: ATC_INV before CMD_SYNC"));
}

TEST_F(MappedRun, AQueuedUnmapSendsNothingForItsPages) {
  Tlbi(7, 4);
  Sync();
  EXPECT_THAT(Unmap(/*queued=*/true),
              ElementsAre("invalidations-exact: unasked TLBI"));
}

TEST_F(MappedRun, AFlushAfterAQueuedUnmapNamesTheWholeTag) {
  EXPECT_THAT(Unmap(/*queued=*/true), IsEmpty());
  Command(kAsid << 48 | kTlbiNhAsid);
  Sync();
  AtcInvAll();
  Sync();
  EXPECT_THAT(Step(OperationKind::kFlush), IsEmpty());
}

TEST_F(MappedRun, AFlushThatSendsNothingIsNotExact) {
  EXPECT_THAT(Unmap(/*queued=*/true), IsEmpty());
  EXPECT_THAT(Step(OperationKind::kFlush),
              ElementsAre("invalidations-exact: TLBI missing",
                          "invalidations-exact: ATC_INV missing"));
}

TEST_F(MappedRun, AStaleAtcEntryIsToldOnce) {
  const atsfuzz_atc_entry entry = {
      .iova = At(8), .physical = 0x100008000, .size = 0x1000};
  now_.atc = &entry;
  now_.atc_count = 1;
  Tlbi(7, 4);
  Sync();
  AtcInv(At(0), 4);
  Sync();
  EXPECT_THAT(Unmap(), ElementsAre("no-stale-atc: unmapped"));
  EXPECT_THAT(Step(OperationKind::kMap, 100), IsEmpty());
}

TEST_F(MappedRun, AnEntryOfAQueuedUnmapIsFineUntilTheFlush) {
  const atsfuzz_iotlb_entry entry = {.stage = 1,
                                     .tag = kAsid,
                                     .iova = At(8),
                                     .physical = 0x100008000,
                                     .size = 0x1000};
  now_.iotlb = &entry;
  now_.iotlb_count = 1;
  EXPECT_THAT(Unmap(/*queued=*/true), IsEmpty());
  Command(kAsid << 48 | kTlbiNhAsid);
  Sync();
  AtcInvAll();
  Sync();
  EXPECT_THAT(Step(OperationKind::kFlush),
              ElementsAre("no-stale-iotlb: unmapped"));
}

TEST_F(MappedRun, AFailedOperationThatMovedTheCounterChangedSomething) {
  now_.domains[0].nr_ats_masters = 2;
  EXPECT_THAT(Step(OperationKind::kAttach, 0, 1, false, -16),
              ElementsAre("failed-operation-changes-nothing: counter",
                          "count-matches-devices: too high"));
}

TEST_F(MappedRun, AnAccessReachesWhatIsMappedAndNothingElse) {
  atsfuzz_event& right = Add(ATSFUZZ_EVENT_DMA);
  right.stream = kStream;
  right.a = At(9);
  right.b = 0x100009000;
  right.c = ATSFUZZ_DMA_UNTRANSLATED;
  EXPECT_THAT(Step(OperationKind::kDma, 9), IsEmpty());
  atsfuzz_event& wrong = Add(ATSFUZZ_EVENT_DMA);
  wrong.stream = kStream;
  wrong.a = At(9);
  wrong.b = 0x10000a000;
  wrong.c = ATSFUZZ_DMA_UNTRANSLATED;
  EXPECT_THAT(Step(OperationKind::kDma, 9),
              ElementsAre("no-dma-after-unmap: unmapped"));
}

TEST_F(MappedRun, AFaultIsTheDevicesOwnOnlyWhereNothingIsMapped) {
  atsfuzz_event& own = Add(ATSFUZZ_EVENT_SMMU_FAULT);
  own.stream = kStream;
  own.a = 0x10;
  EXPECT_THAT(Step(OperationKind::kDma, 500), IsEmpty());
  atsfuzz_event& wrong = Add(ATSFUZZ_EVENT_SMMU_FAULT);
  wrong.stream = kStream;
  wrong.a = 0x10;
  EXPECT_THAT(Step(OperationKind::kDma, 7),
              ElementsAre("commands-in-order: F_TRANSLATION"));
}

// ---- Groups -----------------------------------------------------------------

TEST(Group, AMustSucceedAttachThatFailedExcusesEveryFunctionOfIt) {
  HandMade made;
  atsfuzz_observation& now = made.now;
  for (atsfuzz_domain& domain : now.domains) domain = {};
  Checker checker(HandMade::Topology());
  EXPECT_THAT(checker.Boot({}, now), IsEmpty());
  for (uint8_t f = 0; f < 3; ++f) {
    now.functions[f].probed = 1;
    for (atsfuzz_stream& stream : now.functions[f].streams) {
      stream.route = ATSFUZZ_ROUTE_BYPASS;
      stream.master = f;
    }
    EXPECT_THAT(
        checker.Step(HandMade::Make(OperationKind::kProbe, f), 0, 0, {}, now),
        IsEmpty());
  }
  atsfuzz_event events[2] = {};
  events[0].kind = ATSFUZZ_EVENT_ALLOC;
  events[0].c = 0x100;
  events[1].kind = ATSFUZZ_EVENT_WARN;
  events[1].kernel_function = "__iommu_group_set_domain_nofail";
  now.functions[1].streams[0].route = ATSFUZZ_ROUTE_ABORT;
  now.functions[2].streams[0].route = ATSFUZZ_ROUTE_ABORT;
  std::vector<std::string> found;
  for (const Violation& v : checker.Step(
           HandMade::Make(OperationKind::kUnclaim, 0), 0, 0, events, now)) {
    found.push_back(v.aspect);
  }
  EXPECT_THAT(
      found, ElementsAre("must-succeed attach failed under alloc",
                         "after a must-succeed attach failed", "not identity"));
}

}  // namespace
}  // namespace atsfuzz::properties
