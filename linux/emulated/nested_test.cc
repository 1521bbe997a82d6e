#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"
#include "linux/emulator.h"

// A guest's stage 1, which maps every page onto itself, then stage 2.
namespace atsfuzz::emulated {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr uint64_t kNowhere = ~uint64_t{0};
constexpr uint32_t kSid = 0x100;
constexpr uint16_t kVmid = 9;

class Nested : public TestMachine {
 protected:
  const TableShape s2_{2, 12, 39, 1};
  uint64_t* root_ = nullptr;

  // Boots; function 0's first stream is nested and kIova is mapped.
  void BootNested() {
    Boot();
    root_ = NewRoot(s2_);
    Map(s2_, root_, kIova, kPhysical, 3, Normal(s2_));
    SetNested(kSid, s2_, root_, kVmid, true);
  }
  void UnmapPage() { *Entry(s2_, root_, kIova, 3) = 0; }
  std::vector<atsfuzz_iotlb_entry> Iotlb() {
    uint32_t count;
    const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
    return {entries, entries + count};
  }
  // Entries of the guest's stage 1, and of stage 2.
  std::pair<int, int> Held() {
    std::pair<int, int> held{};
    for (const atsfuzz_iotlb_entry& entry : Iotlb())
      ++(entry.stage == 1 ? held.first : held.second);
    return held;
  }
};

TEST_F(Nested, AWalkLeavesAnEntryOfEachStage) {
  BootNested();
  EXPECT_EQ(Access(0, kIova + 5),
            (Dma{kPhysical + 5, ATSFUZZ_DMA_UNTRANSLATED}));
  const auto entries = Iotlb();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].stage, 2);
  EXPECT_EQ(entries[0].tag, kVmid);
  EXPECT_EQ(entries[0].vmid, 0);
  EXPECT_EQ(entries[1].stage, 1);
  EXPECT_EQ(entries[1].tag, 0);
  EXPECT_EQ(entries[1].vmid, kVmid);
  EXPECT_EQ(entries[1].level, 3);
  EXPECT_EQ(entries[1].iova, kIova);
  EXPECT_EQ(entries[1].physical, kPhysical);
  EXPECT_EQ(entries[1].size, 0x1000u);
  EXPECT_THAT(Faults(), IsEmpty());
  EXPECT_THAT(Events(ATSFUZZ_EVENT_MEMORY_ERROR), IsEmpty());
}

TEST_F(Nested, TheGuestMapsPagesHoweverLargeTheLeafOfStage2Is) {
  BootNested();
  Map(s2_, root_, kIova + 0x200000, kPhysical + 0x200000, 2, Normal(s2_));
  EXPECT_EQ(Access(0, kIova + 0x2a5678).physical, kPhysical + 0x2a5678);
  const auto entries = Iotlb();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].size, 0x200000u);
  EXPECT_EQ(entries[0].level, 2);
  EXPECT_EQ(entries[1].level, 3);
  EXPECT_EQ(entries[1].iova, kIova + 0x2a5000);
  EXPECT_EQ(entries[1].physical, kPhysical + 0x2a5000);
  EXPECT_EQ(entries[1].size, 0x1000u);
}

TEST_F(Nested, TheGuestsPagesAreAsSmallAsTheSmmuHasThem) {
  for (auto [granules, bits] : {std::pair{4, 16}, {6, 14}}) {
    const TableShape shape{2, bits, bits == 16 ? 46 : 47, bits == 16 ? 2 : 1};
    machine.smmus[0].granules = static_cast<uint8_t>(granules);
    Boot();
    uint64_t* root = NewRoot(shape);
    Map(shape, root, kIova, kPhysical, 3, Normal(shape));
    SetNested(kSid, shape, root, kVmid, false);
    EXPECT_EQ(Access(0, kIova).physical, kPhysical);
    ASSERT_EQ(Iotlb().size(), 2u);
    EXPECT_EQ(Iotlb()[1].size, uint64_t{1} << bits);
  }
}

