#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli/program_test.h"

namespace atsfuzz::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kBoth[] =
    "compare --by=steps --driver=linux:6.12 --driver=linux:6.12 ";

std::string Planted(const std::string& name) {
  return std::filesystem::current_path().string() + "/properties/planted/" +
         name + ".patch";
}

TEST_F(Program, CompareNeedsTwoDrivers) {
  Run("compare --driver=linux:6.12");
  ExpectRefused("compare needs --driver twice, found 1");
  Run("compare --driver=linux:6.12 --driver=windows");
  ExpectRefused("--driver=windows: unknown driver");
  Run("compare --driver=model:6.12 --patch=" + Planted("no-leak"));
  ExpectRefused("compare needs --driver twice, found 1");
  Run(std::string(kBoth) + "--by=feeling");
  ExpectRefused("--by=feeling: expected verdicts or steps");
  Run(std::string(kBoth) + "--jobs=0");
  ExpectRefused("--jobs=0: expected 1 to 256");
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
      "--seed=2 --json --patch=" + Planted("belief-matches-device"));
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

constexpr char kUnpreparedVf[] =
    "smmu s0\npf p0 ats\nvf v1 of=p0 smmu=s0 ats\nprobe v1\nclaim v1\n";

TEST_F(Program, CompareTellsByVerdictsWhatTheSecondDriverBroke) {
  Write("vf.ats", kUnpreparedVf);
  const std::string verdicts = "compare --by=verdicts --json vf.ats ";
  Run(verdicts + "--driver=model:7.3 --driver=model:7.2");
  ASSERT_EQ(exit_status_, 1) << err_;
  const json broken = json::parse(out_);
  EXPECT_GT(broken["regressions"], 0);
  EXPECT_EQ(broken["runs"], 2);
  EXPECT_TRUE(broken["common"].empty());
  for (const json& difference : broken["differences"]) {
    EXPECT_EQ(difference["left"], "holds");
    EXPECT_EQ(difference["right"], "violated");
    EXPECT_TRUE(difference["regression"]);
    EXPECT_THAT(Read(difference["scenario"]), HasSubstr("vf     v1"));
  }
  // The other way round nothing got worse.
  Run(verdicts + "--driver=model:7.2 --driver=model:7.3");
  EXPECT_EQ(exit_status_, 0) << out_;
  EXPECT_EQ(json::parse(out_)["differences"].size(),
            broken["differences"].size());
}

TEST_F(Program, CompareByVerdictsPrintsATableThatFitsAMail) {
  Write("vf.ats", kUnpreparedVf);
  Run("compare --by=verdicts vf.ats --driver=model:7.3 --driver=model:7.2");
  EXPECT_THAT(out_, HasSubstr("left   model:7.3\nright  model:7.2\n"));
  EXPECT_THAT(out_, HasSubstr("| belief-matches-device    | honest  | holds  "
                              "   | violated  | "));
  std::stringstream lines(out_);
  for (std::string line; std::getline(lines, line);) {
    if (line[0] == '|') {
      EXPECT_LE(line.size(), 100u) << line;
    }
  }
}

TEST_F(ProgramOnDriver, CompareTellsWhatAPatchBreaksIfOneKernelIsGiven) {
  Write("claim.ats", "smmu s0\npf p0 smmu=s0 ats\nprobe p0\nclaim p0\n");
  const std::string patch = Planted("belief-matches-device");
  Run("compare --driver=linux:6.12 claim.ats --json --patch=" + patch);
  ASSERT_EQ(exit_status_, 1) << out_ << err_;
  const json result = json::parse(out_);
  EXPECT_EQ(result["by"], "verdicts");
  EXPECT_THAT(result["drivers"][1].get<std::string>(),
              HasSubstr("with belief-matches-device.patch"));
  const json& first = result["differences"][0];
  EXPECT_EQ(first["invariant"], "belief-matches-device");
  EXPECT_EQ(first["left"], "holds");
  EXPECT_EQ(first["right"], "violated");
  // What the folder says repeats it.
  const std::string path = first["scenario"];
  Run("compare --driver=linux:6.12 --driver=linux:6.12 --patch=" + patch +
      " --by=verdicts " + path);
  EXPECT_EQ(exit_status_, 1);
  EXPECT_THAT(out_, HasSubstr("| linux:6.12 | patched  |"));
  Run("compare --driver=linux:6.12 --driver=linux:6.12 --by=verdicts " + path);
  EXPECT_EQ(exit_status_, 0) << out_;
}

}  // namespace
}  // namespace atsfuzz::cli
