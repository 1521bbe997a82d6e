#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"
#include "linux/emulator.h"

// Traffic with PASIDs: CD tables, their cached entries, and the ATC.
namespace atsfuzz::emulated {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;  // without PASID
constexpr uint64_t kNowhere = ~uint64_t{0};
constexpr uint32_t kSid = 0x100;

uint64_t PhysicalOf(uint32_t pasid) {
  return kPhysical + uint64_t{pasid} * 0x10000;
}

class Substreams : public TestMachine {
 protected:
  const TableShape s1_{1, 12, 48, 0};
  uint64_t* cds_ = nullptr;

  // A table that maps kIova to PhysicalOf(pasid).
  uint64_t* RootOf(uint32_t pasid) {
    uint64_t* root = NewRoot(s1_);
    Map(s1_, root, kIova, PhysicalOf(pasid), 3, Normal(s1_));
    return root;
  }
  // CD `pasid` of a linear table translates by RootOf(of), ASID 7 + of.
  void FillCdOf(uint64_t* cds, uint32_t pasid, uint32_t of) {
    FillCd(&cds[pasid * 8], s1_, RootOf(of), static_cast<uint16_t>(7 + of));
  }
  // Function 0's first stream has 16 substreams; CDs 0 to 3 are filled in.
  void BootSubstreams(int s1dss = 2, uint32_t sid = kSid) {
    Boot();
    cds_ = SetStage1(sid, s1_, RootOf(0), 7, true, 4, s1dss);
    for (uint32_t pasid = 1; pasid < 4; pasid++) FillCdOf(cds_, pasid, pasid);
  }
  uint64_t Reach(uint32_t pasid) { return Access(0, kIova, 0, pasid).physical; }
};

// ---- CD tables ----

TEST_F(Substreams, APasidTranslatesByItsOwnDescriptor) {
  BootSubstreams();
  EXPECT_EQ(Access(0, kIova, 0, 2),
            (Dma{PhysicalOf(2), ATSFUZZ_DMA_UNTRANSLATED}));
  EXPECT_EQ(Reach(0), kPhysical);
  EXPECT_THAT(Faults(), IsEmpty());
  uint32_t count;
  const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(entries[0].tag, 9);
  EXPECT_EQ(entries[1].tag, 7);
}

TEST_F(Substreams, S1dssSaysNothingAboutTrafficWithPasid) {
  for (int s1dss : {0, 1, 2}) {
    BootSubstreams(s1dss);
    EXPECT_EQ(Reach(1), PhysicalOf(1)) << s1dss;
  }
}

TEST_F(Substreams, PasidsOfOneAsidShareIotlbEntries) {
  BootSubstreams();
  FillCd(&cds_[4 * 8], s1_, NewRoot(s1_), 7 + 1);
  EXPECT_EQ(Reach(4), kNowhere);
  Reach(1);
  EXPECT_EQ(Reach(4), PhysicalOf(1));
}

class TwoLevels : public Substreams,
                  public ::testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(TwoLevels, AreFollowedByThePasidsHighAndLowBits) {
  const auto [s1fmt, leaf_log2] = GetParam();
  const uint32_t pasid = (3u << leaf_log2) + 5;
  Boot();
  uint64_t* ste = Ste(kSid);
  uint64_t* table = Allocate(64);
  uint64_t* leaf = Allocate(uint64_t{64} << leaf_log2);
  FillCdOf(leaf, 5, 2);
  table[3] = reinterpret_cast<uint64_t>(leaf) | 1;
  ste[0] = 1 | 5 << 1 | uint64_t(s1fmt) << 4 |
           reinterpret_cast<uint64_t>(table) | uint64_t(leaf_log2 + 3) << 59;
  ste[1] = 1 | 1 << 28;
  EXPECT_EQ(Reach(pasid), PhysicalOf(2));
  EXPECT_THAT(Faults(), IsEmpty());
  Reach(pasid - (1u << leaf_log2));  // no leaf
  Reach(pasid + 1);                  // V = 0
  EXPECT_THAT(Faults(), ElementsAre(0x08, 0x0a));
}

INSTANTIATE_TEST_SUITE_P(LeavesOf4KAnd64K, TwoLevels,
                         ::testing::Values(std::pair{1, 6}, std::pair{2, 10}));

TEST_F(Substreams, APasidThatTheEntryHasNoPlaceForIsABadSubstreamId) {
  const TableShape s2{2, 12, 39, 1};
  BootSubstreams();
  Reach(16);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_SMMU_FAULT)[0].pasid, 16u);
  SetBypass(kSid);
  CfgiSte(kSid);
  EXPECT_EQ(Access(0, kIova, 0, 1), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  SetStage1(kSid, s1_, RootOf(0), 7, true);
  CfgiSte(kSid);
  EXPECT_EQ(Reach(1), kNowhere);
  SetStage2(kSid, s2, NewRoot(s2), 7, true);
  CfgiSte(kSid);
  EXPECT_EQ(Reach(1), kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x08, 0x08, 0x08, 0x08));
}

