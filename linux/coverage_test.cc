#include "linux/coverage.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::linux_driver {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// As llvm-cov prints it, with a static function and another file.
constexpr char kTable[] =
    "File '/tree/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c':\n"
    "Name  Regions Miss Cover Lines Miss Cover Branches Miss Cover\n"
    "----------------------------------------------------------------\n"
    "driver.c:arm_smmu_attach_prepare 9 1 88.89% 100 5 95.00% 8 2 75.00%\n"
    "driver.c:arm_smmu_remove_master 9 9 0.00% 20 20 0.00% 4 4 0.00%\n"
    "driver.c:arm_smmu_attach_commit 9 1 88.89% 100 6 94.00% 8 2 75.00%\n"
    "driver.c:arm_smmu_evtq_thread 9 9 0.00% 40 40 0.00% 4 4 0.00%\n"
    "----------------------------------------------------------------\n"
    "TOTAL 36 20 44.44% 260 71 72.69% 24 12 50.00%\n"
    "\n"
    "File '/tree/drivers/iommu/iommu.c':\n"
    "Name  Regions Miss Cover Lines Miss Cover Branches Miss Cover\n"
    "----------------------------------------------------------------\n"
    "iommu_probe_device 4 0 100.00% 10 4 60.00% 2 1 50.00%\n"
    "iommu_map_sg 4 4 0.00% 30 30 0.00% 2 2 0.00%\n"
    "----------------------------------------------------------------\n"
    "TOTAL 8 4 50.00% 40 34 15.00% 4 3 25.00%\n";

std::vector<FunctionCoverage> Functions() {
  const auto functions = ParseFunctions(kTable, "/tree");
  EXPECT_TRUE(functions.ok()) << functions.status();
  return functions.ok() ? *functions : std::vector<FunctionCoverage>();
}

TEST(Coverage, TheToolsTableIsReadWithPathsBelowTheTree) {
  const auto functions = Functions();
  ASSERT_EQ(functions.size(), 6u);
  EXPECT_EQ(functions[0].name, "arm_smmu_attach_prepare");
  EXPECT_EQ(functions[0].file, "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c");
  EXPECT_EQ(functions[0].lines, 100u);
  EXPECT_EQ(functions[0].missed_lines, 5u);
  EXPECT_EQ(functions[0].branches, 8u);
  EXPECT_EQ(functions[0].missed_branches, 2u);
  EXPECT_TRUE(functions[0].used());
  EXPECT_FALSE(functions[1].used());
  EXPECT_EQ(functions[4].file, "drivers/iommu/iommu.c");
}

TEST(Coverage, ALineThatIsNotUnderstoodIsAnError) {
  EXPECT_FALSE(ParseFunctions("a 1 0 100% 1 0 100% 0 0 0%\n", "/tree").ok());
  EXPECT_FALSE(ParseFunctions("File '/a':\nname 1 2 3\n", "/tree").ok());
}

TEST(Coverage, FunctionsBelow95PercentOfTheirLinesOnThePathsAreListed) {
  const auto listed = Uncovered(Functions());
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name, "arm_smmu_remove_master");
  EXPECT_EQ(listed[1].name, "arm_smmu_attach_commit");
}

TEST(Coverage, AFunctionWithoutAReasonSaysSo) {
  EXPECT_EQ(ReasonFor("arm_smmu_attach_commit"), "no reason known");
  EXPECT_THAT(std::string(ReasonFor("arm_smmu_remove_master")),
              HasSubstr("always has the streams"));
  const std::string text = CoverageText(Functions());
  EXPECT_THAT(text, HasSubstr("94.0 %    6  no reason known\n"));
  EXPECT_THAT(text, HasSubstr("0.0 %   20  the driver always has the streams"));
  EXPECT_THAT(text, Not(HasSubstr("arm_smmu_evtq_thread")));
}

TEST(Coverage, OfTheCoreOnlyTheFunctionsThatRanCount) {
  const std::string text = CoverageText(Functions());
  EXPECT_THAT(text,
              AllOf(HasSubstr("iommu.c        lines  60.0 % of 10  branches  "
                              "50.0 % of 2  functions 1 of 2"),
                    HasSubstr("arm-smmu-v3.c  lines  72.7 % of 260")));
}

}  // namespace
}  // namespace atsfuzz::linux_driver
