#include "fuzz/findings.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FindingsTest : public testing::Test {
 protected:
  FindingsTest() {
    std::string pattern = testing::TempDir() + "findingsXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FindingsTest() override { fs::remove_all(folder_); }

  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static size_t FilesIn(const std::string& folder) {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  }

  std::string folder_;
};

TEST_F(FindingsTest, AFindingIsThreeFilesInAFolderNamedByItsSignature) {
  ASSERT_TRUE(
      WriteFinding(folder_, "no-leak-1", "probe p0\n", "trace\n", "{}").ok());
  EXPECT_EQ(Read(folder_ + "/no-leak-1/scenario.ats"), "probe p0\n");
  EXPECT_EQ(Read(folder_ + "/no-leak-1/trace.txt"), "trace\n");
  EXPECT_EQ(Read(folder_ + "/no-leak-1/finding.json"), "{}");
  EXPECT_EQ(FilesIn(folder_ + "/no-leak-1"), 3u);
}

TEST_F(FindingsTest, AFindingsFolderMayHaveMoreFiles) {
  ASSERT_TRUE(WriteFinding(folder_, "no-leak-1", "", "", "{}",
                           {{"sequence.mmd", "sequenceDiagram\n"}})
                  .ok());
  EXPECT_EQ(Read(folder_ + "/no-leak-1/sequence.mmd"), "sequenceDiagram\n");
  EXPECT_EQ(FilesIn(folder_ + "/no-leak-1"), 4u);
}

TEST_F(FindingsTest, AFileThatCannotBeWrittenLeavesNothingBehind) {
  fs::create_directories(folder_ + "/place/in/the/way");
  const absl::Status status = WriteWhole(folder_ + "/place", "text");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(FilesIn(folder_), 1u);
}

TEST_F(FindingsTest, AFolderIsMadeAndLeftEmpty) {
  EXPECT_TRUE(PrepareFolder(folder_ + "/a/b").ok());
  EXPECT_EQ(FilesIn(folder_ + "/a/b"), 0u);
}

TEST_F(FindingsTest, AFileInPlaceOfTheFolderIsRefused) {
  std::ofstream(folder_ + "/file") << "x";
  const absl::Status status = PrepareFolder(folder_ + "/file");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_ + "/file"));
}

TEST_F(FindingsTest, HonestFindingsComeFirstAndKnownOnesLast) {
  Finding honest, faulty, known;
  honest.signature = "z";
  honest.sighting.violation.invariant = properties::Invariant::kProgress;
  faulty.signature = "a";
  faulty.assumes = model::kFaultAlloc;
  known.signature = "a";
  known.known = "understood";
  EXPECT_TRUE(ReportedBefore(honest, faulty));
  EXPECT_FALSE(ReportedBefore(faulty, honest));
  EXPECT_TRUE(ReportedBefore(faulty, known));
  EXPECT_FALSE(ReportedBefore(known, faulty));
}

}  // namespace
}  // namespace atsfuzz::fuzz
