#include <sys/wait.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

// The templates are of the form that their programs read.

namespace atsfuzz::services {
namespace {

namespace fs = std::filesystem;

constexpr char kTemplates[] = ATSFUZZ_SOURCE_DIR "/services/templates/";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Templates, SystemdFindsNothingWrongWithTheUnits) {
  if (std::system("command -v systemd-analyze >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no systemd-analyze here";
  }
  std::string folder = testing::TempDir() + "unitsXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  for (const char* name : {"atsfuzz-nightly.service", "atsfuzz-nightly.timer",
                           "atsfuzz-mail.service"}) {
    std::string unit = ReadAll(std::string(kTemplates) + name);
    ASSERT_NE(unit, "") << name;
    // systemd looks whether the program is there.
    const std::string there = "/opt/atsfuzz";
    for (size_t at; (at = unit.find(there)) != std::string::npos;) {
      unit.replace(at, there.size(), ATSFUZZ_SOURCE_DIR);
    }
    std::ofstream(folder + "/" + name) << unit;
  }
  const int status = std::system(
      ("cd " + folder + " && systemd-analyze verify ./* >said 2>&1").c_str());
  EXPECT_EQ(ReadAll(folder + "/said"), "");
  EXPECT_EQ(WEXITSTATUS(status), 0);
  fs::remove_all(folder);
}

TEST(Templates, EachStepOfTheWorkflowUsesAnActionOrRunsACommand) {
  const YAML::Node workflow =
      YAML::LoadFile(std::string(kTemplates) + "fuzzing.yml");
  EXPECT_TRUE(workflow["name"].IsScalar());
  EXPECT_TRUE(workflow["on"].IsMap());
  ASSERT_TRUE(workflow["jobs"].IsMap());
  EXPECT_EQ(workflow["jobs"].size(), 2u);
  for (const auto& job : workflow["jobs"]) {
    EXPECT_TRUE(job.second["runs-on"].IsScalar());
    ASSERT_TRUE(job.second["steps"].IsSequence());
    EXPECT_GT(job.second["steps"].size(), 0u);
    for (const YAML::Node& step : job.second["steps"]) {
      EXPECT_NE(step["uses"].IsDefined(), step["run"].IsDefined());
      for (const auto& key : step) {
        EXPECT_THAT(
            key.first.as<std::string>(),
            testing::AnyOf("uses", "run", "with", "env", "if", "id", "name"));
      }
    }
  }
}

TEST(Templates, ServicesAreToldWhatTheBuildScriptTakes) {
  const YAML::Node project =
      YAML::LoadFile(ATSFUZZ_SOURCE_DIR "/.clusterfuzzlite/project.yaml");
  EXPECT_EQ(project["language"].as<std::string>(), "c++");
  EXPECT_THAT(project["sanitizers"].as<std::vector<std::string>>(),
              testing::ElementsAre("address", "undefined"));
  EXPECT_THAT(project["architectures"].as<std::vector<std::string>>(),
              testing::ElementsAre("x86_64"));
  EXPECT_THAT(project["fuzzing_engines"].as<std::vector<std::string>>(),
              testing::ElementsAre("libfuzzer", "afl", "honggfuzz"));
}

}  // namespace
}  // namespace atsfuzz::services
