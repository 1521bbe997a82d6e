#include "report/printable.h"

#include <string>

#include "gtest/gtest.h"

namespace atsfuzz::report {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  const std::string text =
      "v0: Failed to enable ATS (STU 12) \u2192 \u00e9 \"'<";
  EXPECT_EQ(OneLine(text), text);
  EXPECT_EQ(Lines(text), text);
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(OneLine("a\xff\xfe"
                    "b"),
            "a\ufffd\ufffdb");
  EXPECT_EQ(OneLine("cut \xe2\x86"), "cut \ufffd");
}

TEST(Printable, LeavesNoCharacterThatEndsALineOrWorse) {
  EXPECT_EQ(OneLine(std::string("a\0b\x1b[31m\x7f", 9)), "a b [31m ");
  EXPECT_EQ(OneLine("a\r\nb\tc\u0085d\u2028e\u2029f"), "a  b c d e f");
  EXPECT_EQ(OneLine("\xef\xbf\xbe|\xef\xbf\xbf"), " | ");
}

TEST(Printable, KeepsLinesWhereTheyAreWanted) {
  EXPECT_EQ(Lines("a\r\n\tb\rc\x01\n"), "a\n\tb c \n");
}

TEST(Printable, ShortensBetweenCharacters) {
  EXPECT_EQ(Shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(Shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(Shortened("a\u00e9\u00e9\u00e9", 6), "a\u00e9...");
  EXPECT_EQ(Shortened("\u2192\u2192", 5), "...");
}

}  // namespace
}  // namespace atsfuzz::report
