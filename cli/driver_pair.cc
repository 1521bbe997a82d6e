#include "cli/driver_pair.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;

bool IsKernel(const std::string& driver) {
  return absl::StartsWith(driver, "linux:");
}

}  // namespace

std::string LabelOf(const Driver& driver,
                    const std::vector<std::string>& patches) {
  std::string label = driver.name;
  if (!driver.design) absl::StrAppend(&label, " (", driver.version, ")");
  for (const std::string& patch : patches) {
    absl::StrAppend(&label, &patch == &patches.front() ? " with " : ", ",
                    fs::path(patch).filename().string());
  }
  return label;
}

absl::StatusOr<PairFlags> FlagsOfPair(const std::string& left,
                                      const std::string& right,
                                      const std::vector<std::string>& patches) {
  PairFlags flags;
  flags.left.driver = left;
  flags.right.driver = right;
  (IsKernel(left) && !IsKernel(right) ? flags.left : flags.right).patches =
      patches;
  for (const DriverFlags* side : {&flags.left, &flags.right}) {
    const absl::Status status = CheckDriver(*side);
    if (!status.ok()) return status;
  }
  return flags;
}

struct DriverPair::Folder {
  fs::path path;
  ~Folder() {
    std::error_code error;
    fs::remove_all(path, error);
  }
};

absl::StatusOr<DriverPair> DriverPair::Obtain(
    const std::string& left, const std::string& right,
    const std::vector<std::string>& patches) {
  const auto flags = FlagsOfPair(left, right, patches);
  if (!flags.ok()) return flags.status();
  const Builds builds = {.plain = true, .sanitized = false};
  auto left_driver = ObtainDriver(flags->left, builds);
  if (!left_driver.ok()) return left_driver.status();
  auto right_driver = ObtainDriver(flags->right, builds);
  if (!right_driver.ok()) return right_driver.status();
  DriverPair pair;
  pair.left_ = *std::move(left_driver);
  pair.right_ = *std::move(right_driver);
  pair.left_label_ = LabelOf(pair.left_, flags->left.patches);
  pair.right_label_ = LabelOf(pair.right_, flags->right.patches);
  const absl::Status copied = pair.CopySharedModules();
  if (!copied.ok()) return copied;
  return pair;
}

absl::Status DriverPair::CopySharedModules() {
  if (left_.design || left_.instrumented != right_.instrumented) {
    return absl::OkStatus();
  }
  std::string folder = (fs::temp_directory_path() / "atsfuzz-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "cannot make a folder in ", fs::temp_directory_path().string()));
  }
  copies_ = std::make_shared<Folder>();
  copies_->path = folder;
  for (std::string* module : {&right_.plain, &right_.instrumented}) {
    const fs::path copy =
        copies_->path /
        (module == &right_.plain ? "plain.so" : "instrumented.so");
    std::error_code error;
    fs::copy_file(*module, copy, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat("cannot copy ", *module,
                                                 " to ", copy.string(), ": ",
                                                 error.message()));
    }
    *module = copy.string();
  }
  return absl::OkStatus();
}

model::Capabilities DriverPair::capabilities() const {
  return Meet(left_.capabilities, right_.capabilities);
}

fuzz::LoadPair DriverPair::Fast() const {
  return {left_.Plain(), right_.Plain()};
}

fuzz::LoadPair DriverPair::Located() const {
  return {left_.Instrumented(), right_.Instrumented()};
}

}  // namespace atsfuzz::cli
