#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"
#include "linux/emulator.h"

// Command queue, config space, ATC, and functions that ask of their own accord.
namespace atsfuzz::emulated {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr uint64_t kNowhere = ~uint64_t{0};
constexpr uint32_t kAtsControl = ATSFUZZ_CONFIG_ATS_CAP + 6;

class Device : public TestMachine {
 protected:
  const TableShape s1_{1, 12, 48, 0};
  uint64_t* root_ = nullptr;

  // Boots; every function's first stream translates by stage 1, ASID 7.
  void BootStage1(int pages, bool eats = true) {
    Boot();
    root_ = NewRoot(s1_);
    for (int i = 0; i < pages; i++)
      Map(s1_, root_, kIova + 0x1000 * i, kPhysical + 0x1000 * i, 3,
          Normal(s1_));
    for (uint32_t sid : {0x100, 0x110, 0x300})
      SetStage1(sid, s1_, root_, 7, eats);
  }
  void UnmapPage(int i) { *Entry(s1_, root_, kIova + 0x1000 * i, 3) = 0; }
  uint32_t Config(uint32_t function, uint32_t offset, uint32_t size) {
    return atsfuzz_emulator_config_read(function, offset, size);
  }
  atsfuzz_function Observe(uint32_t function) {
    atsfuzz_function seen{};
    atsfuzz_emulator_observe_function(function, &seen);
    return seen;
  }
};

// ---- Registers and command queue ----

TEST_F(Device, IdRegistersSayWhatTheMachineHas) {
  machine.smmus[0] = {5, 1, 0, 0, 0};
  Boot();
  EXPECT_EQ(Read(0x00), 1u << 27 | 1u << 24 | 2u << 21 | 1u << 19 | 1u << 18 |
                            1u << 12 | 1u << 4 | 2u << 2 | 1u << 1);
  EXPECT_EQ(Read(0x04), 8u << 21 | 7u << 16 | 7u << 11 | 16u << 6 | 16u);
  EXPECT_EQ(Read(0x0c), 0u);
  EXPECT_EQ(Read(0x14), 5u << 4 | 5u);
  machine.smmus[0] = {2, 0, 1, 1, 1};
  Boot();
  EXPECT_EQ(Read(0x00) & 0x403, 0x401u);
  EXPECT_EQ(Read(0x0c), 1u << 10);
  EXPECT_EQ(Read(0x14), 2u << 4 | 5u);
}

TEST_F(Device, ControlRegistersAreAcknowledgedAndGbpaUpdateClears) {
  Boot();
  EXPECT_EQ(Read(0x24), Read(0x20));
  Write(0x50, 5);
  EXPECT_EQ(Read(0x54), 5u);
  Write(0x44, 1u << 31 | 1u << 20);
  EXPECT_EQ(Read(0x44), 1u << 20);
  Write(0x100a8, 3);
  EXPECT_EQ(Read(0x100a8), 3u);
  Write(0x00, 0);
  EXPECT_NE(Read(0x00), 0u);
}

TEST_F(Device, ADisabledSmmuDoesWithTrafficWhatGbpaSays) {
  Boot();
  Write(0x20, 0);
  EXPECT_EQ(Access(0, kIova), (Dma{kIova, ATSFUZZ_DMA_UNTRANSLATED}));
  Write(0x44, 1u << 31 | 1u << 20);
  EXPECT_EQ(Access(0, kIova), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(Device, TheQueueConsumesInOrderAndWrapsAround) {
  Boot();
  for (int i = 0; i < 300; i++) Command(0x46, uint64_t(i));
  EXPECT_EQ(Consumer(), 300u);  // wrap bit and 44
  Submit({{0x46, 1000}, {0x46, 1001}});
  auto commands = Events(ATSFUZZ_EVENT_COMMAND);
  ASSERT_EQ(commands.size(), 302u);
  for (int i = 0; i < 300; i++) EXPECT_EQ(commands[i].b, uint64_t(i));
  EXPECT_EQ(commands[301].a, 0x46u);
  EXPECT_EQ(commands[301].b, 1001u);
  EXPECT_EQ(commands[301].smmu, 0);
  for (int i = 0; i < 220; i++) Command(0x46, 0);
  EXPECT_EQ(Consumer(), 522u - 512u);
}

TEST_F(Device, AnIllegalCommandStopsTheQueueUntilItIsAcknowledged) {
  Boot();
  Submit({{0x46, 1}, {0x7f, 2}, {0x46, 3}});
  ASSERT_EQ(Events(ATSFUZZ_EVENT_ILLEGAL_COMMAND).size(), 1u);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_ILLEGAL_COMMAND)[0].a, 0x7fu);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_ILLEGAL_COMMAND)[0].b, 2u);
  EXPECT_EQ(Consumer(), 1u << 24 | 1u);
  EXPECT_EQ(Read(0x60), 1u);
  Command(0x46, 4);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_COMMAND).size(), 1u);

  Slot(1)[0] = 0x46;  // as the driver does: skip it by a CMD_SYNC
  Write(0x64, 1);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_COMMAND).size(), 4u);
  EXPECT_EQ(Consumer(), 4u);
}

