#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/program_test.h"
#include "linux/tree.h"

// What a developer does: edits a line of a kernel tree and asks.
namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr char kDriver[] = "/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

// Makes belief stay on once it was, and returns the number of the edited line;
// 0 if there is no such line.
int EditCommit(const std::string& path) {
  std::ifstream in(path);
  std::string text;
  bool inside = false;
  int edited = 0, number = 0;
  for (std::string line; std::getline(in, line); text += line + "\n") {
    ++number;
    if (line.find("arm_smmu_attach_commit(struct") != std::string::npos) {
      inside = true;
    }
    const size_t at = line.find("master->ats_enabled = state->ats_enabled;");
    if (!inside || edited != 0 || at == std::string::npos) continue;
    line.insert(line.find('=', at), "|");
    edited = number;
  }
  in.close();
  std::ofstream(path) << text;
  return edited;
}

TEST_F(ProgramOnDriver, FuzzFindsAnEditOfAWorkingTreeAndNamesTheLine) {
  const auto tree =
      linux_driver::ObtainTree("6.12", {}, [](const std::string&) {});
  if (!tree.ok()) GTEST_SKIP() << tree.status();
  const std::string copy = folder_ + "/tree";
  fs::create_directories(copy);
  for (const char* part : {"Makefile", "drivers", "include", "lib"}) {
    fs::copy(tree->path + "/" + part, copy + "/" + part,
             fs::copy_options::recursive);
  }
  // A function that is as it should be: nothing is found without the edit.
  Write("machine.ats", "smmu s0\npf p0 smmu=s0 ats\n");
  const std::string fuzz = "fuzz --topology=machine.ats --runs=256 --json ";
  Run(fuzz + "--driver=linux:" + copy);
  ASSERT_EQ(exit_status_, 0) << out_ << err_;
  const int line = EditCommit(copy + kDriver);
  ASSERT_NE(line, 0);
  Run(fuzz + "--driver=linux:" + copy);
  ASSERT_EQ(exit_status_, 1) << out_ << err_;
  bool named = false;
  const nlohmann::json result = nlohmann::json::parse(out_);
  for (const nlohmann::json& finding : result["findings"]) {
    if (finding["invariant"] != "belief-matches-device") continue;
    const std::string folder =
        fs::path(finding["scenario"].get<std::string>()).parent_path().string();
    EXPECT_THAT(Read(folder + "/trace.txt"),
                HasSubstr(absl::StrCat(
                    "in arm_smmu_attach_commit  arm-smmu-v3.c:", line, "\n")));
    named = true;
  }
  EXPECT_TRUE(named) << out_;
}

}  // namespace
}  // namespace atsfuzz::cli
