#include "linux/tree.h"

#include <filesystem>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/cache.h"
#include "linux/temporary_folder.h"

namespace atsfuzz::linux_driver {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

void Silent(const std::string& line) {}

std::string DriverOf(const Tree& tree) {
  return *ReadFile(tree.path + "/" + kDriver);
}

// A user's tree with the files that every build needs and nothing in them.
class Trees : public ::testing::Test {
 protected:
  Trees() {
    setenv("ATSFUZZ_CACHE", (folder_ / "cache").c_str(), 1);
    for (const char* path :
         {"drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h",
          "drivers/iommu/io-pgtable.c", "drivers/iommu/io-pgtable-arm.c",
          "drivers/pci/ats.c", "lib/rbtree.c", "include/linux/iommu.h"}) {
      Write(path, "");
    }
    Write(kDriver, "one\ntwo\nthree\nfour\nfive\n");
    Write("Makefile",
          "VERSION = 9\nPATCHLEVEL = 8\nSUBLEVEL = 7\nEXTRAVERSION = -rc6\n");
  }
  ~Trees() override { unsetenv("ATSFUZZ_CACHE"); }

  void Write(const std::string& path, const std::string& bytes) {
    absl::Status written = WriteFile(folder_ / "linux/" + path, bytes);
    ASSERT_TRUE(written.ok()) << written;
  }

  std::string PatchFile(const std::string& name, const std::string& text) {
    absl::Status written = WriteFile(folder_ / name, text);
    EXPECT_TRUE(written.ok()) << written;
    return folder_ / name;
  }

  // Changes line three of the driver to `to`.
  std::string DriverPatch(const std::string& name, const std::string& to) {
    return PatchFile(name,
                     "Subject: a mail\n\nwith words.\n---\n 1 file changed\n\n"
                     "diff --git a/" +
                         std::string(kDriver) + " b/" + kDriver +
                         "\nindex 1..2 100644\n--- a/" + kDriver + "\n+++ b/" +
                         kDriver +
                         "\n@@ -2,3 +2,3 @@ somewhere\n two\n-three\n+" + to +
                         "\n four\n-- \n2.0\n");
  }

  absl::StatusOr<Tree> Obtain(const std::vector<std::string>& patches = {}) {
    return ObtainTree(folder_ / "linux", patches, Silent);
  }

  TemporaryFolder folder_;
};

TEST_F(Trees, AUsersTreeKnowsItsVersion) {
  absl::StatusOr<Tree> tree = Obtain();
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(tree->version, "9.8.7-rc6");
  EXPECT_EQ(tree->name, "linux:" + folder_ / "linux");
}

TEST_F(Trees, WhatIsCompiledDoesNotChangeUnderARun) {
  absl::StatusOr<Tree> tree = Obtain();
  ASSERT_TRUE(tree.ok()) << tree.status();
  Write(kDriver, "edited\n");
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\nthree\nfour\nfive\n");
  absl::StatusOr<Tree> again = Obtain();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(DriverOf(*again), "edited\n");
  EXPECT_NE(tree->hash, again->hash);
}

TEST_F(Trees, OnlyWhatABuildReadsCounts) {
  absl::StatusOr<Tree> before = Obtain();
  Write("drivers/net/something.c", "int x;");
  Write("drivers/iommu/something.o", "binary");
  absl::StatusOr<Tree> after = Obtain();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->hash, after->hash);
  Write("include/linux/sizes.h", "#define SZ_1 1");
  absl::StatusOr<Tree> header = Obtain();
  ASSERT_TRUE(header.ok());
  EXPECT_NE(before->hash, header->hash);
}

