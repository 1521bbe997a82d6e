// The scenarios of processes on each kernel that has them: shared virtual
// addressing works as it should, and fails as was found.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "fuzz/judge_file.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"

namespace atsfuzz::fuzz {
namespace {

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const char* folder : {"corpus/seeds", "corpus/sva"}) {
    for (std::string& file : FilesOf(folder)) {
      if (absl::StrContains(file, "/sva-")) files.push_back(std::move(file));
    }
  }
  return files;
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
  for (const std::string& file : Files()) judged += JudgeFile(file, **system);
  EXPECT_GE(judged, 6);
}

INSTANTIATE_TEST_SUITE_P(Versions, Sva, testing::Values("6.12", "7.2", "7.3"));

}  // namespace
}  // namespace atsfuzz::fuzz
