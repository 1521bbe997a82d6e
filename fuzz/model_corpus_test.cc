// The corpus on the abstract machine, what its presets can run of it; and what
// it predicted, on the kernels.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
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

std::vector<std::string> Files(const char* folder) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files.push_back(file.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Runs a file on a system and judges the expectations that are about it.
// Returns how many.
int Judge(const std::string& file, model::System& system) {
  const auto scenario = model::ReadScenario(file);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  if (!scenario.ok()) return 0;
  const std::string& name = system.name();
  const auto result = fuzz::Run(*scenario, system);
  if (absl::IsUnimplemented(result.status())) return 0;
  EXPECT_TRUE(result.ok()) << file << ": " << result.status();
  if (!result.ok()) return 0;
  std::vector<std::string> broken;
  for (const auto& violation : result->violations) {
    broken.emplace_back(properties::InvariantName(violation.invariant));
  }
  int judged = 0;
  for (const model::Expectation& expected : scenario->expectations) {
    if (!model::IsAbout(expected, name)) continue;
    ++judged;
    if (expected.invariant.empty()) {
      EXPECT_THAT(broken, testing::IsEmpty()) << file << " on " << name;
    } else {
      EXPECT_THAT(broken, testing::Contains(expected.invariant))
          << file << " on " << name;
    }
  }
  return judged;
}

int JudgeModel(const std::string& file, const std::string& preset) {
  const auto system =
      machine::MakeSystem(*machine::ParseDesign(preset), "model:" + preset);
  return Judge(file, *system);
}

TEST(ModelCorpus, ThePresetsDoWhatTheFilesOfTheModelExpect) {
  for (const std::string& file : Files("corpus/model")) {
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
    for (const std::string& file : Files(folder)) {
      judged += JudgeModel(file, "6.12");
    }
  }
  EXPECT_GE(judged, 12);
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
  for (const std::string& file : Files("corpus/model")) {
    judged += Judge(file, **system);
  }
  // The others end the kernel, or are 6.12's alone and run with its driver.
  judged += Judge("corpus/regressions/pasid-beyond-first-leaf.ats", **system);
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

}  // namespace
}  // namespace atsfuzz::fuzz