class IllegalCommands
    : public Device,
      public ::testing::WithParamInterface<std::pair<uint64_t, uint64_t>> {};

TEST_P(IllegalCommands, AreRefused) {
  // Range invalidation in the first machine, nothing optional in the second.
  bool bare = GetParam().second & 1;
  machine.smmus[0] = bare ? atsfuzz_machine_smmu{1, 1, 0, 0, 0}
                          : atsfuzz_machine_smmu{1, 0, 1, 1, 1};
  Boot();
  Command(GetParam().first, GetParam().second & ~uint64_t{1});
  EXPECT_EQ(Events(ATSFUZZ_EVENT_ILLEGAL_COMMAND).size(), 1u);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_COMMAND).size(), 0u);
}

// Second word odd: on the bare SMMU (stage 1 only).
INSTANTIATE_TEST_SUITE_P(
    Words, IllegalCommands,
    ::testing::Values(std::pair{uint64_t{0x12} | 1 << 12, 1},  // NUM
                      std::pair{uint64_t{0x12} | 1 << 20, 1},  // SCALE
                      std::pair{uint64_t{0x12}, 1 | 1 << 8},   // TTL
                      std::pair{uint64_t{0x12}, 1 | 1 << 10},  // TG
                      std::pair{uint64_t{0x2a}, 1},            // no stage 2
                      std::pair{uint64_t{0x40}, 1},            // no ATS
                      std::pair{uint64_t{0x12}, 0},            // no stage 1
                      std::pair{uint64_t{0x05}, 0},            // no CDs
                      std::pair{uint64_t{0x22}, 0},            // no EL2
                      std::pair{uint64_t{0x2a}, 1 << 10},      // range of zero
                      std::pair{uint64_t{0x40}, 54}));         // beyond all

// ---- Config space ----

TEST_F(Device, CapabilitiesAreFoundByWalkingTheList) {
  machine.functions[1].ats = 0;
  machine.functions[1].pasid_bits = 20;
  machine.functions[2].ats = 0;
  Boot();
  EXPECT_EQ(Config(0, 0x100, 4), 0x0fu | 1u << 16 | 0x140u << 20);
  EXPECT_EQ(Config(0, 0x104, 2), 0x20u);
  EXPECT_EQ(Config(0, 0x140, 4), 0x1bu | 1u << 16);
  EXPECT_EQ(Config(0, 0x144, 2), 8u << 8);
  EXPECT_EQ(Config(1, 0x100, 4) >> 20, 0x140u);
  EXPECT_EQ(Config(1, 0x100, 4) & 0xffff, 0u);
  EXPECT_EQ(Config(1, 0x144, 2), 20u << 8);
  EXPECT_EQ(Config(2, 0x100, 4), 0u);
}

