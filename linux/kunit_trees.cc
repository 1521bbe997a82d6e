#include "linux/kunit_trees.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "linux/source_files.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ATSFUZZ_ADDRESS_SANITIZER
#endif
#endif

namespace atsfuzz::linux_driver {
namespace {

constexpr char kCache[] = "ATSFUZZ_CACHE";

void Silent(const std::string& line) {}

absl::Status Apply(const Plant& plant, std::string& text) {
  const size_t at = text.find(plant.from);
  if (at == std::string::npos ||
      text.find(plant.from, at + 1) != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("not once in the driver: ", plant.from));
  }
  text.replace(at, plant.from.size(), plant.to);
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> TestedKernels() {
  std::vector<std::string> kernels;
  for (const KnownVersion& known : KnownVersions()) {
    kernels.push_back(known.version);
  }
  if (const char* more = std::getenv("ATSFUZZ_TEST_TREES")) {
    for (absl::string_view path :
         absl::StrSplit(more, ':', absl::SkipEmpty())) {
      kernels.emplace_back(path);
    }
  }
  return kernels;
}

BuildKind TestedKind() {
#ifdef ATSFUZZ_ADDRESS_SANITIZER
  return BuildKind::kSanitized;
#else
  return BuildKind::kPlain;
#endif
}

std::string TestName(const std::string& kernel) {
  std::string name = absl::StrCat("Linux_", kernel);
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

OwnCache::OwnCache(const TemporaryFolder& folder) {
  if (const char* before = std::getenv(kCache)) before_ = before;
  setenv(kCache, (folder / "cache").c_str(), 1);
}

OwnCache::~OwnCache() {
  if (before_) {
    setenv(kCache, before_->c_str(), 1);
  } else {
    unsetenv(kCache);
  }
}

absl::StatusOr<Tree> SpoiltTree(const TemporaryFolder& folder, const Tree& tree,
                                const Plant& plant) {
  absl::StatusOr<std::vector<SourceFile>> files = ReadSourceFiles(tree.path);
  if (!files.ok()) return files.status();
  for (SourceFile& file : *files) {
    if (!absl::EndsWith(file.path, "/arm-smmu-v3.c")) continue;
    if (absl::Status done = Apply(plant, file.bytes); !done.ok()) return done;
  }
  const std::string copy = absl::StrCat(folder.path(), "/", plant.name);
  if (absl::Status written = WriteSourceFiles(*files, copy); !written.ok()) {
    return written;
  }
  return ObtainTree(copy, {}, Silent);
}

absl::StatusOr<std::unique_ptr<Suite>> SpoiltSuite(
    const TemporaryFolder& folder, const Tree& tree, const Plant& plant) {
  const OwnCache own(folder);
  const absl::StatusOr<Tree> spoilt = SpoiltTree(folder, tree, plant);
  if (!spoilt.ok()) return spoilt.status();
  const auto module = BuildSuite(*spoilt, BuildKind::kPlain, Silent);
  if (!module.ok()) return module.status();
  return Suite::Load(*module);
}

}  // namespace atsfuzz::linux_driver
