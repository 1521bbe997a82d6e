#include "linux/emulator.h"

#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"

namespace atsfuzz::emulated {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr uint64_t kNowhere = ~uint64_t{0};

class Emulator : public TestMachine {
 protected:
  const TableShape s1_{1, 12, 48, 0};
  uint64_t* root_ = nullptr;

  // Boots; function 0's first stream translates by stage 1 with ASID 7, and
  // `pages` pages are mapped.
  void BootStage1(int pages, bool eats = true) {
    Boot();
    root_ = NewRoot(s1_);
    for (int i = 0; i < pages; i++) MapPage(i);
    SetStage1(0x100, s1_, root_, 7, eats);
  }
  void MapPage(int i) {
    Map(s1_, root_, kIova + 0x1000 * i, kPhysical + 0x1000 * i, 3, Normal(s1_));
  }
  void UnmapPage(int i) { *Entry(s1_, root_, kIova + 0x1000 * i, 3) = 0; }
  void Touch(int pages) {
    for (int i = 0; i < pages; i++) Access(0, kIova + 0x1000 * i);
  }
};

// ---- Walks ----

struct Leaf {
  TableShape shape;
  int level;
};

class Walks : public Emulator, public ::testing::WithParamInterface<Leaf> {};

TEST_P(Walks, ReachTheMappedByteAndNothingBesideTheLeaf) {
  const auto [shape, level] = GetParam();
  const uint64_t size = uint64_t{1} << (shape.granule_bits +
                                        (3 - level) * (shape.granule_bits - 3));
  // High input bits are set, so that each level's index counts.
  const uint64_t iova =
      ((uint64_t{1} << (shape.input_bits - 1)) | 0x5a5a40000000) &
      ((uint64_t{1} << shape.input_bits) - 1) & ~(size - 1);
  const uint64_t physical = uint64_t{5} << 42;
  Boot();
  uint64_t* root = NewRoot(shape);
  Map(shape, root, iova, physical, level, Normal(shape));
  if (shape.stage == 1)
    SetStage1(0x100, shape, root, 7, false);
  else
    SetStage2(0x100, shape, root, 7, false);

  EXPECT_EQ(Access(0, iova + size - 1).physical, physical + size - 1);
  uint32_t count;
  const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(entries[0].stage, shape.stage);
  EXPECT_EQ(entries[0].tag, 7);
  EXPECT_EQ(entries[0].level, level);
  EXPECT_EQ(entries[0].iova, iova);
  EXPECT_EQ(entries[0].size, size);
  EXPECT_EQ(entries[0].physical, physical);
  EXPECT_THAT(Faults(), IsEmpty());

  EXPECT_EQ(Access(0, iova + size).physical, kNowhere);
  EXPECT_EQ(Access(0, iova - 1).physical, kNowhere);
  EXPECT_EQ(Access(0, iova | uint64_t{1} << shape.input_bits).physical,
            kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x10, 0x10, 0x10));
  EXPECT_THAT(Events(ATSFUZZ_EVENT_MEMORY_ERROR), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Walks,
    ::testing::Values(
        Leaf{{1, 12, 48, 0}, 3}, Leaf{{1, 12, 48, 0}, 2},
        Leaf{{1, 12, 48, 0}, 1}, Leaf{{1, 12, 39, 1}, 3},
        Leaf{{1, 14, 48, 0}, 3}, Leaf{{1, 14, 47, 1}, 2},
        Leaf{{1, 16, 48, 1}, 3}, Leaf{{1, 16, 48, 1}, 2},
        Leaf{{2, 12, 48, 0}, 3}, Leaf{{2, 12, 39, 1}, 2},
        // Concatenated: 16 tables of 4K, 2 of 16K, 16 of 64K side by side.
        Leaf{{2, 12, 43, 1}, 3}, Leaf{{2, 12, 43, 1}, 1},
        Leaf{{2, 14, 48, 1}, 3}, Leaf{{2, 14, 48, 1}, 2},
        Leaf{{2, 16, 48, 1}, 3}, Leaf{{2, 16, 46, 2}, 2}));

TEST_F(Emulator, AnEntryWithoutAccessFlagOrReadPermissionFaults) {
  BootStage1(0);
  Map(s1_, root_, kIova, kPhysical, 3, 1u << 6);
  Map(s1_, root_, kIova + 0x1000, kPhysical, 3, 1u << 10);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_EQ(Access(0, kIova + 0x1000).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_THAT(Faults(), ElementsAre(0x12, 0x13));
  EXPECT_EQ(IotlbCount(), 0u);
}

TEST_F(Emulator, AWalkThroughFreedTableMemoryIsAMemoryErrorAndAFault) {
  BootStage1(1);
  Free(reinterpret_cast<void*>(*Entry(s1_, root_, kIova, 2) & ~0xfffull));
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  ASSERT_EQ(Events(ATSFUZZ_EVENT_MEMORY_ERROR).size(), 1u);
  EXPECT_THAT(Events(ATSFUZZ_EVENT_MEMORY_ERROR)[0].text,
              ::testing::StartsWith("SMMU walked freed table memory"));
  EXPECT_THAT(Faults(), ElementsAre(0x0b));
}

TEST_F(Emulator, AFreedContextDescriptorTableIsAMemoryError) {
  Boot();
  Free(SetStage1(0x100, s1_, NewRoot(s1_), 7, false));
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_MEMORY_ERROR).size(), 1u);
  EXPECT_THAT(Faults(), ElementsAre(0x09));
}

