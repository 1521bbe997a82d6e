#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/program_test.h"

namespace atsfuzz::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kBoth[] = "compare --driver=linux:6.12 --driver=linux:6.12 ";

std::string Planted(const std::string& name) {
  return std::filesystem::current_path().string() + "/properties/planted/" +
         name + ".patch";
}

TEST_F(Program, CompareNeedsTwoDrivers) {
  Run("compare --driver=linux:6.12");
  ExpectRefused("compare needs --driver twice, found 1");
  Run("compare --driver=linux:6.12 --driver=windows");
  ExpectRefused("--driver=windows: unknown driver");
  Run(std::string(kBoth) + "--operations=0");
  ExpectRefused("--operations=0: expected 1 to 1024");
  Run("compare --driver=model:6.12 --driver=model:6.12 --patch=" +
      Planted("no-leak"));
  ExpectRefused("a patch changes a kernel tree");
}

TEST_F(ProgramOnDriver, CompareFindsADriverEqualToItself) {
  Run(std::string(kBoth) + "--runs=300 --json");
  ASSERT_EQ(exit_status_, 0) << out_ << err_;
  const json result = json::parse(out_);
  EXPECT_EQ(result["runs"], 300);
  EXPECT_GT(result["operations"], 1000);
  EXPECT_TRUE(result["differences"].empty());
  ASSERT_FALSE(result["allowed"].empty());
  for (const char* key : {"name", "reason", "count"}) {
    EXPECT_TRUE(result["allowed"][0].contains(key)) << key;
  }
}

TEST_F(ProgramOnDriver, CompareFindsWhatAPatchChangesAndShrinksIt) {
  Run(std::string(kBoth) +
      "--json --patch=" + Planted("belief-matches-device"));
  ASSERT_EQ(exit_status_, 1) << out_ << err_;
  const json result = json::parse(out_);
  ASSERT_EQ(result["differences"].size(), 1u);
  const json& difference = result["differences"][0];
  EXPECT_EQ(difference["kind"], "belief");
  EXPECT_EQ(difference["left"], "off");
  EXPECT_EQ(difference["right"], "on");
  EXPECT_EQ(difference["operations"], 2);
  EXPECT_EQ(difference["operation"], "claim p0");
  const std::string path = difference["scenario"];
  EXPECT_EQ(path, "differences/belief-function/scenario.ats");
  // The stacks of both sides, for people.
  const std::string story = Read("differences/belief-function/trace.txt");
  EXPECT_THAT(story, HasSubstr("arm_smmu_attach_commit"));
  EXPECT_THAT(story, HasSubstr("with belief-matches-device.patch"));
  Run(std::string(kBoth) + path +
      " --patch=" + Planted("belief-matches-device"));
  EXPECT_EQ(exit_status_, 1);
  Run(std::string(kBoth) + path);
  EXPECT_EQ(exit_status_, 0) << out_;
}

TEST_F(ProgramOnDriver, CompareSkipsWhatADriverCannotRun) {
  Write("nested.ats",
        "smmu s0\npf p0 smmu=s0\ndomain d0 smmu=s0 stage=2\n"
        "domain d1 nested=d0 guest=abort\nprobe p0\n");
  Run(std::string(kBoth) + "nested.ats");
  EXPECT_EQ(exit_status_, 0) << out_;
  EXPECT_THAT(err_, HasSubstr("nested.ats: not compared: "));
}

}  // namespace
}  // namespace atsfuzz::cli
