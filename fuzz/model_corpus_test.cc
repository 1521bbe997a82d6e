// The corpus on the abstract machine, what its presets can run of it; and what
// it predicted, on the kernels.

#include <iostream>
#include <string>

#include "fuzz/judge_file.h"
#include "fuzz/run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

int JudgeModel(const std::string& file, const std::string& preset) {
  const auto system =
      machine::MakeSystem(*machine::ParseDesign(preset), "model:" + preset);
  return JudgeFile(file, *system);
}

TEST(ModelCorpus, ThePresetsDoWhatTheFilesOfTheModelExpect) {
  for (const std::string& file : FilesOf("corpus/model")) {
    int judged = 0;
    for (const char* preset : {"6.1", "6.12", "7.2", "7.3"}) {
      judged += JudgeModel(file, preset);
    }
    EXPECT_GE(judged, 1) << file;
  }
}

TEST(ModelCorpus, TheModelOf612DoesWhatIsExpectedOfTheDriver) {
  int judged = 0;
  for (const char* folder : {"corpus/seeds", "corpus/regressions"}) {
    for (const std::string& file : FilesOf(folder)) {
      judged += JudgeModel(file, "6.12");
    }
  }
  EXPECT_GE(judged, 12);
}

// Races that a kernel has, or a switch plants: each design that a file speaks
// of does as it says.
TEST(ModelCorpus, RacesAreCaughtWhereTheyAreAndNowhereElse) {
  for (const std::string& file : FilesOf("corpus/model-races")) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    int violated = 0;
    for (const model::Expectation& expected : scenario->expectations) {
      ASSERT_TRUE(absl::StartsWith(expected.driver, "model:")) << file;
      EXPECT_GE(JudgeModel(file, expected.driver.substr(6)), 1) << file;
      violated += !expected.invariant.empty();
    }
    EXPECT_GE(violated, 1) << file;
  }
}

// Of two threads that use a domain nested in another, the one that is dropped
// was the one that allocated the outer one.
TEST(Kept, AllocatesWhatOthersUseOfWhatWasDropped) {
  const auto scenario = model::Parse(R"(
smmu   s0
pf     p0  smmu=s0 ats
pf     p1  smmu=s0 ats
domain d0  smmu=s0 stage=2
domain d1  nested=d0 guest=stage1

probe p0
claim p0
par
  thread
    attach p1 d0
  thread
    attach p0 d1
end
)",
                                     "kept.ats");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const auto system =
      machine::MakeSystem(*machine::ParseDesign("7.3"), "model:7.3");
  const auto result = fuzz::Run(*scenario, *system, {.drop_impossible = true});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->kept, testing::ElementsAre(0, 1, 3));
  const model::Scenario kept = Kept(*scenario, *result);
  EXPECT_EQ(kept.operations.size(), 5);
  EXPECT_TRUE(fuzz::Run(kept, *system).ok()) << model::Print(kept);
}

// How much of corpus/model a Debian kernel was judged by.
int JudgeKernel(const std::string& version) {
  const auto quiet = [](const std::string&) {};
  const auto tree = linux_driver::ObtainTree(version, {}, quiet);
  if (!tree.ok()) {
    std::cout << "skipped: Linux " << version << ": " << tree.status().message()
              << "\n";
    return -1;
  }
  const auto path =
      linux_driver::BuildModule(*tree, linux_driver::BuildKind::kPlain, quiet);
  EXPECT_TRUE(path.ok()) << path.status();
  if (!path.ok()) return 0;
  const auto system = linux_driver::LoadModule(*path, tree->name);
  EXPECT_TRUE(system.ok()) << system.status();
  if (!system.ok()) return 0;
  int judged = 0;
  for (const std::string& file : FilesOf("corpus/model")) {
    judged += JudgeFile(file, **system);
  }
  // The others end the kernel, or are 6.12's alone and run with its driver.
  judged +=
      JudgeFile("corpus/regressions/pasid-beyond-first-leaf.ats", **system);
  return judged;
}

class KernelCorpus : public testing::TestWithParam<const char*> {};

TEST_P(KernelCorpus, TheKernelDoesWhatTheModelPredicted) {
  const int judged = JudgeKernel(GetParam());
  if (judged < 0) GTEST_SKIP() << "no source of Linux " << GetParam();
  EXPECT_GE(judged, 6) << "files that say what this kernel does";
}

INSTANTIATE_TEST_SUITE_P(Versions, KernelCorpus,
                         testing::Values("6.1", "6.12", "7.2", "7.3"));

// Each holds its own group's mutex, and the first has kept what both need.
TEST(ModelBlock, ADeadlockNamesTheLocksThatAreHeldAndWaitedFor) {
  const auto scenario = model::Parse(
      "smmu s0\n"
      "pf p0 smmu=s0\n"
      "pf p1 smmu=s0\n"
      "par\n"
      "thread\n"
      "probe p0\n"
      "thread\n"
      "probe p1\n"
      "end\n",
      "model_corpus_test");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const auto system =
      machine::MakeSystem(*machine::ParseDesign("7.3"), "model:7.3",
                          {.step = machine::Step::kUnlockAsid});
  const auto result = fuzz::Run(*scenario, *system, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(
      result->violations,
      testing::Contains(testing::Field(
          &properties::Violation::message,
          testing::HasSubstr("`probe p1` holds group->mutex and waits for "
                             "arm_smmu_asid_lock, which t0 holds"))));
}

}  // namespace
}  // namespace atsfuzz::fuzz
