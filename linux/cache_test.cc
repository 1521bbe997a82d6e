#include "linux/cache.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/manifest.h"
#include "linux/temporary_folder.h"

namespace atsfuzz::linux_driver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Silent(const std::string& line) {}
bool Always(const std::string& folder) { return true; }

class Cache : public ::testing::Test {
 protected:
  Cache() { setenv("ATSFUZZ_CACHE", folder_.path().c_str(), 1); }
  ~Cache() override { unsetenv("ATSFUZZ_CACHE"); }

  TemporaryFolder folder_;
};

absl::Status MakeWhole(const std::string& folder) {
  absl::Status written = WriteFile(folder + "/a/file", "whole");
  return written.ok() ? WriteManifest(folder) : written;
}

TEST_F(Cache, AFolderIsMadeOnceAndThenFound) {
  int made = 0;
  auto make = [&](const std::string& folder) {
    ++made;
    return MakeWhole(folder);
  };
  for (int i = 0; i < 2; ++i) {
    absl::StatusOr<std::string> found =
        CachedFolder("x/y", "it", MatchesManifest, make, Silent);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, folder_ / "x/y");
    EXPECT_EQ(*ReadFile(*found + "/a/file"), "whole");
  }
  EXPECT_EQ(made, 1);
}

TEST_F(Cache, ConcurrentRunsShareWhatOneOfThemMakes) {
  std::atomic<int> made = 0;
  std::atomic<int> waited = 0;
  std::atomic<int> got = 0;
  auto make = [&](const std::string& folder) {
    ++made;
    while (waited < 3) std::this_thread::yield();
    return MakeWhole(folder);
  };
  auto run = [&] {
    absl::StatusOr<std::string> found =
        CachedFolder("x", "it", MatchesManifest, make,
                     [&](const std::string& line) { ++waited; });
    if (found.ok() && *ReadFile(*found + "/a/file") == "whole") ++got;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(run);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(got, 4);
}

TEST_F(Cache, ARunThatIsKilledLeavesNothingThatLooksWhole) {
  pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<std::string> ignored = CachedFolder(
        "x", "it", Always,
        [](const std::string& folder) {
          absl::Status half = WriteFile(folder + "/half", "");
          raise(SIGKILL);
          return half;
        },
        Silent);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
  ASSERT_TRUE(std::filesystem::exists(folder_ / "x.part/half"));

  absl::StatusOr<std::string> found =
      CachedFolder("x", "it", Always, MakeWhole, Silent);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "x/a/file"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x/half"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.part"));
}

TEST_F(Cache, WhatCouldNotBeMadeIsNotThere) {
  absl::StatusOr<std::string> found = CachedFolder(
      "x", "it", Always,
      [](const std::string& folder) {
        return absl::InvalidArgumentError("no such thing");
      },
      Silent);
  EXPECT_EQ(found.status(), absl::InvalidArgumentError("no such thing"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
}

TEST_F(Cache, AFolderWhoseFilesChangedIsMadeAgain) {
  int made = 0;
  auto make = [&](const std::string& folder) {
    ++made;
    return MakeWhole(folder);
  };
  auto get = [&] {
    return CachedFolder("x", "it", MatchesManifest, make, Silent).status();
  };
  ASSERT_TRUE(get().ok());
  ASSERT_TRUE(WriteFile(folder_ / "x/a/file", "wrong").ok());
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(*ReadFile(folder_ / "x/a/file"), "whole");
  std::filesystem::remove(folder_ / "x/a/file");
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(*ReadFile(folder_ / "x/a/file"), "whole");
  EXPECT_EQ(made, 3);
}

TEST_F(Cache, AFileThatWasOnlyTouchedIsStillTheSame) {
  ASSERT_TRUE(MakeWhole(folder_.path()).ok());
  std::filesystem::last_write_time(
      folder_ / "a/file",
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(MatchesManifest(folder_.path()));
}

TEST_F(Cache, AManifestThatWasCutShortIsNone) {
  ASSERT_TRUE(MakeWhole(folder_.path()).ok());
  absl::StatusOr<std::string> text = ReadFile(folder_ / ".manifest");
  ASSERT_TRUE(text.ok());
  ASSERT_TRUE(
      WriteFile(folder_ / ".manifest", text->substr(0, text->size() - 1)).ok());
  EXPECT_FALSE(MatchesManifest(folder_.path()));
}

TEST_F(Cache, AnUnusableCacheFolderIsNamedWithTheWayOut) {
  ASSERT_TRUE(WriteFile(folder_ / "file", "").ok());
  setenv("ATSFUZZ_CACHE", (folder_ / "file").c_str(), 1);
  absl::StatusOr<std::string> found =
      CachedFolder("x", "it", Always, MakeWhole, Silent);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(found.status().ToString(), HasSubstr(folder_ / "file"));
  EXPECT_THAT(found.status().ToString(), HasSubstr("ATSFUZZ_CACHE"));
}

TEST_F(Cache, ItsFolderFollowsTheEnvironment) {
  EXPECT_EQ(CacheFolder(), folder_.path());
  unsetenv("ATSFUZZ_CACHE");
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(CacheFolder(), "/somewhere/atsfuzz");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_THAT(CacheFolder(), HasSubstr("/.cache/atsfuzz"));
}

}  // namespace
}  // namespace atsfuzz::linux_driver
