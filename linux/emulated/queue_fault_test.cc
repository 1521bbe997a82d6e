#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"

// The faults `cmd-sync` and `atc-timeout`, the event queue and the interrupts.
namespace atsfuzz::emulated {
namespace {

using ::testing::SizeIs;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr std::pair<uint64_t, uint64_t> kSync = {0x46, 0};

class QueueFaults : public TestMachine {
 protected:
  QueueFaults() { Boot(); }
  // Function 0 has one page in its ATC.
  void FillAtc() {
    const TableShape shape{1, 12, 48, 0};
    uint64_t* root = NewRoot(shape);
    Map(shape, root, kIova, kPhysical, 3, Normal(shape));
    SetStage1(0x100, shape, root, 7, true);
    EnableAts(0);
    Access(0, kIova);
    ASSERT_EQ(AtcCount(), 1u);
  }
  void Begin(uint8_t cmd_syncs, uint8_t atc_timeouts) {
    atsfuzz_request request{};
    request.cmd_syncs = cmd_syncs;
    request.atc_timeouts = atc_timeouts;
    atsfuzz_emulator_begin(&request);
    Clear();
  }
  static std::pair<uint64_t, uint64_t> AtcInv() {
    return {0x40 | uint64_t{0x100} << 32, 52};
  }
};

TEST_F(QueueFaults, AnUnansweredInvalidationStopsTheQueueAtItsSync) {
  FillAtc();
  Write(0x50, 5);
  Begin(0, 1);
  Submit({AtcInv(), kSync});
  EXPECT_EQ(AtcCount(), 1u);
  EXPECT_EQ(Consumer() >> 24, 3u);
  EXPECT_EQ(Read(0x60), 1u);
  EXPECT_EQ(atsfuzz_emulator_take_interrupts(0), ATSFUZZ_INTERRUPT_GERROR);
  EXPECT_EQ(atsfuzz_emulator_take_interrupts(0), 0u);

  Write(0x64, 1);
  EXPECT_EQ(Consumer(), Producer());
  EXPECT_EQ(AtcCount(), 1u);
  Begin(0, 0);
  Submit({AtcInv(), kSync});
  EXPECT_EQ(AtcCount(), 0u);
}

TEST_F(QueueFaults, AStallHoldsTheCommandsOfItsSyncUntilTheNextCommand) {
  FillAtc();
  Begin(1, 0);
  const uint32_t before = Consumer();
  Submit({AtcInv(), kSync});
  EXPECT_EQ(Consumer(), before);
  EXPECT_EQ(AtcCount(), 1u);
  EXPECT_THAT(Events(ATSFUZZ_EVENT_COMMAND_HELD), SizeIs(2));
  EXPECT_TRUE(atsfuzz_emulator_stalled());

  Begin(0, 0);
  CfgiSte(0x300);
  EXPECT_EQ(AtcCount(), 0u);
  EXPECT_EQ(Consumer(), Producer());
  EXPECT_THAT(Events(ATSFUZZ_EVENT_QUEUE_RESUMED), SizeIs(1));
  EXPECT_FALSE(atsfuzz_emulator_stalled());
}

TEST_F(QueueFaults, SyncsOfTheSameCommandsCountOnce) {
  Begin(2, 0);
  const std::pair<uint64_t, uint64_t> cfgi = {3 | uint64_t{0x100} << 32, 1};
  Submit({cfgi, kSync});
  Submit({cfgi, kSync});
  EXPECT_EQ(Consumer(), Producer());
  Submit({AtcInv(), kSync});
  EXPECT_NE(Consumer(), Producer());
}

TEST_F(QueueFaults, AFaultBecomesARecordInTheEventQueueAndOneInterrupt) {
  uint64_t* queue = Allocate(16 * 32);
  atsfuzz_emulator_mmio_write(0, 0xa0, reinterpret_cast<uint64_t>(queue) | 4,
                              8);
  Write(0x50, 4);
  Access(0, kIova);
  EXPECT_EQ(Read(0x100a8), 1u);
  EXPECT_EQ(queue[0] & 0xff, Faults().front());
  EXPECT_EQ(queue[0] >> 32, 0x100u);
  EXPECT_EQ(atsfuzz_emulator_take_interrupts(0), ATSFUZZ_INTERRUPT_EVTQ);
  Access(0, kIova);
  EXPECT_EQ(Read(0x100a8), 2u);
  EXPECT_EQ(atsfuzz_emulator_take_interrupts(0), 0u);
}

}  // namespace
}  // namespace atsfuzz::emulated
