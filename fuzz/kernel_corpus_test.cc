// What only kernels run yet: processes (shared virtual addressing) and reserved
// regions work as they should, and fail as was found.

#include <memory>
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

std::vector<std::string> FilesOfProcesses() {
  std::vector<std::string> files = FilesOf("corpus/sva");
  for (std::string& file : FilesOf("corpus/seeds")) {
    if (absl::StrContains(file, "/sva-")) files.push_back(std::move(file));
  }
  return files;
}

// The kernel of a version; null, and a reason to skip, if it cannot be had.
std::unique_ptr<model::System> Obtain(const char* version,
                                      std::string* reason) {
  const auto quiet = [](const std::string&) {};
  const auto tree = linux_driver::ObtainTree(version, {}, quiet);
  if (!tree.ok()) {
    *reason = std::string(tree.status().message());
    return nullptr;
  }
  const auto path =
      linux_driver::BuildModule(*tree, linux_driver::BuildKind::kPlain, quiet);
  EXPECT_TRUE(path.ok()) << path.status();
  if (!path.ok()) return nullptr;
  auto system = linux_driver::LoadModule(*path, tree->name);
  EXPECT_TRUE(system.ok()) << system.status();
  return system.ok() ? *std::move(system) : nullptr;
}

class KernelCorpus : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string reason;
    system_ = Obtain(GetParam(), &reason);
    if (!reason.empty()) GTEST_SKIP() << reason;
    ASSERT_NE(system_, nullptr);
  }
  int Judge(const std::vector<std::string>& files) {
    int judged = 0;
    for (const std::string& file : files) judged += JudgeFile(file, *system_);
    return judged;
  }

  std::unique_ptr<model::System> system_;
};

TEST_P(KernelCorpus, ProcessesDoAsTheirScenariosExpect) {
  ASSERT_TRUE(system_->capabilities().sva);
  EXPECT_GE(Judge(FilesOfProcesses()), 6);
}

TEST_P(KernelCorpus, ReservedRegionsDoAsTheirScenariosExpect) {
  ASSERT_TRUE(system_->capabilities().direct);
  EXPECT_GE(Judge(FilesOf("corpus/reserved")), 4);
}

INSTANTIATE_TEST_SUITE_P(Versions, KernelCorpus,
                         testing::Values("6.12", "7.2", "7.3"));

}  // namespace
}  // namespace atsfuzz::fuzz
