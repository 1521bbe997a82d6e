#include "linux/source_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "linux/cache.h"
#include "linux/hash.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

// Without these nothing can be built from any version.
constexpr std::array kNeeded = {
    "Makefile",
    "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c",
    "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h",
    "drivers/iommu/io-pgtable.c",
    "drivers/iommu/io-pgtable-arm.c",
    "drivers/pci/ats.c",
    "lib/rbtree.c",
    "include/linux/iommu.h",
};

// The headers of one folder below include/.
void AddHeaders(const char* folder, const char* names,
                std::vector<std::string>& headers) {
  for (absl::string_view name :
       absl::StrSplit(names, ' ', absl::SkipWhitespace())) {
    headers.push_back(absl::StrCat(folder, "/", name, ".h"));
  }
}

std::vector<std::string> MakeRealHeaders() {
  std::vector<std::string> headers;
  AddHeaders(
      "linux",
      "acpi_iort align args array_size bitfield bits build_bug cleanup "
      "const container_of err errno fwnode io-pgtable ioasid iommu iommufd "
      "generic_pt/common generic_pt/iommu "
      "iopoll iova_bitmap kconfig limits list log2 minmax "
      "pci-ats pci_ids poison rbtree rbtree_augmented rbtree_types "
      "sizes stddef string_choices typecheck",
      headers);
  AddHeaders("uapi/asm-generic", "errno errno-base", headers);
  AddHeaders("uapi/linux",
             "bits const errno iommu iommufd limits pci_regs stddef", headers);
  AddHeaders("vdso", "align bits const limits", headers);
  std::sort(headers.begin(), headers.end());
  return headers;
}

bool IsSource(absl::string_view path) {
  return absl::EndsWith(path, ".c") || absl::EndsWith(path, ".h");
}

// Every build input below `root`, relative to it.
std::vector<std::string> BuildInputs(const std::string& root) {
  std::vector<std::string> paths = {"Makefile", "lib/rbtree.c"};
  for (const std::string& header : RealHeaders()) {
    paths.push_back("include/" + header);
  }
  auto add = [&](const fs::directory_entry& entry) {
    std::string path = fs::path(entry.path()).lexically_relative(root).string();
    if (IsBuildInput(path)) paths.push_back(std::move(path));
  };
  // A folder that is not there holds nothing.
  std::error_code error;
  for (fs::recursive_directory_iterator at(root + "/drivers/iommu", error), end;
       !error && at != end; at.increment(error)) {
    add(*at);
  }
  for (fs::directory_iterator at(root + "/drivers/pci", error), end;
       !error && at != end; at.increment(error)) {
    add(*at);
  }
  std::sort(paths.begin(), paths.end());
  std::erase_if(paths, [&](const std::string& path) {
    return !fs::is_regular_file(absl::StrCat(root, "/", path), error);
  });
  return paths;
}

// The value of `name = value` in a Makefile.
std::string MakeVariable(absl::string_view makefile, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(makefile, '\n')) {
    std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (absl::StripAsciiWhitespace(sides.first) == name) {
      return std::string(absl::StripAsciiWhitespace(sides.second));
    }
  }
  return "";
}

}  // namespace

const std::vector<std::string>& RealHeaders() {
  static const auto& headers = *new std::vector<std::string>(MakeRealHeaders());
  return headers;
}

bool IsBuildInput(absl::string_view path) {
  if (path == "Makefile" || path == "lib/rbtree.c") return true;
  if (absl::StartsWith(path, "drivers/iommu/")) return IsSource(path);
  if (absl::ConsumePrefix(&path, "drivers/pci/")) {
    return IsSource(path) && !absl::StrContains(path, '/');
  }
  return absl::ConsumePrefix(&path, "include/") &&
         std::binary_search(RealHeaders().begin(), RealHeaders().end(),
                            std::string(path));
}

absl::StatusOr<std::vector<SourceFile>> ReadSourceFiles(
    const std::string& root) {
  std::error_code error;
  for (const char* needed : kNeeded) {
    if (fs::is_regular_file(absl::StrCat(root, "/", needed), error)) continue;
    bool kernel = fs::is_directory(root + "/drivers/iommu", error);
    return absl::FailedPreconditionError(
        absl::StrCat(root,
                     kernel ? " lacks what a build needs: "
                            : " is not a Linux source tree: ",
                     needed, " is missing"));
  }
  std::vector<SourceFile> files;
  for (std::string& path : BuildInputs(root)) {
    absl::StatusOr<std::string> bytes = ReadFile(absl::StrCat(root, "/", path));
    if (!bytes.ok()) return bytes.status();
    files.push_back({std::move(path), *std::move(bytes)});
  }
  return files;
}

absl::Status WriteSourceFiles(const std::vector<SourceFile>& files,
                              const std::string& root) {
  for (const SourceFile& file : files) {
    absl::Status written =
        WriteFile(absl::StrCat(root, "/", file.path), file.bytes);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

std::string HashOf(const std::vector<SourceFile>& files) {
  Hasher hasher;
  for (const SourceFile& file : files) hasher.Add(file.path).Add(file.bytes);
  return hasher.Hex();
}

std::string KernelVersion(absl::string_view makefile) {
  std::string version = MakeVariable(makefile, "VERSION");
  std::string level = MakeVariable(makefile, "PATCHLEVEL");
  if (version.empty() || level.empty()) return "";
  return absl::StrCat(version, ".", level, ".",
                      MakeVariable(makefile, "SUBLEVEL"),
                      MakeVariable(makefile, "EXTRAVERSION"));
}

}  // namespace atsfuzz::linux_driver
