#include "linux/tree.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "linux/cache.h"
#include "linux/debian.h"
#include "linux/hash.h"
#include "linux/manifest.h"
#include "linux/patch.h"
#include "linux/source_files.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

// Versions that Debian packages as linux-source-VERSION.
constexpr std::array kVersions = {"6.1", "6.12", "7.2", "7.3"};

bool IsKnown(const std::string& version) {
  return std::find(kVersions.begin(), kVersions.end(), version) !=
         kVersions.end();
}

std::string PackageOf(const std::string& version) {
  return "linux-source-" + version;
}

bool LooksLikeVersion(const std::string& spec) {
  return !spec.empty() && absl::ascii_isdigit(spec[0]) &&
         std::all_of(spec.begin(), spec.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-';
         });
}

absl::StatusOr<std::string> DebianTree(const std::string& version,
                                       const Progress& progress) {
  auto make = [&](const std::string& folder) {
    absl::Status fetched =
        FetchDebianSource(PackageOf(version), folder, progress);
    if (fetched.ok()) return WriteManifest(folder);
    return absl::Status(
        fetched.code(),
        absl::StrCat("no source of Linux ", version, ": ", fetched.message(),
                     "\nGive a tree instead: --driver=linux:/path/to/linux"));
  };
  return CachedFolder("debian/" + version, "Linux " + version, MatchesManifest,
                      make, progress);
}

// The folder that `spec` names: fetched, or the user's own.
absl::StatusOr<std::string> OriginalTree(const std::string& spec,
                                         const Progress& progress) {
  if (IsKnown(spec)) return DebianTree(spec, progress);
  std::error_code error;
  fs::path path = fs::absolute(spec, error);
  if (fs::is_directory(path, error)) return path.lexically_normal().string();
  if (!LooksLikeVersion(spec)) {
    return absl::NotFoundError(
        absl::StrCat("no kernel tree at ", path.string()));
  }
  return absl::NotFoundError(absl::StrCat(
      "no Debian package is known for Linux ", spec, "; known are ",
      absl::StrJoin(kVersions, ", "),
      "; for another version give a tree: --driver=linux:/path/to/linux"));
}

absl::StatusOr<std::vector<Patch>> ReadPatches(
    const std::vector<std::string>& paths, const Progress& progress) {
  std::vector<Patch> patches;
  for (const std::string& path : paths) {
    absl::StatusOr<Patch> patch = ReadPatch(path);
    if (!patch.ok()) return patch.status();
    if (!patch->ignored.empty()) {
      progress(absl::StrCat(patch->name, ": left out, no build reads it: ",
                            absl::StrJoin(patch->ignored, ", ")));
    }
    patches.push_back(*std::move(patch));
  }
  return patches;
}

// A copy of the build inputs, patched. The copy is what gets compiled, so an
// edit of the user's tree during a run changes nothing under it, and a file
// that is not part of the hash cannot be read.
absl::StatusOr<std::string> CopyOf(const std::vector<SourceFile>& files,
                                   const std::vector<Patch>& patches,
                                   const Progress& progress) {
  Hasher key;
  key.Add(HashOf(files));
  for (const Patch& patch : patches) key.Add(patch.text);
  auto make = [&](const std::string& folder) {
    absl::Status status = WriteSourceFiles(files, folder);
    for (const Patch& patch : patches) {
      if (status.ok()) status = ApplyPatch(patch, folder);
    }
    return status.ok() ? WriteManifest(folder) : status;
  };
  return CachedFolder("trees/" + key.Hex(), "a copy of the kernel tree",
                      MatchesManifest, make, progress);
}

}  // namespace

absl::StatusOr<Tree> ObtainTree(const std::string& spec,
                                const std::vector<std::string>& patches,
                                const Progress& progress) {
  absl::StatusOr<std::vector<Patch>> read = ReadPatches(patches, progress);
  if (!read.ok()) return read.status();
  absl::StatusOr<std::string> path = OriginalTree(spec, progress);
  if (!path.ok()) return path.status();
  absl::StatusOr<std::vector<SourceFile>> files = ReadSourceFiles(*path);
  if (!files.ok()) return files.status();
  if (!IsKnown(spec) || !read->empty()) {
    path = CopyOf(*files, *read, progress);
    if (!path.ok()) return path.status();
    files = ReadSourceFiles(*path);
    if (!files.ok()) return files.status();
  }
  Tree tree;
  tree.name = "linux:" + spec;
  tree.path = *path;
  tree.hash = HashOf(*files);
  for (const SourceFile& file : *files) {
    if (file.path == "Makefile") tree.version = KernelVersion(file.bytes);
  }
  if (tree.version.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        spec, " is not a Linux source tree: its Makefile tells no version"));
  }
  return tree;
}

std::vector<KnownVersion> KnownVersions() {
  std::vector<KnownVersion> result;
  std::error_code error;
  for (const char* version : kVersions) {
    result.push_back(
        {version, PackageOf(version),
         fs::exists(absl::StrCat(CacheFolder(), "/debian/", version), error)});
  }
  return result;
}

}  // namespace atsfuzz::linux_driver
