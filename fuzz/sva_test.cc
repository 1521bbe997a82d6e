// The scenarios of processes on each kernel that has them: shared virtual
// addressing works as it should, and fails as was found.

#include <algorithm>
#include <filesystem>
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
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const char* folder : {"corpus/seeds", "corpus/sva"}) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (absl::StartsWith(file.path().filename().string(), "sva-")) {
        files.push_back(file.path().string());
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// How many expectations about `system` the scenario of `file` has, all of them
// met.
int Judge(const std::string& file, model::System& system) {
  const auto scenario = model::ReadScenario(file);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  if (!scenario.ok()) return 0;
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
    if (!absl::StartsWith(system.name(), expected.driver)) continue;
    ++judged;
    if (expected.invariant.empty()) {
      EXPECT_THAT(broken, testing::IsEmpty()) << file;
    } else {
      EXPECT_THAT(broken, testing::Contains(expected.invariant)) << file;
    }
  }
  return judged;
}

class Sva : public testing::TestWithParam<const char*> {};

TEST_P(Sva, TheKernelDoesWhatTheScenariosOfProcessesExpect) {
  const auto quiet = [](const std::string&) {};
  const auto tree = linux_driver::ObtainTree(GetParam(), {}, quiet);
  if (!tree.ok()) GTEST_SKIP() << tree.status().message();
  const auto path =
      linux_driver::BuildModule(*tree, linux_driver::BuildKind::kPlain, quiet);
  ASSERT_TRUE(path.ok()) << path.status();
  const auto system = linux_driver::LoadModule(*path, tree->name);
  ASSERT_TRUE(system.ok()) << system.status();
  ASSERT_TRUE((*system)->capabilities().sva);
  int judged = 0;
  for (const std::string& file : Files()) judged += Judge(file, **system);
  EXPECT_GE(judged, 6);
}

INSTANTIATE_TEST_SUITE_P(Versions, Sva, testing::Values("6.12", "7.2", "7.3"));

}  // namespace
}  // namespace atsfuzz::fuzz
