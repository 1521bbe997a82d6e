#include "fuzz/known.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using testing::HasSubstr;

TEST(Known, GivesTheReasonOfAListedSignature) {
  const auto known = Known::Parse(
      "# Understood.\n\nno-leak-12  freed at removal, by devm\n", "known.txt");
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(known->size(), 1u);
  EXPECT_EQ(known->ReasonFor("no-leak-12"), "freed at removal, by devm");
  EXPECT_EQ(known->ReasonFor("no-leak-1"), std::nullopt);
}

TEST(Known, RefusesASignatureWithoutReason) {
  const auto known = Known::Parse("# story\nno-leak-12\n", "known.txt");
  EXPECT_EQ(known.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(known.status().message()),
              HasSubstr("known.txt:2: "));
}

TEST(Known, RefusesASignatureThatIsListedTwice) {
  const auto known = Known::Parse("a-1 one\na-2 two\na-1 three\n", "known.txt");
  EXPECT_THAT(std::string(known.status().message()),
              HasSubstr("known.txt:3: the signature a-1 is listed twice"));
}

TEST(Known, AMissingFileKnowsNothing) {
  const auto known = Known::Read("/nonexistent/known.txt");
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->size(), 0u);
}

TEST(Known, AddsWhatAnotherFileKnowsAndKeepsItsOwnReasons) {
  Known known = *Known::Parse("a-1  mine\n", "known");
  known.Add(*Known::Parse("a-1  yours\nb-2  new\n", "more"));
  EXPECT_EQ(known.size(), 2u);
  EXPECT_EQ(known.ReasonFor("a-1"), "mine");
  EXPECT_EQ(known.ReasonFor("b-2"), "new");
}

}  // namespace
}  // namespace atsfuzz::fuzz
