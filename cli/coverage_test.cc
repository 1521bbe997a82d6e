#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include "cli/program_test.h"
#include "linux/tree.h"

namespace atsfuzz::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

// How often a function was called, by an lcov file; -1: it is not there.
int Runs(const std::string& lcov, const std::string& function) {
  std::istringstream lines(lcov);
  for (std::string line; std::getline(lines, line);) {
    const size_t comma = line.find(',');
    if (line.rfind("FNDA:", 0) == 0 && line.substr(comma + 1) == function) {
      return std::stoi(line.substr(5));
    }
  }
  return -1;
}

// How many lines begin with `key`.
int Count(const std::string& lcov, const std::string& key) {
  std::istringstream lines(lcov);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key, 0) == 0) ++count;
  }
  return count;
}

TEST_F(Program, CoverageNeedsAFolderAndAKernel) {
  Run("coverage --runs=1");
  ExpectRefused("coverage needs --output=DIR");
  Run("coverage --driver=model:6.12 --output=report");
  ExpectRefused("coverage is of a kernel's sources");
  Run("coverage --output=report --jobs=0");
  ExpectRefused("--jobs=0: expected 1 to 256");
  Run("coverage --output=report missing.ats");
  ExpectRefused("missing.ats");
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/report"));
}

TEST_F(ProgramOnDriver, CoverageTellsWhatScenariosReachAndWhatNot) {
  Run("coverage --runs=50 --output=report");
  ASSERT_EQ(exit_status_, 0) << err_;
  EXPECT_EQ(out_, Read("report/uncovered.txt"));
  EXPECT_THAT(out_, AllOf(HasSubstr("arm-smmu-v3.c  lines "),
                          HasSubstr("ats.c          lines "),
                          HasSubstr("iommu.c        lines ")));
  EXPECT_THAT(out_, HasSubstr("\n  pci_ats_queue_depth "));
  EXPECT_THAT(out_, Not(HasSubstr("  arm_smmu_attach_prepare ")));
  const std::string lcov = Read("report/coverage.lcov");
  EXPECT_THAT(lcov, HasSubstr("SF:" + std::string(kDriver) + "\n"));
  EXPECT_GT(Runs(lcov, "driver.c:arm_smmu_attach_prepare"), 50);
  EXPECT_EQ(Runs(lcov, "pci_ats_queue_depth"), 0);
  const std::string html = Read("report/index.html");
  EXPECT_THAT(html, AllOf(HasSubstr(kDriver), HasSubstr("pci_enable_ats")));
  EXPECT_THAT(html, Not(HasSubstr("/" + std::string(kDriver))));
  // The profiles are gone.
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder_ + "/report")) {
    EXPECT_TRUE(entry.is_regular_file()) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3u);
}

// No run is generated, and each file runs once.
TEST_F(ProgramOnDriver, CoverageOfOneScenarioIsOfThatAlone) {
  Run("coverage --runs=0 --output=report boot.ats");
  ASSERT_EQ(exit_status_, 0) << err_;
  const std::string lcov = Read("report/coverage.lcov");
  EXPECT_EQ(Runs(lcov, "driver.c:arm_smmu_probe_device"), 1);
  EXPECT_EQ(Runs(lcov, "pci_enable_ats"), 0);
}

// Debian's lcov reads the counts, and its genhtml finds the lines in the tree
// that the paths are relative to.
TEST_F(ProgramOnDriver, LcovReadsTheCoverage) {
  Shell("command -v lcov genhtml");
  if (exit_status_ != 0) GTEST_SKIP() << "no lcov: apt-get install lcov";
  Run("coverage --runs=0 --output=report boot.ats");
  ASSERT_EQ(exit_status_, 0) << err_;
  const std::string lcov = Read("report/coverage.lcov");
  Shell("lcov --rc lcov_branch_coverage=1 --summary report/coverage.lcov");
  EXPECT_EQ(exit_status_, 0) << err_;
  for (const auto& [what, record] :
       {std::pair("lines......", "DA:"), std::pair("branches...", "BRDA:")}) {
    EXPECT_THAT(out_, testing::ContainsRegex(
                          std::string(what) + ": [0-9.]+% \\([0-9]+ of " +
                          std::to_string(Count(lcov, record)) + " "));
  }
  const std::string tree = linux_driver::CacheFolder() + "/debian/6.12";
  Shell("cd " + tree + " && genhtml --quiet --branch-coverage --output " +
        folder_ + "/html " + folder_ + "/report/coverage.lcov");
  EXPECT_EQ(exit_status_, 0) << err_;
  EXPECT_THAT(Read("html/pci/ats.c.gcov.html"), HasSubstr("pci_enable_ats"));
}

// A null dereference of the kernel ends the process; what ran before counts.
TEST_F(ProgramOnDriver, CoverageKeepsWhatRanBeforeACrash) {
  Run("coverage --runs=0 --output=report " +
      std::filesystem::current_path().string() +
      "/corpus/regressions/finalise-without-id.ats");
  ASSERT_EQ(exit_status_, 0) << err_;
  const std::string lcov = Read("report/coverage.lcov");
  EXPECT_GE(Runs(lcov, "driver.c:arm_smmu_probe_device"), 1);
}

}  // namespace
}  // namespace atsfuzz::cli