TEST_F(Substreams, AnAbortEntryIsSilentAboutPasidsToo) {
  Boot();
  SetAbort(kSid);
  EXPECT_EQ(Reach(1), kNowhere);
  EXPECT_THAT(Faults(), IsEmpty());
}

// ---- Configuration cache ----

TEST_F(Substreams, CfgiCdMakesTheSmmuForgetTheDescriptorThatItNames) {
  BootSubstreams();
  for (uint32_t pasid = 0; pasid < 4; pasid++) Reach(pasid);
  for (uint32_t pasid = 0; pasid < 4; pasid++) FillCdOf(cds_, pasid, 8 + pasid);
  CfgiCd(kSid, 2);
  EXPECT_EQ(Reach(0), PhysicalOf(0));
  EXPECT_EQ(Reach(1), PhysicalOf(1));
  EXPECT_EQ(Reach(2), PhysicalOf(10));
  EXPECT_EQ(Reach(3), PhysicalOf(3));
}

TEST_F(Substreams, CfgiCdAllAndCfgiSteMakeItForgetEveryDescriptor) {
  for (uint64_t command : {0x06, 0x03}) {
    BootSubstreams();
    for (uint32_t pasid = 0; pasid < 4; pasid++) Reach(pasid);
    for (uint32_t pasid = 0; pasid < 4; pasid++)
      FillCdOf(cds_, pasid, 8 + pasid);
    Command(command | uint64_t{0x205} << 32, 1);
    EXPECT_EQ(Reach(3), PhysicalOf(3));
    Command(command | uint64_t{kSid} << 32, 1);
    for (uint32_t pasid = 0; pasid < 4; pasid++)
      EXPECT_EQ(Reach(pasid), PhysicalOf(8 + pasid)) << command;
  }
}

TEST_F(Substreams, AnInvalidDescriptorIsCachedAsWell) {
  BootSubstreams();
  EXPECT_EQ(Reach(5), kNowhere);
  FillCdOf(cds_, 5, 5);
  EXPECT_EQ(Reach(5), kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x0a, 0x0a));
  CfgiCd(kSid, 5);
  EXPECT_EQ(Reach(5), PhysicalOf(5));
}

TEST_F(Substreams, TheCacheHasRoomForEveryDescriptorOfTheLargestMachine) {
  machine.function_count = ATSFUZZ_MAX_FUNCTIONS;
  for (uint32_t f = 0; f < ATSFUZZ_MAX_FUNCTIONS; f++) {
    machine.functions[f] = {};
    machine.functions[f].stream_count = ATSFUZZ_MAX_STREAMS;
    for (uint32_t s = 0; s < ATSFUZZ_MAX_STREAMS; s++)
      machine.functions[f].streams[s] = 0x100 + f * ATSFUZZ_MAX_STREAMS + s;
  }
  Boot();
  uint64_t* root = RootOf(0);
  int reached = 0;
  auto access_all = [&] {
    for (uint32_t f = 0; f < ATSFUZZ_MAX_FUNCTIONS; f++)
      for (uint32_t s = 0; s < ATSFUZZ_MAX_STREAMS; s++)
        for (uint32_t pasid = 0; pasid <= ATSFUZZ_MAX_PASIDS; pasid++)
          reached += Access(f, kIova, s, pasid).physical == kPhysical;
  };
  cds_ = Allocate(8 * 64);
  for (uint32_t pasid = 0; pasid <= ATSFUZZ_MAX_PASIDS; pasid++)
    FillCd(&cds_[pasid * 8], s1_, root, 7);
  for (uint32_t sid = 0x100; sid < 0x120; sid++) {
    SetStage1(sid, s1_, root, 7, false, 3);
    Ste(sid)[0] =
        1 | 5 << 1 | reinterpret_cast<uint64_t>(cds_) | uint64_t{3} << 59;
  }
  access_all();
  EXPECT_EQ(reached, 160);
  for (uint32_t pasid = 0; pasid <= ATSFUZZ_MAX_PASIDS; pasid++)
    cds_[pasid * 8] = 0;
  access_all();
  EXPECT_EQ(reached, 320);
}

