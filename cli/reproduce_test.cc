// What `reproduce` makes of a scenario, as somebody uses it who works on the
// kernel.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "cli/program_test.h"
#include "linux/array_mistakes.h"
#include "linux/kunit_trees.h"
#include "linux/temporary_folder.h"
#include "linux/tree.h"

namespace atsfuzz::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The driver believes in ATS that could not be enabled.
constexpr char kBelief[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats default=identity\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  p0\n"
    "attach p0 d0  !enable-ats\n";

// The same in a block of which no order is asked.
constexpr char kBlock[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats default=identity\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  p0\n"
    "par\n"
    "  thread\n"
    "    attach p0 d0  !enable-ats\n"
    "  thread\n"
    "    dma p0 0\n"
    "end\n";

// A process exits during a reset: a warning, and an array that is wrong.
constexpr char kExit[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats pasids=2\n"
    "domain d0  smmu=s0 process\n"
    "probe p0\n"
    "bind p0 d0\n"
    "reset-begin p0\n"
    "exit d0\n"
    "reset-end p0\n";

class Reproduce : public ProgramOnDriver {
 protected:
  // Compiles made.c as its comment says, but strictly, and runs it on the
  // module of a kernel. Its exit status: 1, it shows; 0, it does not.
  int RunMade(const std::string& compiler, const std::string& kernel) {
    Shell(compiler + " -std=c11 -Wall -Wextra -Werror -I" ATSFUZZ_SOURCE_DIR
                     " made.c -o made -ldl");
    EXPECT_EQ(exit_status_, 0) << err_;
    Shell("./made $(" ATSFUZZ_PROGRAM " drivers --driver=" + kernel +
          " --module=plain)");
    return exit_status_;
  }
  static bool CanBeHad(const std::string& version) {
    return linux_driver::ObtainTree(version, {}, [](const std::string&) {})
        .ok();
  }
};

TEST_F(Reproduce, TheProgramShowsTheViolationWhereItIsAndNotWhereItIsNot) {
  if (!CanBeHad("7.3")) GTEST_SKIP() << "no source of Linux 7.3";
  Run("reproduce " ATSFUZZ_SOURCE_DIR
      "/corpus/races/joined-after-load.ats --driver=linux:7.3 --as=c "
      "--output=made.c");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(err_, HasSubstr("no-stale-atc: tried on linux:7.3"));
  EXPECT_EQ(out_, "");
  EXPECT_EQ(RunMade("gcc", "linux:7.3"), 1) << out_;
  EXPECT_THAT(out_, HasSubstr("It shows."));
  EXPECT_EQ(RunMade("clang", "linux:6.12"), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("It does not show."));
}

TEST_F(Reproduce, ABlockWithoutAScheduleIsAProgramWithoutWarnings) {
  Write("block.ats", kBlock);
  Run("reproduce block.ats --as=c --violation=belief-matches-device "
      "--output=made.c");
  EXPECT_EQ(exit_status_, 1) << err_;
  for (const char* compiler : {"gcc", "clang"}) {
    EXPECT_EQ(RunMade(compiler, "linux:6.12"), 1) << out_;
  }
}

TEST_F(Reproduce, StepsNameTheCallsThatTheKernelOffers) {
  Write("belief.ats", kBelief);
  Run("reproduce belief.ats --as=steps");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("belief-matches-device"),
                          HasSubstr("p0: a PCI function with the ATS "),
                          HasSubstr("VFIO_DEVICE_ATTACH_IOMMUFD_PT of p0"),
                          HasSubstr("IOMMU_HWPT_ALLOC for p0"),
                          HasSubstr("CONFIG_IOMMUFD")));
  EXPECT_THAT(out_, HasSubstr("pci_enable_ats"));
  if (!CanBeHad("6.1")) return;
  Run("reproduce belief.ats --as=steps --driver=linux:6.1");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(out_,
              AllOf(HasSubstr("VFIO_SET_IOMMU"), Not(HasSubstr("IOMMUFD"))));
}

TEST_F(Reproduce, AKunitCaseSaysWhetherTheFunctionsOrTheirCallerAreWrong) {
  if (!CanBeHad("7.3")) GTEST_SKIP() << "no source of Linux 7.3";
  Write("exit.ats", kExit);
  // It warns before that, of which there can be no case.
  Run("reproduce exit.ats --as=kunit --driver=linux:7.3");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(err_, HasSubstr("the bug is in what their caller tells them"));
  EXPECT_THAT(out_, AllOf(HasSubstr("kunit_test_suites("),
                          HasSubstr("arm_smmu_invs_merge("),
                          HasSubstr("/* 1. bind p0 d0: a list joins")));
}

// The functions warn where their caller lets a list leave that never joined.
TEST_F(Reproduce, AKunitCaseDoesNotBlameTheFunctionsForWarningOfTheirCaller) {
  if (!CanBeHad("7.3")) GTEST_SKIP() << "no source of Linux 7.3";
  Run("reproduce " ATSFUZZ_SOURCE_DIR
      "/corpus/model/cd-leaf-frees-asid-twice.ats --as=kunit "
      "--driver=linux:7.3");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(err_, AllOf(HasSubstr(", with 1 WARN: the functions do what "),
                          HasSubstr("leaves, and is not in the array)")));
}

TEST_F(Reproduce, AKunitCaseOfFunctionsThatOnlyWarnSaysSo) {
  const auto tree = linux_driver::AKernelWithArrays();
  if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
  ASSERT_TRUE(tree.ok()) << tree.status();
  const std::vector<linux_driver::ArrayMistake> mistakes =
      linux_driver::ArrayMistakes();
  const auto mistake =
      std::find_if(mistakes.begin(), mistakes.end(), [](const auto& each) {
        return each.alone == linux_driver::ArrayMistake::kByAWarning;
      });
  ASSERT_NE(mistake, mistakes.end());
  const linux_driver::TemporaryFolder folder;
  const linux_driver::OwnCache own(folder);
  const auto spoilt = linux_driver::SpoiltTree(folder, *tree, mistake->plant);
  ASSERT_TRUE(spoilt.ok()) << spoilt.status();
  std::mt19937_64 random(1);
  for (int input = 0; input < 20 && exit_status_ != 1; ++input) {
    std::string bytes(400, '\0');
    std::generate(bytes.begin(), bytes.end(),
                  [&] { return static_cast<char>(random()); });
    Write("input", bytes);
    Run("reproduce input --arrays --as=kunit --driver=linux:" + spoilt->path);
  }
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(err_, HasSubstr("though it calls them as it may"));
}

TEST_F(Reproduce, AnExpectationNamesWhatAKunitCaseIsOf) {
  if (!CanBeHad("7.3")) GTEST_SKIP() << "no source of Linux 7.3";
  Write("exit.ats",
        std::string(kExit) + "expect violation no-warning on linux:7\n");
  Run("reproduce exit.ats --as=kunit --driver=linux:7.3");
  EXPECT_EQ(exit_status_, 2) << err_;
  EXPECT_THAT(err_, HasSubstr("no-warning, which is about no invalidation"));
}

TEST_F(Reproduce, WhatIsNoMatterOfArraysIsNoMatterOfKunit) {
  if (!CanBeHad("7.3")) GTEST_SKIP() << "no source of Linux 7.3";
  Write("belief.ats", kBelief);
  Run("reproduce belief.ats --as=kunit --driver=linux:7.3 "
      "--violation=belief-matches-device");
  EXPECT_EQ(exit_status_, 2);
  EXPECT_THAT(err_, HasSubstr("about no invalidation array"));
  EXPECT_EQ(out_, "");
}

TEST_F(Reproduce, WhatCannotBeMadeIsRefusedWithTheWayOut) {
  Write("belief.ats", kBelief);
  Run("reproduce belief.ats");
  ExpectRefused("reproduce needs --as=FORM, one of c, kunit, steps");
  Run("reproduce belief.ats --as=rust");
  ExpectRefused("--as=rust: expected one of c, kunit, steps");
  Run("reproduce --as=c");
  ExpectRefused("reproduce needs one scenario's path, found 0");
  Run("reproduce belief.ats --arrays --as=c");
  ExpectRefused("is a matter of --as=kunit");
  Run("reproduce belief.ats --as=steps --violation=no-leak");
  ExpectRefused("shows no violation of no-leak, but of belief-matches-device");
  Run("reproduce missing.ats --as=steps");
  ExpectRefused("missing.ats");
  Write("clean.ats", "smmu s0\npf p0 smmu=s0 ats default=identity\nprobe p0\n");
  Run("reproduce clean.ats --as=steps");
  ExpectRefused("shows no violation");
}

TEST_F(Reproduce, AResultThatCannotBeWrittenIsAnError) {
  Write("belief.ats", kBelief);
  Run("reproduce belief.ats --as=steps --output=no/such/folder");
  EXPECT_EQ(exit_status_, 2) << err_;
  EXPECT_THAT(err_, HasSubstr("no/such/folder"));
}

}  // namespace
}  // namespace atsfuzz::cli