TEST_F(Device, AControlWriteIsLoggedWithOldAndNewValue) {
  Boot();
  EnableAts(0, 14);
  atsfuzz_emulator_config_write(0, ATSFUZZ_CONFIG_PASID_CAP + 6, 1, 2);
  atsfuzz_emulator_config_write(0, 0x104, 0xffff, 2);  // read-only
  atsfuzz_emulator_config_write(0, 0x10, 0x1234, 4);
  auto events = Events(ATSFUZZ_EVENT_CONFIG_WRITE);
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].function, 0);
  EXPECT_EQ(events[0].a, uint64_t{ATSFUZZ_CONFIG_ATS_CONTROL});
  EXPECT_EQ(events[0].b, 0u);
  EXPECT_EQ(events[0].c, 0x8002u);
  EXPECT_EQ(events[1].a, uint64_t{ATSFUZZ_CONFIG_PASID_CONTROL});
  EXPECT_EQ(events[1].c, 1u);
  EXPECT_EQ(events[2].a, uint64_t{ATSFUZZ_CONFIG_OTHER});
  EXPECT_EQ(Config(0, 0x104, 2), 0x20u);
  EXPECT_EQ(Config(0, 0x10, 4), 0x1234u);
  EXPECT_EQ(Observe(0).ats, 1);
  EXPECT_EQ(Observe(0).pasid, 1);
  EXPECT_EQ(Observe(0).stu, 14);
}

TEST_F(Device, AVfReportsTheStuOfItsPf) {
  Boot();
  EnableAts(1, 16);
  EXPECT_EQ(Observe(1).stu, 0);
  EXPECT_EQ(Observe(1).ats, 1);
  EnableAts(0, 13);
  EXPECT_EQ(Observe(1).stu, 13);
}

TEST_F(Device, TheNthConfigWriteOfAnOperationIsLost) {
  Boot();
  atsfuzz_request request{};
  request.config_writes = 2;
  atsfuzz_emulator_begin(&request);
  EnableAts(0, 12);
  DisableAts(0);  // lost
  EXPECT_EQ(Observe(0).ats, 1);
  EXPECT_EQ(Config(0, kAtsControl, 2), 0x8000u);
  ASSERT_EQ(Events(ATSFUZZ_EVENT_CONFIG_WRITE_LOST).size(), 1u);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_CONFIG_WRITE_LOST)[0].b, 0x8000u);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_CONFIG_WRITE_LOST)[0].c, 0u);
  EXPECT_EQ(Events(ATSFUZZ_EVENT_CONFIG_WRITE).size(), 1u);
  request.config_writes = 4;
  atsfuzz_emulator_begin(&request);  // counts from the first write again
  DisableAts(0);
  EXPECT_EQ(Observe(0).ats, 0);
  EnableAts(0);
  DisableAts(0);  // lost
  EXPECT_EQ(Observe(0).ats, 1);
  request.config_writes = 0xff;
  atsfuzz_emulator_begin(&request);
  atsfuzz_emulator_begin(nullptr);  // no operation, no faults
  DisableAts(0);
  EXPECT_EQ(Observe(0).ats, 0);
}

// ---- ATC ----

TEST_F(Device, AMissFillsTheAtcAndTheNextAccessHits) {
  BootStage1(1);
  EnableAts(0);
  EXPECT_EQ(Access(0, kIova + 5), (Dma{kPhysical + 5, ATSFUZZ_DMA_ATC_MISS}));
  EXPECT_EQ(Access(0, kIova + 9), (Dma{kPhysical + 9, ATSFUZZ_DMA_ATC_HIT}));
  auto fills = Events(ATSFUZZ_EVENT_ATC_FILL);
  ASSERT_EQ(fills.size(), 1u);
  EXPECT_EQ(fills[0].function, 0);
  EXPECT_EQ(fills[0].stream, 0x100u);
  EXPECT_EQ(fills[0].a, kIova);
  EXPECT_EQ(fills[0].b, kPhysical);
  EXPECT_EQ(fills[0].c, 0x1000u);
  EXPECT_EQ(IotlbCount(), 1u);
  uint32_t count;
  EXPECT_EQ(atsfuzz_emulator_atc(&count)->writable, 1);
  EXPECT_EQ(count, 1u);
}

