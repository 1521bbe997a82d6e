#include "fuzz/sanitizer_report.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using testing::ElementsAre;

TEST(SanitizerReport, ReadsKindAccessAndTheStackOfTheAccessOnly) {
  Death death;
  ParseSanitizerReport(
      "=================================================================\n"
      "==12==ERROR: AddressSanitizer: heap-use-after-free on address "
      "0x602000000010 at pc 0x55 bp 0x7f sp 0x7e\n"
      "READ of size 8 at 0x602000000010 thread T0\n"
      "    #0 0x7f01  (/cache/sanitized.so+0x1a2f)\n"
      "    #1 0x7f02  (/cache/sanitized.so+0x2000)\n"
      "\n"
      "0x602000000010 is located 0 bytes inside of 16-byte region\n"
      "freed by thread T0 here:\n"
      "    #0 0x55aa  (/bin/atsfuzz+0x99)\n",
      &death);
  EXPECT_EQ(death.error, "heap-use-after-free");
  EXPECT_EQ(death.report,
            "AddressSanitizer: heap-use-after-free, READ of size 8");
  EXPECT_THAT(death.stack, ElementsAre(Frame{"/cache/sanitized.so", 0x1a2f},
                                       Frame{"/cache/sanitized.so", 0x1fff}));
}

TEST(SanitizerReport, ReadsUndefinedBehaviour) {
  Death death;
  ParseSanitizerReport(
      "arm-smmu-v3.c:12:3: runtime error: shift exponent 64 is too large\n"
      "    #0 0x7f01  (/cache/sanitized.so+0x10) (BuildId: abcdef)\n",
      &death);
  EXPECT_EQ(death.error, "undefined-behaviour");
  EXPECT_EQ(death.report, "runtime error: shift exponent 64 is too large");
  EXPECT_THAT(death.stack, ElementsAre(Frame{"/cache/sanitized.so", 0x10}));
}

TEST(SanitizerReport, OtherTextLeavesADeathAlone) {
  Death death;
  death.signal = 11;
  ParseSanitizerReport("hello\n", &death);
  EXPECT_EQ(death.error, "");
  EXPECT_EQ(death.signal, 11);
}

}  // namespace
}  // namespace atsfuzz::fuzz
