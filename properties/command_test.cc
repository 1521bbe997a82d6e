#include "properties/command.h"

#include "gtest/gtest.h"

namespace atsfuzz::properties {
namespace {

constexpr uint64_t kPage = 0x1000;

TEST(SmallestCover, OfAnAlignedPowerOfTwoIsTheRangeItself) {
  const Range range = {0x40008000, 0x4000c000};
  EXPECT_EQ(SmallestCover(range), range);
}

TEST(SmallestCover, OfPages7To10IsPages0To15) {
  // The example in arm_smmu_atc_inv_to_cmd.
  EXPECT_EQ(SmallestCover({7 * kPage, 11 * kPage}), (Range{0, 16 * kPage}));
}

TEST(SmallestCover, OfTwoPagesAcrossABoundaryReachesBeyondBoth) {
  EXPECT_EQ(SmallestCover({1 * kPage, 3 * kPage}), (Range{0, 4 * kPage}));
}

TEST(SmallestCover, OfOneByteIsItsPage) {
  EXPECT_EQ(SmallestCover({5 * kPage + 7, 5 * kPage + 8}),
            (Range{5 * kPage, 6 * kPage}));
}

TEST(TlbInvalidation, ByAsidNamesTheWholeTag) {
  const auto tlbi =
      DecodeTlbInvalidation(uint64_t{0x1234} << 48 | kTlbiNhAsid, 0);
  EXPECT_TRUE(tlbi.known);
  EXPECT_TRUE(tlbi.whole);
  EXPECT_TRUE(tlbi.Selects(1, 0x1234));
  EXPECT_FALSE(tlbi.Selects(2, 0x1234));
  EXPECT_FALSE(tlbi.Selects(1, 0x1235));
}

TEST(TlbInvalidation, WithoutRangeNamesOneAddress) {
  const auto tlbi =
      DecodeTlbInvalidation(uint64_t{7} << 48 | kTlbiNhVa, 0x40003000 | 1);
  EXPECT_EQ(tlbi.tag, 7);
  EXPECT_TRUE(tlbi.leaf);
  EXPECT_FALSE(tlbi.whole);
  EXPECT_EQ(tlbi.range, (Range{0x40003000, 0x40003000}));
}

TEST(TlbInvalidation, WithRangeNamesNumPlusOneTimesTwoToTheScaleGranules) {
  // NUM 2, SCALE 4, TG 1 (4 KiB): 3 * 16 pages.
  const auto tlbi = DecodeTlbInvalidation(
      uint64_t{9} << 32 | 4 << 20 | 2 << 12 | kTlbiS2Ipa, 0x40000000 | 1 << 10);
  EXPECT_EQ(tlbi.stage, 2);
  EXPECT_EQ(tlbi.tag, 9);
  EXPECT_FALSE(tlbi.leaf);
  EXPECT_EQ(tlbi.range, (Range{0x40000000, 0x40000000 + 48 * kPage}));
}

TEST(TlbInvalidation, CountsInTheGranuleThatItNames) {
  // TG 3: 64 KiB.
  const auto tlbi = DecodeTlbInvalidation(kTlbiNhVa, 0x40000000 | 3 << 10);
  EXPECT_EQ(tlbi.range.end - tlbi.range.start, 0x10000u);
}

TEST(TlbInvalidation, OfEveryTagSelectsBothStages) {
  const auto tlbi = DecodeTlbInvalidation(kTlbiNsnhAll, 0);
  EXPECT_TRUE(tlbi.Selects(1, 1));
  EXPECT_TRUE(tlbi.Selects(2, 99));
}

TEST(TlbInvalidation, OfAnUnknownOpcodeIsNotKnown) {
  EXPECT_FALSE(DecodeTlbInvalidation(0x3f, 0).known);
}

TEST(AtcInvalidation, OfSize52IsEverything) {
  const auto inv = DecodeAtcInvalidation(uint64_t{0x100} << 32 | kAtcInv, 52);
  EXPECT_EQ(inv.stream, 0x100u);
  EXPECT_TRUE(inv.whole);
  EXPECT_FALSE(inv.with_pasid);
}

TEST(AtcInvalidation, OfSizeThreeIsEightAlignedPages) {
  const auto inv = DecodeAtcInvalidation(kAtcInv, 0x4000b000 | 3);
  EXPECT_EQ(inv.range, (Range{0x40008000, 0x40010000}));
}

TEST(AtcInvalidation, WithSubstreamValidNamesAPasid) {
  const auto inv = DecodeAtcInvalidation(5 << 12 | 1 << 11 | kAtcInv, 0);
  EXPECT_TRUE(inv.with_pasid);
  EXPECT_EQ(inv.pasid, 5u);
}

TEST(ConfigInvalidation, OfACdNamesStreamAndSubstream) {
  const auto cfgi =
      DecodeConfigInvalidation(uint64_t{0x100} << 32 | 3 << 12 | kCfgiCd, 1);
  EXPECT_TRUE(cfgi.Covers(0x100));
  EXPECT_FALSE(cfgi.Covers(0x101));
  EXPECT_EQ(cfgi.ssid, 3u);
  EXPECT_FALSE(cfgi.every_ssid);
  EXPECT_FALSE(cfgi.ste);
}

TEST(ConfigInvalidation, OfAnSteDropsItsCdsToo) {
  const auto cfgi =
      DecodeConfigInvalidation(uint64_t{0x100} << 32 | kCfgiSte, 1);
  EXPECT_TRUE(cfgi.ste);
  EXPECT_TRUE(cfgi.every_ssid);
}

TEST(ConfigInvalidation, OfARangeNamesAlignedStreams) {
  // Range 3: 16 streams.
  const auto cfgi =
      DecodeConfigInvalidation(uint64_t{0x105} << 32 | kCfgiSteRange, 3);
  EXPECT_TRUE(cfgi.Covers(0x100));
  EXPECT_TRUE(cfgi.Covers(0x10f));
  EXPECT_FALSE(cfgi.Covers(0x110));
  EXPECT_FALSE(cfgi.all);
  EXPECT_TRUE(DecodeConfigInvalidation(kCfgiSteRange, 31).Covers(0xffffffff));
}

}  // namespace
}  // namespace atsfuzz::properties