TEST_F(Device, AnAtcEntryIsAsLargeAsTheSmallestTranslationUnitOrTheLeaf) {
  BootStage1(1);
  Map(s1_, root_, kIova + 0x200000, kPhysical + 0x200000, 2, Normal(s1_));
  EnableAts(0, 14);
  EXPECT_EQ(Access(0, kIova + 0x20afff).physical, kPhysical + 0x20afff);
  Access(0, kIova);
  auto fills = Events(ATSFUZZ_EVENT_ATC_FILL);
  ASSERT_EQ(fills.size(), 2u);
  EXPECT_EQ(fills[0].a, kIova + 0x208000);
  EXPECT_EQ(fills[0].b, kPhysical + 0x208000);
  EXPECT_EQ(fills[0].c, 0x4000u);
  EXPECT_EQ(fills[1].c, 0x1000u);
}

TEST_F(Device, ARequestWithoutEatsIsRecordedAndBlocked) {
  BootStage1(1, false);
  EnableAts(0);
  EXPECT_EQ(Access(0, kIova), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  EXPECT_THAT(Faults(), ElementsAre(0x05));
  EXPECT_EQ(AtcCount(), 0u);
}

TEST_F(Device, ARequestForAnUnmappedPageIsAnsweredWithoutAFault) {
  BootStage1(0);
  EnableAts(0);
  EXPECT_EQ(Access(0, kIova), (Dma{kNowhere, ATSFUZZ_DMA_BLOCKED}));
  EXPECT_THAT(Faults(), IsEmpty());
}

TEST_F(Device, ATranslatedAccessIsRefusedOnceEatsIsOff) {
  BootStage1(1);
  EnableAts(0);
  Access(0, kIova);
  SetStage1(0x100, s1_, root_, 7, false);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_ATC_HIT);  // STE is cached
  CfgiSte(0x100);
  EXPECT_EQ(Access(0, kIova), (Dma{kNowhere, ATSFUZZ_DMA_REFUSED}));
  EXPECT_THAT(Faults(), ElementsAre(0x07));
}

TEST_F(Device, BypassRefusesAtsUnlessItIsThatOfACdTable) {
  BootStage1(0);
  EnableAts(0);
  SetBypass(0x100);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  EXPECT_THAT(Faults(), ElementsAre(0x05));
  SetStage1(0x100, s1_, root_, 7, true, 4, 1);
  CfgiSte(0x100);
  EXPECT_EQ(Access(0, kIova), (Dma{kIova, ATSFUZZ_DMA_ATC_MISS}));
}

TEST_F(Device, TheAtcOutlivesUnmapTlbiAndDisableButNotEnable) {
  BootStage1(2);
  EnableAts(0);
  Access(0, kIova);
  UnmapPage(0);
  TlbiVa(7, kIova);
  EnableAts(0);  // already on
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_ATC_HIT);
  DisableAts(0);
  EXPECT_EQ(AtcCount(), 1u);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
  EnableAts(1);
  Access(1, kIova + 0x1000);
  EnableAts(0);
  EXPECT_EQ(AtcCount(), 1u);  // the other function's
}

TEST_F(Device, AtcInvHitsTheRangeOfTheStreamThatItNames) {
  BootStage1(12);
  EnableAts(0);
  EnableAts(1);
  for (int i = 0; i < 12; i++) Access(0, kIova + 0x1000 * i);
  Access(1, kIova + 0x5000);
  ASSERT_EQ(AtcCount(), 13u);
  AtcInvalidate(0x101, 0, 52);
  EXPECT_EQ(AtcCount(), 13u);
  AtcInvalidate(0x100, kIova + 0x5000, 0);
  EXPECT_EQ(AtcCount(), 12u);
  AtcInvalidate(0x100, kIova + 0x7000, 2);  // aligned down: pages 4 to 7
  EXPECT_EQ(AtcCount(), 9u);
  EXPECT_EQ(Access(0, kIova + 0x3000).result, ATSFUZZ_DMA_ATC_HIT);
  EXPECT_EQ(Access(0, kIova + 0x8000).result, ATSFUZZ_DMA_ATC_HIT);
  DisableAts(0);
  AtcInvalidate(0x100, 0, 52);  // reaches a function whose ATS is off
  EXPECT_EQ(AtcCount(), 1u);
  EXPECT_EQ(Access(1, kIova + 0x5000).result, ATSFUZZ_DMA_ATC_HIT);
}

