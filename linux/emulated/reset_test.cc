#include "gmock/gmock.h"
#include "linux/emulated/test_machine.h"
#include "linux/emulator.h"

// A function level reset.
namespace atsfuzz::emulated {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kIova = 0x40000000;
constexpr uint64_t kPhysical = 0x140000000;
constexpr uint32_t kAtsControl = ATSFUZZ_CONFIG_ATS_CAP + 6;
constexpr uint32_t kPasidControl = ATSFUZZ_CONFIG_PASID_CAP + 6;

class Reset : public TestMachine {
 protected:
  // Functions 0 and 2 translate by one table and have ATS on.
  void BootWithAts() {
    const TableShape s1{1, 12, 48, 0};
    Boot();
    uint64_t* root = NewRoot(s1);
    Map(s1, root, kIova, kPhysical, 3, Normal(s1));
    for (uint32_t sid : {0x100, 0x300}) SetStage1(sid, s1, root, 7, true);
    EnableAts(0, 14);
    EnableAts(2, 14);
    atsfuzz_emulator_config_write(0, kPasidControl, 1, 2);
  }
  atsfuzz_function Observe(uint32_t function) {
    atsfuzz_function seen{};
    atsfuzz_emulator_observe_function(function, &seen);
    return seen;
  }
};

TEST_F(Reset, ClearsTheControlsAndKeepsTheCapabilities) {
  BootWithAts();
  const uint32_t ats = atsfuzz_emulator_config_read(0, 0x104, 2);
  const uint32_t pasid = atsfuzz_emulator_config_read(0, 0x144, 2);
  ASSERT_EQ(Observe(0).ats, 1);
  ASSERT_EQ(Observe(0).pasid, 1);
  Clear();
  atsfuzz_emulator_reset_function(0);
  EXPECT_EQ(atsfuzz_emulator_config_read(0, kAtsControl, 2), 0u);
  EXPECT_EQ(atsfuzz_emulator_config_read(0, kPasidControl, 2), 0u);
  EXPECT_EQ(Observe(0).ats, 0);
  EXPECT_EQ(Observe(0).pasid, 0);
  EXPECT_EQ(atsfuzz_emulator_config_read(0, 0x104, 2), ats);
  EXPECT_EQ(atsfuzz_emulator_config_read(0, 0x144, 2), pasid);
  EXPECT_EQ(Observe(2).ats, 1);
  EXPECT_THAT(Events(ATSFUZZ_EVENT_CONFIG_WRITE), IsEmpty());
  EXPECT_EQ(Access(0, kIova).result, ATSFUZZ_DMA_UNTRANSLATED);
}

TEST_F(Reset, EmptiesTheAtcOfThatFunctionAlone) {
  BootWithAts();
  Access(0, kIova);
  Access(2, kIova);
  ASSERT_EQ(AtcCount(), 2u);
  atsfuzz_emulator_reset_function(0);
  uint32_t count;
  const atsfuzz_atc_entry* entries = atsfuzz_emulator_atc(&count);
  ASSERT_EQ(count, 1u);
  EXPECT_EQ(entries[0].function, 2);
}

TEST_F(Reset, LeavesTheSmallestUnitInAStuRegisterThatWasWritten) {
  BootWithAts();
  EXPECT_EQ(Observe(0).stu, 14);
  EXPECT_EQ(Observe(1).stu, 14);  // its VF
  atsfuzz_emulator_reset_function(0);
  EXPECT_EQ(Observe(0).stu, 12);
  EXPECT_EQ(Observe(1).stu, 12);
  Boot();
  atsfuzz_emulator_reset_function(0);
  EXPECT_EQ(Observe(0).stu, 0);
}

TEST_F(Reset, AnEagerFunctionAsksAgainOnceItsAtsIsRestored) {
  BootWithAts();
  Access(2, kIova);
  atsfuzz_emulator_reset_function(2);
  Command(0x46, 0);
  EXPECT_EQ(AtcCount(), 0u);
  EnableAts(2, 14);
  EXPECT_EQ(AtcCount(), 1u);
}

}  // namespace
}  // namespace atsfuzz::emulated