TEST_F(Trees, PatchesApplyInOrderOnACopy) {
  std::string first = DriverPatch("first.patch", "3");
  std::string second =
      PatchFile("second.patch", "--- a/" + std::string(kDriver) + "\n+++ b/" +
                                    kDriver + "\n@@ -3 +3 @@\n-3\n+III\n");
  absl::StatusOr<Tree> tree = Obtain({first, second});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\nIII\nfour\nfive\n");
  EXPECT_EQ(*ReadFile(folder_ / "linux/" + kDriver),
            "one\ntwo\nthree\nfour\nfive\n");
  EXPECT_NE(tree->hash, Obtain()->hash);
  EXPECT_NE(tree->hash, Obtain({first})->hash);
}

TEST_F(Trees, ASeriesInOneFileMayChangeAFileAgain) {
  const std::string first = *ReadFile(DriverPatch("first.patch", "3"));
  const std::string series = PatchFile(
      "series.mbox",
      first + "-- \n2.30\n\nFrom nobody\nSubject: again\n\n--- a/" + kDriver +
          "\n+++ b/" + kDriver + "\n@@ -3 +3 @@\n-3\n+III\n");
  absl::StatusOr<Tree> tree = Obtain({series});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\nIII\nfour\nfive\n");
}

TEST_F(Trees, APatchThatDoesNotApplyNamesFileAndHunk) {
  Write(kDriver, "nothing\nalike\n");
  absl::StatusOr<Tree> tree = Obtain({DriverPatch("mine.patch", "3")});
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(tree.status().ToString(),
              AllOf(HasSubstr("mine.patch does not apply"), HasSubstr(kDriver),
                    HasSubstr("Hunk #1 FAILED at 2")));
}

TEST_F(Trees, APatchMayAlsoTouchFilesThatNoBuildReads) {
  std::string said;
  std::string patch = DriverPatch("mail", "3");
  std::string text = *ReadFile(patch);
  PatchFile("mail", text +
                        "--- a/Documentation/x.rst\n+++ b/Documentation/x.rst\n"
                        "@@ -1 +1 @@\n-a\n+b\n");
  absl::StatusOr<Tree> tree =
      ObtainTree(folder_ / "linux", {patch},
                 [&](const std::string& line) { said += line; });
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\n3\nfour\nfive\n");
  EXPECT_THAT(said, HasSubstr("Documentation/x.rst"));
}

TEST_F(Trees, APatchWithTheLineEndsOfAMailApplies) {
  const std::string mail = *ReadFile(DriverPatch("mail", "3"));
  absl::StatusOr<Tree> tree =
      Obtain({PatchFile("mail", absl::StrReplaceAll(mail, {{"\n", "\r\n"}}))});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\n3\nfour\nfive\n");
}

constexpr char kMailHeader[] =
    "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n"
    "From: A <a@b.c>\nSubject: mail\nContent-Type: text/plain; "
    "charset=UTF-8\nContent-Transfer-Encoding: ";

TEST_F(Trees, AnMboxOfEncodedMailsIsDecoded) {
  const std::string first =
      absl::StrReplaceAll(*ReadFile(DriverPatch("first", "a = b")),
                          {{"=", "=3D"}, {"fo", "f=\no"}});
  const std::string second = absl::StrCat(
      "--- a/", kDriver, "\n+++ b/", kDriver, "\n@@ -3 +3 @@\n-a = b\n+c\n");
  absl::StatusOr<Tree> tree = Obtain({PatchFile(
      "series.mbox",
      absl::StrCat(kMailHeader, "quoted-printable\n\n", first, "\n",
                   kMailHeader, "base64\n\n", absl::Base64Escape(second)))});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(DriverOf(*tree), "one\ntwo\nc\nfour\nfive\n");
}

TEST_F(Trees, APatchMayRenameWhatABuildReads) {
  const std::string to = "drivers/iommu/arm/arm-smmu-v3/renamed.h";
  Write("drivers/iommu/arm/arm-smmu-v3/extra.h", "text\n");
  absl::StatusOr<Tree> tree = Obtain({PatchFile(
      "rename", "diff --git a/drivers/iommu/arm/arm-smmu-v3/extra.h b/" + to +
                    "\nsimilarity index 100%\nrename from "
                    "drivers/iommu/arm/arm-smmu-v3/extra.h\nrename to " +
                    to + "\n")});
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(*ReadFile(tree->path + "/" + to), "text\n");
  EXPECT_FALSE(
      ReadFile(tree->path + "/drivers/iommu/arm/arm-smmu-v3/extra.h").ok());
}

