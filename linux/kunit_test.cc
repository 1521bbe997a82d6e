#include "linux/kunit.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/cache.h"
#include "linux/kunit_trees.h"
#include "linux/temporary_folder.h"

namespace atsfuzz::linux_driver {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kTests[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-test.c";

void Silent(const std::string& line) {}

// How many cases the suite's source lists; 0 if there is no such file.
size_t CasesInSource(const Tree& tree) {
  absl::StatusOr<std::string> bytes =
      ReadFile(absl::StrCat(tree.path, "/", kTests));
  if (!bytes.ok()) return 0;
  size_t count = 0;
  for (size_t at = bytes->find("KUNIT_CASE("); at != std::string::npos;
       at = bytes->find("KUNIT_CASE(", at + 1)) {
    count++;
  }
  return count;
}

// Each test skips where the kernel cannot be had.
class KernelsOwnTests : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    absl::StatusOr<Tree> tree = ObtainTree(GetParam(), {}, Silent);
    if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
    ASSERT_TRUE(tree.ok()) << tree.status();
    tree_ = *tree;
    absl::StatusOr<std::string> path = BuildSuite(tree_, TestedKind(), Silent);
    ASSERT_TRUE(path.ok()) << path.status();
    absl::StatusOr<std::unique_ptr<Suite>> suite = Suite::Load(*path);
    ASSERT_TRUE(suite.ok()) << suite.status();
    suite_ = *std::move(suite);
  }

  Tree tree_;
  std::unique_ptr<Suite> suite_;
};

TEST_P(KernelsOwnTests, EachCaseOfTheSourceIsFoundAndPasses) {
  const size_t cases = CasesInSource(tree_);
  ASSERT_THAT(suite_->names(), SizeIs(cases));
  if (cases == 0) GTEST_SKIP() << tree_.name << " has no tests of its driver";
  for (const std::string& name : suite_->names()) {
    SCOPED_TRACE(name);
    const SuiteCase test = suite_->Run(name);
    EXPECT_TRUE(test.passed) << test.failure;
    EXPECT_EQ(test.warnings, 0);
    EXPECT_EQ(test.leaked, 0);
  }
  RecordProperty("cases", static_cast<int>(cases));
}

TEST_P(KernelsOwnTests, PassInAnyOrder) {
  const std::vector<std::string>& names = suite_->names();
  if (names.empty()) GTEST_SKIP() << tree_.name << " has no such tests";
  for (size_t i = names.size(); i-- > 0;) {
    EXPECT_TRUE(suite_->Run(names[i]).passed) << names[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Of, KernelsOwnTests,
                         ::testing::ValuesIn(TestedKernels()),
                         [](const auto& test) { return TestName(test.param); });

TEST(KernelsOwnTestsOfASpoiltDriver, NameTheCaseAndTheExpectationThatFails) {
  absl::StatusOr<Tree> tree = ObtainTree("6.12", {}, Silent);
  if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
  ASSERT_TRUE(tree.ok()) << tree.status();
  TemporaryFolder folder;
  // A bypass entry no longer says that it uses SHCFG.
  absl::StatusOr<std::unique_ptr<Suite>> suite =
      SpoiltSuite(folder, *tree,
                  {"bypass", "if (cfg == STRTAB_STE_0_CFG_BYPASS)", "if (0)"});
  ASSERT_TRUE(suite.ok()) << suite.status();
  std::vector<std::string> failed;
  for (const std::string& name : (*suite)->names()) {
    const SuiteCase test = (*suite)->Run(name);
    if (test.passed) continue;
    failed.push_back(name);
    EXPECT_THAT(test.failure,
                AllOf(StartsWith(absl::StrCat(kTests, ":")),
                      HasSubstr("arm_smmu_entry_differs_in_used_bits"),
                      HasSubstr("is false")));
  }
  EXPECT_THAT(failed, Contains("arm_smmu_v3_write_ste_test_bypass_to_abort"));
  EXPECT_THAT(failed, Not(Contains("arm_smmu_v3_write_cd_test_s1_clear")));
}

}  // namespace
}  // namespace atsfuzz::linux_driver
