#ifndef ATSFUZZ_FUZZ_JUDGE_FILE_H_
#define ATSFUZZ_FUZZ_JUDGE_FILE_H_

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "fuzz/run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"

// For tests: scenario files, and whether a system does what they expect.
namespace atsfuzz::fuzz {

// The files of a folder, by name.
inline std::vector<std::string> FilesOf(const char* folder) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files.push_back(file.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Runs a file on a system and judges the expectations that are about it: a test
// failure for each that is not met. How many were judged; 0 if the system does
// not have what the file needs.
inline int JudgeFile(const std::string& file, model::System& system) {
  const auto scenario = model::ReadScenario(file);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  if (!scenario.ok()) return 0;
  const std::string& name = system.name();
  const auto result = Run(*scenario, system);
  if (absl::IsUnimplemented(result.status())) return 0;
  EXPECT_TRUE(result.ok()) << file << ": " << result.status();
  if (!result.ok()) return 0;
  std::vector<std::string> broken;
  for (const auto& violation : result->violations) {
    broken.emplace_back(properties::InvariantName(violation.invariant));
  }
  int judged = 0;
  for (const model::Expectation& expected :
       model::ExpectationsOf(*scenario, name)) {
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

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_JUDGE_FILE_H_