TEST_F(Nested, AnUnmappedPageIsAFaultOfStage2) {
  BootNested();
  EXPECT_EQ(Access(0, kIova + 0x1000), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  EXPECT_THAT(Faults(), ElementsAre(0x10));
}

TEST_F(Nested, TheGuestsEntryOutlivesS2IpaUntilNhAllOfItsVmid) {
  BootNested();
  Access(0, kIova);
  UnmapPage();
  Command(0x2a | uint64_t{kVmid} << 32, kIova);  // S2_IPA
  EXPECT_EQ(Held(), (std::pair{1, 0}));
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  Command(0x10 | uint64_t{kVmid + 1} << 32, 0);  // NH_ALL
  Command(0x10, 0);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  Command(0x10 | uint64_t{kVmid} << 32, 0);
  EXPECT_EQ(Access(0, kIova).physical, kNowhere);
}

TEST_F(Nested, NhAllAloneLetsStage2AnswerFromItsOldEntry) {
  BootNested();
  Access(0, kIova);
  UnmapPage();
  Command(0x10 | uint64_t{kVmid} << 32, 0);
  EXPECT_EQ(Held(), (std::pair{0, 1}));
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
}

TEST_F(Nested, S12VmallAndNsnhAllDropBothStages) {
  BootNested();
  for (uint64_t command : {uint64_t{0x30}, 0x28 | uint64_t{kVmid} << 32}) {
    Access(0, kIova);
    EXPECT_EQ(Held(), (std::pair{1, 1}));
    Command(0x28 | uint64_t{kVmid + 1} << 32, 0);
    EXPECT_EQ(Held(), (std::pair{1, 1}));
    Command(command, 0);
    EXPECT_EQ(Held(), (std::pair{0, 0}));
  }
}

TEST_F(Nested, TlbiByAsidOrAddressNamesAVmidToo) {
  BootNested();
  for (uint64_t opcode : {0x11, 0x12, 0x13}) {  // NH_ASID, NH_VA, NH_VAA
    Access(0, kIova);
    Command(opcode, kIova);
    EXPECT_EQ(Held(), (std::pair{1, 1})) << opcode;
    Command(opcode | uint64_t{kVmid} << 32, kIova);
    EXPECT_EQ(Held(), (std::pair{0, 1})) << opcode;
  }
}

TEST_F(Nested, GuestsOfTwoVmidsShareNothing) {
  BootNested();
  uint64_t* other = NewRoot(s2_);
  Map(s2_, other, kIova, kPhysical + 0x1000, 3, Normal(s2_));
  SetNested(0x205, s2_, other, kVmid + 1, false);
  Access(0, kIova);
  EXPECT_EQ(Access(0, kIova, 1).physical, kPhysical + 0x1000);
  EXPECT_EQ(Held(), (std::pair{2, 2}));
}

TEST_F(Nested, AStreamOfStage2AloneDoesNotUseTheGuestsEntries) {
  BootNested();
  SetStage2(0x205, s2_, root_, kVmid, false);
  Access(0, kIova);
  UnmapPage();
  Command(0x2a | uint64_t{kVmid} << 32, kIova);  // S2_IPA
  EXPECT_EQ(Access(0, kIova, 1).physical, kNowhere);
  EXPECT_EQ(Access(0, kIova, 0).physical, kPhysical);
}

TEST_F(Nested, Stage1AloneBelongsToTheVmidOfItsEntry) {
  const TableShape s1{1, 12, 48, 0};
  for (bool stage2 : {true, false}) {
    machine.smmus[0].stage2 = stage2;
    Boot();
    uint64_t* root = NewRoot(s1);
    Map(s1, root, kIova, kPhysical, 3, Normal(s1));
    SetStage1(kSid, s1, root, 7, false);
    Ste(kSid)[2] = kVmid;  // ignored without stage 2
    Access(0, kIova);
    EXPECT_EQ(Iotlb()[0].vmid, stage2 ? kVmid : 0);
    Command(0x11 | uint64_t{7} << 48, 0);
    EXPECT_EQ(IotlbCount(), stage2 ? 1u : 0u);
  }
}

TEST_F(Nested, ThereAreNoSubstreams) {
  BootNested();
  EXPECT_EQ(Access(0, kIova, 0, 1).physical, kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x08));
}

TEST_F(Nested, TheEntryIsBadWhereAStageIsMissing) {
  for (auto [stage1, stage2] : {std::pair{0, 1}, {1, 0}}) {
    machine.smmus[0].stage1 = static_cast<uint8_t>(stage1);
    machine.smmus[0].stage2 = static_cast<uint8_t>(stage2);
    BootNested();
    EXPECT_EQ(Access(0, kIova).physical, kNowhere);
    EXPECT_THAT(Faults(), ElementsAre(0x04));
  }
}

TEST_F(Nested, AtsGivesOutWhatBothStagesTranslateTo) {
  BootNested();
  EnableAts(0, 16);
  EXPECT_EQ(Access(0, kIova), (Dma{kPhysical, ATSFUZZ_DMA_ATC_MISS}));
  auto fills = Events(ATSFUZZ_EVENT_ATC_FILL);
  ASSERT_EQ(fills.size(), 1u);
  EXPECT_EQ(fills[0].a, kIova);
  EXPECT_EQ(fills[0].b, kPhysical);
  EXPECT_EQ(fills[0].c, 0x1000u);
  Ste(kSid)[1] = 0;  // EATS
  CfgiSte(kSid);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_REFUSED);
}

TEST_F(Nested, AnEntryWithoutASecondStageRefusesTranslatedAccessesToo) {
  BootNested();
  EnableAts(0);
  Access(0, kIova);
  Ste(kSid)[2] = kVmid;  // S2AA64 = 0
  CfgiSte(kSid);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_REFUSED);
  EXPECT_THAT(Faults(), ElementsAre(0x04));
}

TEST_F(Nested, AnObserverSeesTheSecondStage) {
  BootNested();
  atsfuzz_stream seen{};
  atsfuzz_emulator_observe_stream(0, kSid, &seen);
  EXPECT_EQ(seen.route, ATSFUZZ_ROUTE_NESTED);
  EXPECT_EQ(seen.eats, 1);
  EXPECT_EQ(seen.vmid, kVmid);
  EXPECT_EQ(seen.table, reinterpret_cast<uint64_t>(root_));
  EXPECT_EQ(seen.cd_valid, 0);
  EXPECT_EQ(seen.asid, 0);
}

}  // namespace
}  // namespace atsfuzz::emulated