// ---- ATC ----

TEST_F(Substreams, AnAtcEntryServesThePasidThatAskedForIt) {
  BootSubstreams();
  EnableAts(0);
  EXPECT_EQ(Access(0, kIova, 0, 1), (Dma{PhysicalOf(1), ATSFUZZ_DMA_ATC_MISS}));
  EXPECT_EQ(Access(0, kIova), (Dma{kPhysical, ATSFUZZ_DMA_ATC_MISS}));
  EXPECT_EQ(Access(0, kIova, 0, 1), (Dma{PhysicalOf(1), ATSFUZZ_DMA_ATC_HIT}));
  EXPECT_EQ(Access(0, kIova), (Dma{kPhysical, ATSFUZZ_DMA_ATC_HIT}));
  auto fills = Events(ATSFUZZ_EVENT_ATC_FILL);
  ASSERT_EQ(fills.size(), 2u);
  EXPECT_EQ(fills[0].pasid, 1u);
  EXPECT_EQ(fills[1].pasid, 0u);
  uint32_t count;
  const atsfuzz_atc_entry* entries = atsfuzz_emulator_atc(&count);
  ASSERT_EQ(count, 2u);
  EXPECT_EQ(entries[0].pasid, 1u);
  EXPECT_EQ(entries[1].pasid, 0u);
}

TEST_F(Substreams, AtcInvWithAPasidHitsItAloneAndOtherwiseEveryone) {
  const uint64_t atc_inv = 0x40 | uint64_t{kSid} << 32;
  const uint64_t substream = 1 << 11, global = 1 << 9;
  BootSubstreams();
  EnableAts(0);
  auto fill = [&] {
    for (uint32_t pasid = 0; pasid < 4; pasid++) Reach(pasid);
    return AtcCount();
  };
  ASSERT_EQ(fill(), 4u);
  Command(atc_inv | substream | 2 << 12, 52);
  EXPECT_EQ(AtcCount(), 3u);
  EXPECT_EQ(Access(0, kIova, 0, 2).result, ATSFUZZ_DMA_ATC_MISS);
  ASSERT_EQ(fill(), 4u);
  Command(atc_inv | substream | global | 2 << 12, 52);
  EXPECT_EQ(AtcCount(), 0u);
  ASSERT_EQ(fill(), 4u);
  Command(atc_inv | 2 << 12, 52);  // without SSV the PASID means nothing
  EXPECT_EQ(AtcCount(), 0u);
}

TEST_F(Substreams, ARequestOfABypassedStreamWithPasidIsRefused) {
  Boot();
  SetBypass(kSid);
  EnableAts(0);
  EXPECT_EQ(Reach(1), kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x05));
}

TEST_F(Substreams, AnEagerFunctionAsksAgainForPagesWithoutPasidOnly) {
  BootSubstreams(2, 0x300);
  EnableAts(2);
  Access(2, kIova, 0, 1);
  ASSERT_EQ(AtcCount(), 1u);
  AtcInvalidate(0x300, 0, 52);
  EXPECT_EQ(AtcCount(), 0u);
  Access(2, kIova, 0, 1);
  Access(2, kIova);
  ASSERT_EQ(AtcCount(), 2u);
  AtcInvalidate(0x300, 0, 52);
  uint32_t count;
  const atsfuzz_atc_entry* entries = atsfuzz_emulator_atc(&count);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(entries[0].pasid, 0u);
}

}  // namespace
}  // namespace atsfuzz::emulated
