#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/program_test.h"

namespace atsfuzz::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr char kTwoFunctions[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats\n"
    "pf     p1  smmu=s0 ats group=p0\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  p0\n"
    "probe  p1\n"
    "attach p0 d0\n";

TEST_F(Program, SweepRefusesWhatMeansNothing) {
  Run("sweep --faults=none");
  ExpectRefused("--faults=none: a sweep places faults");
  Write("two.ats", kTwoFunctions);
  Run("sweep two.ats --runs=3");
  ExpectRefused("--runs is about generated scenarios");
  Run("sweep missing.ats");
  ExpectRefused("missing.ats");
  Run("sweep --jobs=0");
  ExpectRefused("--jobs=0: expected 1 to 256");
}

TEST_F(Program, SweepFindsByAFailingAllocationWhatTheScenarioDoesNotShow) {
  Write("two.ats", kTwoFunctions);
  Run("replay two.ats --driver=model:7.2");
  ASSERT_EQ(exit_status_, 0) << out_;
  Run("sweep two.ats --driver=model:7.2 --faults=alloc --keep-going --json");
  ASSERT_EQ(exit_status_, 1) << err_;
  const json result = json::parse(out_);
  EXPECT_EQ(result["scenarios"], 1);
  // An operation more than in the file: the domain is allocated.
  EXPECT_EQ(result["scenario_operations"], 4);
  EXPECT_GT(result["faults_consumed"], 20);
  // One that is not consumed for every operation that allocates.
  EXPECT_EQ(result["faults_placed"], result["faults_consumed"].get<int>() + 4);
  // Clean, clean with the allocation, and with each fault.
  EXPECT_EQ(result["runs"], result["faults_placed"].get<int>() + 2);
  ASSERT_FALSE(result["findings"].empty());
  bool unrefs = false;
  for (const json& finding : result["findings"]) {
    EXPECT_EQ(finding["assumes"], json::array({"alloc"}));
    EXPECT_NE(Read(finding["scenario"]), "");
    unrefs = unrefs || finding["invariant"] == "array-covers-attachments";
  }
  EXPECT_TRUE(unrefs);
}

TEST_F(Program, SweepSaysWhatItPlacedAndWhatItFound) {
  Write("one.ats", "smmu s0\npf p0 smmu=s0 ats\nprobe p0\nclaim p0\n");
  Run("sweep one.ats --driver=model:7.2 --faults=enable-ats,prepare-ats");
  EXPECT_EQ(exit_status_, 1) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("1 scenario with 2 operations: 2 faults placed, "
                              "2 consumed\n"));
  EXPECT_THAT(out_, HasSubstr("belief-matches-device    assumes enable-ats"));
  EXPECT_THAT(out_, HasSubstr("probe p0  !enable-ats"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/findings"));
}

TEST_F(Program, SweepOfAScenarioThatMeetsNoFaultIsClean) {
  Write("none.ats", "smmu s0\npf p0 smmu=s0\nprobe p0\n");
  Run("sweep none.ats --driver=model:7.2 --faults=enable-ats --json");
  EXPECT_EQ(exit_status_, 0) << out_;
  EXPECT_EQ(json::parse(out_)["faults_placed"], 0);
}

TEST_F(Program, SweepNamesTheScenariosThatTheDriverCannotRun) {
  Write("reset.ats", "smmu s0\npf p0 smmu=s0 ats\nprobe p0\nreset-begin p0\n");
  Run("sweep reset.ats --driver=model:6.12");
  EXPECT_EQ(exit_status_, 0) << out_;
  EXPECT_THAT(err_, HasSubstr("reset.ats: not swept: "));
}

TEST_F(Program, SweepOfGeneratedScenariosRepeats) {
  const auto findings = [&](const std::string& jobs) {
    Run("sweep --driver=model:7.2 --runs=20 --seed=5 --keep-going --json "
        "--jobs=" +
        jobs);
    json result = json::parse(out_);
    result.erase("seconds");
    return result;
  };
  const json one = findings("1");
  EXPECT_EQ(one["scenarios"], 20);
  EXPECT_FALSE(one["findings"].empty());
  EXPECT_EQ(one, findings("3"));
}

}  // namespace
}  // namespace atsfuzz::cli
