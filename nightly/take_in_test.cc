#include "nightly/take_in.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/bytes.h"
#include "model/text.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class TakeIn : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/take_in.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    const fs::path path = fs::path(folder_) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::string folder_;
};

constexpr char kScenario[] =
    "smmu   s0\npf     p0  smmu=s0 ats\ndomain d0  smmu=s0 stage=1\n\n"
    "probe p0\nattach p0 d0\n";

std::string BytesOf(const std::string& text) {
  const auto bytes = model::Encode(*model::Parse(text, "test.ats"));
  return {bytes.begin(), bytes.end()};
}

TEST_F(TakeIn, OfAflItTakesTheInputsAndNotItsBooks) {
  Write("main/fuzzer_stats", "x");
  Write("main/plot_data", "x");
  const std::string queued = Write("main/queue/id:000000,orig", "a");
  Write("main/queue/.state/deterministic_done/id:000000", "x");
  Write("second/fuzzer_stats", "x");
  const std::string crash = Write("second/crashes/id:000000,sig:06", "b");
  Write("second/crashes/README.txt", "x");
  const std::string hang = Write("second/hangs/id:000000", "c");
  EXPECT_THAT(InputsOf(folder_), ElementsAre(queued, crash, hang));
  EXPECT_THAT(InputsOf(folder_ + "/main"), ElementsAre(queued));
}

TEST_F(TakeIn, OfAnotherFolderItTakesTheFiles) {
  const std::string a = Write("a", "a"), b = Write("b", "b");
  EXPECT_THAT(InputsOf(folder_), ElementsAre(a, b));
  EXPECT_THAT(InputsOf(folder_ + "/nothing"), ElementsAre());
}

TEST_F(TakeIn, ScenariosOfAnotherMachineAreTakenAsTheyAre) {
  Write("theirs/one.ats", kScenario);
  Write("theirs/cut-off.ats", "smmu   s0\npf     p0  smm");
  const auto count =
      WriteAsScenarios(InputsOf(folder_ + "/theirs"), folder_ + "/ours");
  ASSERT_TRUE(count.ok()) << count.status();
  ASSERT_EQ(*count, 1u);
  const auto ours =
      model::ReadScenario(fs::directory_iterator(folder_ + "/ours")->path());
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_EQ(model::Print(*ours),
            model::Print(*model::Parse(kScenario, "test.ats")));
}

TEST_F(TakeIn, ScenariosBecomeBytesAndScenariosAgain) {
  Write("corpus/one.ats", kScenario);
  ASSERT_TRUE(WriteAsBytes(folder_ + "/corpus", folder_ + "/bytes").ok());
  const auto inputs = InputsOf(folder_ + "/bytes");
  ASSERT_EQ(inputs.size(), 1u);
  const auto count = WriteAsScenarios(inputs, folder_ + "/back");
  ASSERT_TRUE(count.ok()) << count.status();
  ASSERT_EQ(*count, 1u);
  const auto back =
      model::ReadScenario(fs::directory_iterator(folder_ + "/back")->path());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(model::Print(*back),
            model::Print(*model::Parse(kScenario, "test.ats")));
}

TEST_F(TakeIn, TheSameInputTwiceIsOneScenario) {
  const std::string bytes = BytesOf(kScenario);
  const std::vector<std::string> inputs = {Write("a", bytes), Write("b", bytes),
                                           Write("empty", ""),
                                           folder_ + "/gone"};
  const auto count = WriteAsScenarios(inputs, folder_ + "/into");
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 1u);
}

TEST_F(TakeIn, AnyBytesAreAScenario) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>(i * 37);
  const auto count =
      WriteAsScenarios({Write("noise", bytes)}, folder_ + "/into");
  ASSERT_TRUE(count.ok()) << count.status();
  ASSERT_EQ(*count, 1u);
  EXPECT_TRUE(
      model::ReadScenario(fs::directory_iterator(folder_ + "/into")->path())
          .ok());
}

TEST_F(TakeIn, ScenariosThatAreThereStay) {
  Write("from/a.ats", "new");
  Write("from/b.ats", "new");
  Write("to/a.ats", "old");
  ASSERT_TRUE(AddScenarios(folder_ + "/from", folder_ + "/to").ok());
  std::string text;
  std::getline(std::ifstream(folder_ + "/to/a.ats"), text);
  EXPECT_EQ(text, "old");
  EXPECT_TRUE(fs::exists(folder_ + "/to/b.ats"));
}

}  // namespace
}  // namespace atsfuzz::nightly
