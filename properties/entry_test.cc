#include "properties/entry.h"

#include <string>

#include "gtest/gtest.h"

namespace atsfuzz::properties {
namespace {

constexpr uint64_t kEatsOn = uint64_t{1} << 28;
constexpr uint64_t kIncoming = uint64_t{1} << 44;  // SHCFG

constexpr Entry kAbort = {1};
constexpr Entry kBypass = {1 | 4 << 1, kIncoming};
// CD table at 0x2000, S1DSS = SSID0.
constexpr Entry kStage1 = {1 | 5 << 1 | 0x2000, 2};
constexpr Entry kStage1Ats = {1 | 5 << 1 | 0x2000, 2 | kEatsOn};
constexpr Entry kStage1Bypass = {1 | 5 << 1 | 0x2000, 1 | kEatsOn | kIncoming};
constexpr Entry kStage1OtherTable = {1 | 5 << 1 | 0x4000, 2};
// VMID 1 and 2, tables of their own.
constexpr Entry kStage2 = {1 | 6 << 1, kIncoming,
                           1 | uint64_t{1} << 51 | uint64_t{1} << 58, 0x6000};
constexpr Entry kStage2Ats = {1 | 6 << 1, kIncoming | kEatsOn,
                              1 | uint64_t{1} << 51 | uint64_t{1} << 58,
                              0x6000};
constexpr Entry kStage2Other = {
    1 | 6 << 1, kIncoming, 2 | uint64_t{1} << 51 | uint64_t{1} << 58, 0x8000};

struct Transition {
  const char* name;
  Entry from, to;
  bool hitless;
};

class HitlessTransition : public testing::TestWithParam<Transition> {};

TEST_P(HitlessTransition, IsPromisedWhereOneStoreIsEnough) {
  EXPECT_EQ(HitlessIsPromised(GetParam().from, GetParam().to),
            GetParam().hitless);
  EXPECT_EQ(HitlessIsPromised(GetParam().to, GetParam().from),
            GetParam().hitless);
}

INSTANTIATE_TEST_SUITE_P(
    BothWays, HitlessTransition,
    testing::Values(Transition{"AbortBypass", kAbort, kBypass, true},
                    Transition{"AbortStage1", kAbort, kStage1Ats, true},
                    Transition{"AbortStage2", kAbort, kStage2Ats, true},
                    Transition{"BypassStage1", kBypass, kStage1, true},
                    Transition{"BypassStage2", kBypass, kStage2, true},
                    Transition{"EatsOfStage1", kStage1, kStage1Ats, true},
                    Transition{"EatsOfStage2", kStage2, kStage2Ats, true},
                    Transition{"S1dss", kStage1Ats, kStage1Bypass, true},
                    Transition{"CdTable", kStage1, kStage1OtherTable, true},
                    Transition{"Stage1Stage2", kStage1, kStage2, false},
                    Transition{"Stage2Stage2", kStage2, kStage2Other, false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CriticalWords, AreNoneWhereOnlyIgnoredBitsDiffer) {
  Entry dirty = kAbort;
  dirty[3] = 0x6000;
  EXPECT_EQ(CriticalWords(dirty, kAbort), 0);
  EXPECT_EQ(CriticalWords(kAbort, dirty), 0);
}

TEST(CriticalWords, AreOneWhereTheOthersCanBePreparedUnseen) {
  EXPECT_EQ(CriticalWords(kAbort, kStage1Ats), 1);
  EXPECT_EQ(CriticalWords(kBypass, kStage2), 1);
  EXPECT_EQ(CriticalWords(kStage1, kStage2), 2);
}

TEST(SteBitsInUse, OfAnInvalidEntryAreVAlone) {
  const Entry invalid = {0};
  EXPECT_EQ(SteBitsInUse(invalid, 0), 1u);
  EXPECT_EQ(SteBitsInUse(invalid, 1), 0u);
}

TEST(SteBitsInUse, OfBypassIncludeShareabilityAndNotEats) {
  EXPECT_EQ(SteBitsInUse(kBypass, 1), uint64_t{3} << 44);
}

TEST(CdBitsInUse, OfAValidDescriptorAreAllAndOfAnInvalidOneAreV) {
  EXPECT_EQ(CdBitsInUse({uint64_t{1} << 31}, 1), ~uint64_t{0});
  EXPECT_EQ(CdBitsInUse({0}, 0), uint64_t{1} << 31);
  EXPECT_EQ(CdBitsInUse({0}, 1), 0u);
}

TEST(CdBitsInUse, LeaveOutTheTableWithEpd0) {
  const Entry cd = {uint64_t{1} << 31 | 1 << 14};
  EXPECT_EQ(CdBitsInUse(cd, 1) & 0xffff0, 0u);
  EXPECT_NE(CdBitsInUse(cd, 0) & uint64_t{0xffff} << 48, 0u);
}

TEST(TranslatesAts, NeedsAValidTranslatingEntryWithEats) {
  EXPECT_TRUE(TranslatesAts(kStage1Ats));
  EXPECT_TRUE(TranslatesAts(kStage2Ats));
  EXPECT_FALSE(TranslatesAts(kStage1));
  Entry bypass = kBypass;
  bypass[1] |= kEatsOn;
  EXPECT_FALSE(TranslatesAts(bypass));
  Entry invalid = kStage1Ats;
  invalid[0] = 0;
  EXPECT_FALSE(TranslatesAts(invalid));
}

}  // namespace
}  // namespace atsfuzz::properties