TEST_F(Device, AtcInvWithAPasidSparesEntriesWithout) {
  BootStage1(1);
  EnableAts(0);
  Access(0, kIova);
  Command(0x40 | 1 << 11 | 5 << 12 | uint64_t{0x100} << 32, 52);
  EXPECT_EQ(AtcCount(), 1u);
}

TEST_F(Device, TheAtcForgetsTheOldestEntryOfTheSameFunction) {
  BootStage1(66);
  EnableAts(0);
  EnableAts(1);
  Access(1, kIova);
  for (int i = 0; i < 65; i++) Access(0, kIova + 0x1000 * i);
  EXPECT_EQ(AtcCount(), 65u);
  EXPECT_EQ(Access(1, kIova).result, ATSFUZZ_DMA_ATC_HIT);
  EXPECT_EQ(Access(0, kIova + 0x1000).result, ATSFUZZ_DMA_ATC_HIT);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_ATC_MISS);
}

TEST_F(Device, AFunctionBehindNoSmmuDoesNothing) {
  machine.functions[1].smmu = ATSFUZZ_NONE;
  BootStage1(1);
  atsfuzz_emulator_dma(1, 0, /*pasid=*/0, kIova);
  EXPECT_THAT(Events(ATSFUZZ_EVENT_DMA), IsEmpty());
}

// ---- Eager functions ----

TEST_F(Device, AnEagerFunctionRefillsItsAtcBetweenTwoCommands) {
  BootStage1(1);
  EnableAts(2);
  Access(2, kIova);
  UnmapPage(0);
  Clear();
  // The wrong order: between the two, the IOTLB still answers.
  Submit(
      {{0x40 | uint64_t{0x300} << 32, 52}, {0x12 | uint64_t{7} << 48, kIova}});
  EXPECT_EQ(Events(ATSFUZZ_EVENT_ATC_FILL).size(), 1u);
  EXPECT_EQ(Access(2, kIova), (Dma{kPhysical, ATSFUZZ_DMA_ATC_HIT}));

  Submit({{0x40 | uint64_t{0x300} << 32, 52}});
  EXPECT_EQ(AtcCount(), 0u);
  EXPECT_EQ(Access(2, kIova).result, ATSFUZZ_DMA_BLOCKED);
}

TEST_F(Device, AnEagerFunctionAsksAsSoonAsItsAtsIsOnAndQuietly) {
  BootStage1(1, false);
  Access(2, kIova);
  Clear();
  EnableAts(2);
  EXPECT_THAT(Faults(), IsEmpty());
  EXPECT_EQ(AtcCount(), 0u);
  SetStage1(0x300, s1_, root_, 7, true);
  CfgiSte(0x300);
  EXPECT_EQ(AtcCount(), 1u);
  DisableAts(2);
  AtcInvalidate(0x300, 0, 52);
  EXPECT_EQ(AtcCount(), 0u);
  EnableAts(2);
  EXPECT_EQ(AtcCount(), 1u);
}

TEST_F(Device, BootForgetsEverything) {
  BootStage1(1);
  EnableAts(0);
  Access(0, kIova);
  Access(2, kIova);
  BootStage1(0);
  EXPECT_EQ(AtcCount(), 0u);
  EXPECT_EQ(IotlbCount(), 0u);
  EXPECT_EQ(Observe(0).ats, 0);
  EXPECT_EQ(Observe(0).stu, 0);
  EXPECT_EQ(Config(0, kAtsControl, 2), 0u);
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_BLOCKED);
}

}  // namespace
}  // namespace atsfuzz::emulated