TEST_F(Trees, ABinaryPatchIsRefused) {
  absl::StatusOr<Tree> tree = Obtain(
      {PatchFile("blob", absl::StrCat("diff --git a/", kDriver, " b/", kDriver,
                                      "\nindex 1..2 100644\nGIT binary patch\n"
                                      "literal 3\nKcmZQzWMT#Y01f~L\n"))});
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(tree.status().ToString(), HasSubstr("binary"));
}

TEST_F(Trees, AFileThatIsNoPatchIsRefused) {
  absl::StatusOr<Tree> tree = Obtain({PatchFile("letter", "Dear all,\n")});
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(tree.status().ToString(), HasSubstr("no patch found"));
}

TEST_F(Trees, ATreeWithoutTheDriverSaysWhichFileIsMissing) {
  std::filesystem::remove(folder_ / "linux/" + kDriver);
  absl::StatusOr<Tree> tree = Obtain();
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(tree.status().ToString(),
              AllOf(HasSubstr("lacks"), HasSubstr(kDriver)));
}

TEST_F(Trees, AFolderThatIsNoKernelIsRefused) {
  absl::StatusOr<Tree> tree = ObtainTree(folder_.path(), {}, Silent);
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(tree.status().ToString(),
              HasSubstr("is not a Linux source tree"));
}

TEST_F(Trees, APathThatDoesNotExistIsNamed) {
  absl::StatusOr<Tree> tree = ObtainTree(folder_ / "nowhere", {}, Silent);
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(tree.status().ToString(), HasSubstr(folder_ / "nowhere"));
}

TEST_F(Trees, AVersionWithoutAPackageListsTheKnownOnes) {
  absl::StatusOr<Tree> tree = ObtainTree("1.2", {}, Silent);
  EXPECT_EQ(tree.status().code(), absl::StatusCode::kNotFound);
  ASSERT_FALSE(KnownVersions().empty());
  for (const KnownVersion& known : KnownVersions()) {
    EXPECT_THAT(tree.status().ToString(), HasSubstr(known.version));
    EXPECT_FALSE(known.cached);
  }
}

TEST_F(Trees, ConcurrentRunsGetTheSameCopy) {
  std::string patch = DriverPatch("mail", "3");
  std::vector<absl::StatusOr<Tree>> trees(4, absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (absl::StatusOr<Tree>& tree : trees) {
    threads.emplace_back([&] { tree = Obtain({patch}); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::StatusOr<Tree>& tree : trees) {
    ASSERT_TRUE(tree.ok()) << tree.status();
    EXPECT_EQ(tree->path, trees[0]->path);
    EXPECT_EQ(DriverOf(*tree), "one\ntwo\n3\nfour\nfive\n");
  }
}

// Uses the user's cache, where the source may already be.
TEST(DebianTree, Linux612IsFetchedWholeAndKnown) {
  absl::StatusOr<Tree> tree = ObtainTree("6.12", {}, Silent);
  if (absl::IsUnavailable(tree.status())) {
    GTEST_SKIP() << tree.status();
  }
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(tree->name, "linux:6.12");
  EXPECT_THAT(tree->version, HasSubstr("6.12."));
  EXPECT_THAT(DriverOf(*tree), HasSubstr("arm_smmu_attach_commit"));
  EXPECT_TRUE(std::filesystem::exists(tree->path + "/include/linux/iommu.h"));
  EXPECT_FALSE(std::filesystem::exists(tree->path + "/.fetch"));
  bool cached = false;
  for (const KnownVersion& known : KnownVersions()) {
    if (known.version == "6.12") cached = known.cached;
  }
  EXPECT_TRUE(cached);
}

}  // namespace
}  // namespace atsfuzz::linux_driver
