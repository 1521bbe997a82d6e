#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "gtest/gtest.h"
#include "model/text.h"

namespace atsfuzz::model {
namespace {

std::vector<std::string> Seeds() {
  std::vector<std::string> paths;
  std::error_code error;  // no folder: no seeds, and a test says so
  for (const auto& entry :
       std::filesystem::directory_iterator("corpus/seeds", error)) {
    if (entry.path().extension() == ".ats") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Seed : public ::testing::TestWithParam<std::string> {};

TEST_P(Seed, IsCanonicalAndTellsItsStoryAndItsExpectation) {
  const auto scenario = ReadScenario(GetParam());
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  std::ifstream file(GetParam());
  const std::string text{std::istreambuf_iterator<char>(file),
                         std::istreambuf_iterator<char>()};
  EXPECT_EQ(Print(*scenario), text);
  EXPECT_FALSE(scenario->story.empty());
  EXPECT_FALSE(scenario->expectations.empty());
  EXPECT_FALSE(scenario->operations.empty());
}

TEST(Seeds, AreADozenAtLeast) { EXPECT_GE(Seeds().size(), 12u); }

INSTANTIATE_TEST_SUITE_P(Corpus, Seed, ::testing::ValuesIn(Seeds()),
                         [](const auto& seed) {
                           std::string name =
                               std::filesystem::path(seed.param).stem();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace atsfuzz::model
