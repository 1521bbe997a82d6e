#include "linux/manifest.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "linux/cache.h"
#include "linux/hash.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "/.manifest";
// Stands last: a manifest that was cut short does not have it.
constexpr char kEnd[] = "end";

struct Stamp {
  int64_t size = 0;
  int64_t changed_ns = 0;
  bool operator==(const Stamp&) const = default;
};

std::optional<Stamp> StampOf(const std::string& path) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Stamp{info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 +
                                 info.st_mtim.tv_nsec};
}

std::string ContentHash(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  return bytes.ok() ? Hasher().Add(*bytes).Hex() : "";
}

// One line: size, time, hash, path.
bool MatchesLine(const std::string& folder, absl::string_view line) {
  std::vector<absl::string_view> fields =
      absl::StrSplit(line, absl::MaxSplits(' ', 3));
  Stamp expected;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &expected.size) ||
      !absl::SimpleAtoi(fields[1], &expected.changed_ns)) {
    return false;
  }
  const std::string path = absl::StrCat(folder, "/", fields[3]);
  std::optional<Stamp> found = StampOf(path);
  if (!found.has_value()) return false;
  return *found == expected || ContentHash(path) == fields[2];
}

}  // namespace

absl::Status WriteManifest(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end;
       !error && at != end; at.increment(error)) {
    if (at->is_regular_file(error)) {
      paths.push_back(fs::path(at->path()).lexically_relative(folder).string());
    }
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot read ", folder, ": ", error.message()));
  }
  std::sort(paths.begin(), paths.end());
  std::string text;
  for (const std::string& path : paths) {
    const std::string file = absl::StrCat(folder, "/", path);
    Stamp stamp = StampOf(file).value_or(Stamp{});
    absl::StrAppend(&text, stamp.size, " ", stamp.changed_ns, " ",
                    ContentHash(file), " ", path, "\n");
  }
  return WriteFile(folder + kName, text + kEnd);
}

bool MatchesManifest(const std::string& folder) {
  absl::StatusOr<std::string> text = ReadFile(folder + kName);
  if (!text.ok()) return false;
  std::vector<absl::string_view> lines = absl::StrSplit(*text, '\n');
  if (lines.back() != kEnd) return false;
  lines.pop_back();
  return std::all_of(lines.begin(), lines.end(), [&](absl::string_view line) {
    return MatchesLine(folder, line);
  });
}

}  // namespace atsfuzz::linux_driver