// ---- Streams ----

TEST_F(Emulator, AnAbortEntryIsSilentAndABypassEntryLetsAddressesThrough) {
  Boot();
  SetAbort(0x100);
  SetBypass(0x205);
  EXPECT_EQ(Access(0, kIova, 0), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  EXPECT_EQ(Access(0, kIova, 1), (Dma{kIova, ATSFUZZ_DMA_UNTRANSLATED}));
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(Emulator, AStreamBeyondTheTableOrWithoutSecondLevelIsABadStreamId) {
  machine.functions[0].streams[0] = 0x10100;
  Boot();
  EXPECT_EQ(Access(0, kIova, 0).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_EQ(Access(0, kIova, 1).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_THAT(Faults(), ElementsAre(0x02, 0x02));
  EXPECT_EQ(Events(ATSFUZZ_EVENT_SMMU_FAULT)[0].stream, 0x10100u);
}

TEST_F(Emulator, AnInvalidEntryIsABadSte) {
  Boot();
  Ste(0x100)[0] = 0;
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_THAT(Faults(), ElementsAre(0x04));
}

TEST_F(Emulator, TrafficWithoutPasidFollowsS1dssWhereThereAreSubstreams) {
  BootStage1(1);
  for (auto [s1dss, physical] :
       {std::pair{0, kNowhere}, {1, kIova}, {2, kPhysical}}) {
    SetStage1(0x100, s1_, root_, 7, true, 4, s1dss);
    CfgiSte(0x100);
    EXPECT_EQ(Access(0, kIova).physical, physical) << s1dss;
  }
  EXPECT_THAT(Faults(), ElementsAre(0x06));
}

TEST_F(Emulator, AStoreToAnSteIsLoggedWithStreamAndWord) {
  Boot();
  uint64_t* ste = Ste(0x205);
  Ste(0x100);
  EXPECT_EQ(atsfuzz_emulator_stored(&ste[3], 5, 6), 1);
  EXPECT_EQ(atsfuzz_emulator_stored(&Ste(0x2ff)[7], 0, 1), 1);
  EXPECT_EQ(atsfuzz_emulator_stored(&Ste(0x2ff)[8], 0, 1), 0);
  EXPECT_EQ(atsfuzz_emulator_stored(&Ste(0x200)[-1], 0, 1), 0);
  auto events = Events(ATSFUZZ_EVENT_STE_WRITE);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].stream, 0x205u);
  EXPECT_EQ(events[0].smmu, 0);
  EXPECT_EQ(events[0].a, 3u);
  EXPECT_EQ(events[0].b, 5u);
  EXPECT_EQ(events[0].c, 6u);
  EXPECT_EQ(events[1].stream, 0x2ffu);
  EXPECT_EQ(events[1].a, 7u);
}

TEST_F(Emulator, SecondLevelTablesMayLieInAnyOrder) {
  Boot();
  uint64_t* block = Allocate(4 * 256 * 64);
  for (uint32_t index : {3, 1, 2, 0})
    SetSecondLevel(10 - index, block + index * 256 * 8);
  for (uint32_t index : {0, 1, 2, 3})
    atsfuzz_emulator_stored(block + index * 256 * 8 + 5 * 8, 0, 1);
  auto events = Events(ATSFUZZ_EVENT_STE_WRITE);
  ASSERT_EQ(events.size(), 4u);
  for (uint32_t i = 0; i < 4; i++)
    EXPECT_EQ(events[i].stream, ((10 - i) << 8) + 5);
}

TEST_F(Emulator, TheTableEndsWhereItsSizeSays) {
  Boot();
  SetBypass(0x100);
  SetBypass(0x205);
  Write(0x88, 1u << 16 | 8u << 6 | 9u);  // 512 stream ids
  EXPECT_EQ(Access(0, kIova, 0).physical, kIova);
  EXPECT_EQ(Access(0, kIova, 1).physical, kNowhere);
  EXPECT_THAT(Faults(), ElementsAre(0x02));
}

TEST_F(Emulator, ALinearTableIsFollowedToo) {
  Boot();
  uint64_t* table = Allocate(512 * 64);
  table[0x100 * 8] = 1 | 4 << 1;
  atsfuzz_emulator_mmio_write(0, 0x80, reinterpret_cast<uint64_t>(table), 8);
  Write(0x88, 9);
  EXPECT_EQ(Access(0, kIova, 0).physical, kIova);
  EXPECT_EQ(Access(0, kIova, 1).physical, kNowhere);
}

TEST_F(Emulator, ObservationReadsMemoryAndNotTheCache) {
  BootStage1(1);
  Access(0, kIova);
  atsfuzz_stream seen{};
  seen.master = 3;
  atsfuzz_emulator_observe_stream(0, 0x100, &seen);
  EXPECT_EQ(seen.route, ATSFUZZ_ROUTE_STAGE1);
  EXPECT_EQ(seen.eats, 1);
  EXPECT_EQ(seen.cd_valid, 1);
  EXPECT_EQ(seen.asid, 7);
  EXPECT_EQ(seen.table, reinterpret_cast<uint64_t>(root_));
  EXPECT_EQ(seen.master, 3);
  SetBypass(0x100);  // no CFGI
  atsfuzz_emulator_observe_stream(0, 0x100, &seen);
  EXPECT_EQ(seen.route, ATSFUZZ_ROUTE_BYPASS);
  EXPECT_EQ(seen.eats, 0);
  EXPECT_EQ(seen.table, 0u);
  atsfuzz_emulator_observe_stream(0, 0x900, &seen);
  EXPECT_EQ(seen.route, ATSFUZZ_ROUTE_NO_TABLE);
}

// ---- Configuration cache ----

TEST_F(Emulator, AChangedSteIsFollowedOnlyAfterCfgi) {
  BootStage1(1);
  Access(0, kIova);
  SetBypass(0x100);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  CfgiSte(0x205);
  CfgiCd(0x100);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  CfgiSte(0x100);
  EXPECT_EQ(Access(0, kIova).physical, kIova);
}

TEST_F(Emulator, AChangedCdIsFollowedOnlyAfterCfgi) {
  BootStage1(1);
  uint64_t* cds = SetStage1(0x100, s1_, root_, 7, false);
  Access(0, kIova);
  uint64_t* other = NewRoot(s1_);
  Map(s1_, other, kIova, 0x900000, 3, Normal(s1_));
  FillCd(cds, s1_, other, 8);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  CfgiCd(0x100);
  EXPECT_EQ(Access(0, kIova).physical, 0x900000u);
}

TEST_F(Emulator, CfgiOfAnSteCoversTheCdsBehindIt) {
  BootStage1(1);
  Access(0, kIova);
  uint64_t* other = NewRoot(s1_);
  Map(s1_, other, kIova, 0x900000, 3, Normal(s1_));
  SetStage1(0x100, s1_, other, 8, false);
  CfgiSte(0x100);
  EXPECT_EQ(Access(0, kIova).physical, 0x900000u);
}

TEST_F(Emulator, CfgiAllDropsEveryStream) {
  BootStage1(1);
  Access(0, kIova);
  SetBypass(0x100);
  Command(0x04, 31);
  EXPECT_EQ(Access(0, kIova).physical, kIova);
}

// ---- IOTLB ----

TEST_F(Emulator, AnIotlbEntryOutlivesItsPageUntilTlbi) {
  BootStage1(1);
  Access(0, kIova);
  UnmapPage(0);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  TlbiVa(8, kIova);
  TlbiVa(7, kIova + 0x1000);
  EXPECT_EQ(Access(0, kIova).physical, kPhysical);
  TlbiVa(7, kIova);
  EXPECT_EQ(Access(0, kIova).physical, kNowhere);
}

TEST_F(Emulator, StreamsThatSelectTheSameTagShareIotlbEntries) {
  BootStage1(1);
  SetStage1(0x205, s1_, NewRoot(s1_), 7, false);
  EXPECT_EQ(Access(0, kIova, 1).physical, kNowhere);
  Access(0, kIova, 0);
  EXPECT_EQ(Access(0, kIova, 1).physical, kPhysical);
}

TEST_F(Emulator, SmmusShareNoIotlbEntries) {
  machine.smmu_count = 2;
  machine.smmus[1] = machine.smmus[0];
  machine.functions[1].smmu = 1;
  machine.functions[1].streams[0] = 0x100;
  BootStage1(1);
  for (uint32_t offset : {0x80, 0x88, 0x20})  // the same stream table
    atsfuzz_emulator_mmio_write(1, offset,
                                atsfuzz_emulator_mmio_read(0, offset, 8), 8);
  Access(0, kIova);
  UnmapPage(0);
  EXPECT_EQ(Access(1, kIova).physical, kNowhere);
  ASSERT_THAT(Faults(), ElementsAre(0x10));
  EXPECT_EQ(Events(ATSFUZZ_EVENT_SMMU_FAULT)[0].smmu, 1);
  MapPage(0);
  EXPECT_EQ(Access(1, kIova).physical, kPhysical);
}

TEST_F(Emulator, ARangeTlbiCoversNumPlusOneTimesTwoToTheScaleGranules) {
  BootStage1(16);
  Touch(16);
  ASSERT_EQ(IotlbCount(), 16u);
  TlbiRange(7, kIova + 0x1000, 2, 1, 1, 3);  // 3 << 1 pages: 1 to 6
  uint32_t count;
  const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
  ASSERT_EQ(count, 10u);
  EXPECT_EQ(entries[0].iova, kIova);
  EXPECT_EQ(entries[1].iova, kIova + 0x7000);
  EXPECT_EQ(entries[9].iova, kIova + 0xf000);
}

TEST_F(Emulator, ARangeTlbiCountsInItsOwnGranule) {
  const TableShape shape{1, 16, 48, 1};
  Boot();
  uint64_t* root = NewRoot(shape);
  for (uint64_t i = 0; i < 3; i++)
    Map(shape, root, kIova + 0x10000 * i, kPhysical, 3, Normal(shape));
  SetStage1(0x100, shape, root, 7, false);
  for (uint64_t i = 0; i < 3; i++) Access(0, kIova + 0x10000 * i);
  ASSERT_EQ(IotlbCount(), 3u);
  TlbiRange(7, kIova, 1, 0, 3, 3);
  uint32_t count;
  const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(entries[0].iova, kIova + 0x20000);
}

TEST_F(Emulator, ATtlHintSparesEntriesOfOtherLevels) {
  BootStage1(1);
  Map(s1_, root_, kIova + 0x200000, kPhysical, 2, Normal(s1_));
  Access(0, kIova);
  Access(0, kIova + 0x200000);
  ASSERT_EQ(IotlbCount(), 2u);
  TlbiRange(7, kIova, 0, 10, 1, 3);  // 4 MiB, pages only
  ASSERT_EQ(IotlbCount(), 1u);
  TlbiRange(7, kIova, 0, 10, 1, 0);  // any level
  EXPECT_EQ(IotlbCount(), 0u);
}

TEST_F(Emulator, ATlbiByAddressDropsTheBlockThatTranslatesIt) {
  BootStage1(0);
  Map(s1_, root_, kIova, kPhysical, 2, Normal(s1_));
  Access(0, kIova);
  TlbiVa(7, kIova + 0x1ff000);
  EXPECT_EQ(IotlbCount(), 0u);
}

TEST_F(Emulator, TlbiByAsidVmidAndAllDropWhatTheyName) {
  const TableShape s2{2, 12, 39, 1};
  BootStage1(1);
  uint64_t* root = NewRoot(s2);
  Map(s2, root, kIova, kPhysical, 3, Normal(s2));
  SetStage2(0x205, s2, root, 7, false);
  auto fill = [&] {
    Access(0, kIova, 0);
    Access(0, kIova, 1);
    return IotlbCount();
  };
  ASSERT_EQ(fill(), 2u);
  Command(0x11 | uint64_t{7} << 48, 0);  // NH_ASID
  EXPECT_EQ(IotlbCount(), 1u);
  ASSERT_EQ(fill(), 2u);
  Command(0x28 | uint64_t{7} << 32, 0);  // S12_VMALL
  EXPECT_EQ(IotlbCount(), 1u);
  ASSERT_EQ(fill(), 2u);
  Command(0x2a | uint64_t{7} << 32, kIova);  // S2_IPA
  EXPECT_EQ(IotlbCount(), 1u);
  ASSERT_EQ(fill(), 2u);
  Command(0x30, 0);  // NSNH_ALL
  EXPECT_EQ(IotlbCount(), 0u);
}

TEST_F(Emulator, TheIotlbForgetsItsOldestEntryWhenItIsFull) {
  BootStage1(257);
  Touch(257);
  uint32_t count;
  const atsfuzz_iotlb_entry* entries = atsfuzz_emulator_iotlb(&count);
  ASSERT_EQ(count, 256u);
  EXPECT_EQ(entries[0].iova, kIova + 0x1000);
  EXPECT_EQ(entries[255].iova, kIova + 0x100000);
}

}  // namespace
}  // namespace atsfuzz::emulated
