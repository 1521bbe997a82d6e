#include "cli/flags.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FlagsTest : public testing::Test {
 protected:
  FlagsTest() : flags_("test FILE", "Tests.", "  atsfuzz test x\n") {
    flags_.Add("driver", "DRIVER", "Which.", &driver_);
    flags_.Add("patch", "FILE", "Each.", &patches_);
    flags_.Add("seed", "N", "Number.", &seed_);
    flags_.Add("runs", "N", "Number or nothing.", &runs_);
    flags_.Add("json", "Switch.", &json_);
  }
  std::string Error(const std::vector<std::string>& arguments) {
    return std::string(flags_.Parse(arguments).status().message());
  }

  Flags flags_;
  std::string driver_;
  std::vector<std::string> patches_;
  uint64_t seed_ = 1;
  std::optional<uint64_t> runs_;
  bool json_ = false;
};

TEST_F(FlagsTest, ReadsValuesInBothFormsAmongArguments) {
  const auto rest = flags_.Parse({"a", "--driver=x", "b", "--seed", "7",
                                  "--json", "--runs=3", "--", "--c"});
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_THAT(*rest, ElementsAre("a", "b", "--c"));
  EXPECT_EQ(driver_, "x");
  EXPECT_EQ(seed_, 7u);
  EXPECT_EQ(runs_, 3u);
  EXPECT_TRUE(json_);
}

TEST_F(FlagsTest, CollectsARepeatedFlagInOrder) {
  ASSERT_TRUE(flags_.Parse({"--patch=one", "--patch", "two"}).ok());
  EXPECT_THAT(patches_, ElementsAre("one", "two"));
}

TEST_F(FlagsTest, NamesTheNearestFlag) {
  EXPECT_EQ(Error({"--drvier=x"}),
            "unknown flag --drvier; did you mean --driver?");
  EXPECT_EQ(Error({"-x"}), "unknown flag -x");
}

TEST_F(FlagsTest, AcceptsNoAbbreviation) {
  EXPECT_THAT(Error({"--see=1"}), HasSubstr("unknown flag --see"));
}

TEST_F(FlagsTest, RefusesWhatIsNoNumber) {
  EXPECT_EQ(Error({"--seed=-1"}),
            "--seed=-1: expected a whole number, 0 or more");
  EXPECT_THAT(Error({"--seed=99999999999999999999"}), HasSubstr("--seed="));
  EXPECT_THAT(Error({"--runs=x"}), HasSubstr("--runs=x"));
}

TEST_F(FlagsTest, RefusesAMissingValueAndAValueThatDoesNotBelong) {
  EXPECT_EQ(Error({"--seed"}), "--seed needs a value");
  EXPECT_EQ(Error({"--json=1"}), "--json=1 takes no value");
}

TEST_F(FlagsTest, HelpHasUsageFlagsAndExamples) {
  ASSERT_TRUE(flags_.Parse({"--help"}).ok());
  EXPECT_TRUE(flags_.help_wanted());
  EXPECT_THAT(flags_.Help(), HasSubstr("usage: atsfuzz test FILE\n"));
  EXPECT_THAT(flags_.Help(), HasSubstr("--driver=DRIVER"));
  EXPECT_THAT(flags_.Help(), HasSubstr("examples:\n  atsfuzz test x\n"));
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(Nearest("fzuz", {"fuzz", "replay"}), "fuzz");
  EXPECT_EQ(Nearest("relpay", {"fuzz", "replay"}), "replay");
  EXPECT_EQ(Nearest("quux", {"replay", "shrink"}), "");
}

}  // namespace
}  // namespace atsfuzz::cli
