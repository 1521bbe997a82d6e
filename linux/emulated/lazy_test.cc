#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"

// SMMUs that consume their commands when told to, and accesses in flight.
namespace atsfuzz::emulated {
namespace {

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr std::pair<uint64_t, uint64_t> kSync = {0x46, 0};

class LazySmmu : public TestMachine {
 protected:
  LazySmmu() {
    Boot();
    root_ = NewRoot(shape_);
    Map(shape_, root_, kIova, kPhysical, 3, Normal(shape_));
    SetStage1(0x100, shape_, root_, 7, true);
    EnableAts(0);
    atsfuzz_emulator_set_lazy(1);
  }
  ~LazySmmu() override { set_hardware_step(nullptr); }
  static std::pair<uint64_t, uint64_t> AtcInv() {
    return {0x40 | uint64_t{0x100} << 32, 52};
  }
  static std::pair<uint64_t, uint64_t> TlbiAll() { return {0x30, 0}; }
  static void Consume() {
    ASSERT_TRUE(atsfuzz_emulator_can_consume(0));
    atsfuzz_emulator_consume(0);
  }

  const TableShape shape_{1, 12, 48, 0};
  uint64_t* root_;
};

TEST_F(LazySmmu, ConsumesOneCommandAtATime) {
  Access(0, kIova);
  ASSERT_EQ(AtcCount(), 1u);
  Submit({AtcInv(), kSync});
  EXPECT_EQ(AtcCount(), 1u);
  EXPECT_NE(Consumer(), Producer());
  Consume();
  EXPECT_EQ(AtcCount(), 0u);
  EXPECT_NE(Consumer(), Producer());
  Consume();
  EXPECT_EQ(Consumer(), Producer());
  EXPECT_FALSE(atsfuzz_emulator_can_consume(0));
}

TEST_F(LazySmmu, ConsumesTheRestWhenItIsLazyNoMore) {
  Access(0, kIova);
  Submit({AtcInv(), kSync});
  atsfuzz_emulator_set_lazy(0);
  EXPECT_EQ(AtcCount(), 0u);
  EXPECT_EQ(Consumer(), Producer());
}

TEST_F(LazySmmu, ASyncWaitsForAnAccessThatAnInvalidationHasHit) {
  bool waited = false;
  int steps = 0;
  Submit({TlbiAll(), kSync});
  set_hardware_step([&] {
    if (steps++ != 2) return;
    Consume();
    waited = !atsfuzz_emulator_can_consume(0);
  });
  Access(0, kIova);
  EXPECT_TRUE(waited);
  EXPECT_TRUE(atsfuzz_emulator_can_consume(0)) << "the access is over";
}

TEST_F(LazySmmu, AWalkThatATlbiHasHitFillsNoIotlb) {
  int steps = 0;
  Submit({TlbiAll(), kSync});
  set_hardware_step([&] {
    if (steps++ == 4) Consume();
  });
  Access(0, kIova);
  EXPECT_GT(steps, 5);
  EXPECT_EQ(IotlbCount(), 0u);
}

TEST_F(LazySmmu, AnAnswerThatAnAtcInvHasOvertakenIsUsedAndNotKept) {
  bool invalidated = false;
  Submit({AtcInv(), kSync});
  set_hardware_step([&] {
    // The answer is there when the IOTLB has been filled.
    if (!invalidated && IotlbCount() == 1) {
      Consume();
      invalidated = true;
    }
  });
  const Dma dma = Access(0, kIova);
  EXPECT_TRUE(invalidated);
  EXPECT_EQ(dma.physical, kPhysical);
  EXPECT_EQ(AtcCount(), 0u);
}

}  // namespace
}  // namespace atsfuzz::emulated
