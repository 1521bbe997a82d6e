#include "fuzz/known.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace atsfuzz::fuzz {

absl::StatusOr<Known> Known::Parse(absl::string_view text,
                                   absl::string_view file) {
  Known known;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find_first_of(" \t");
    if (space == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          file, ":", number, ": found the signature ", line,
          " alone, expected a reason behind it, on the same line"));
    }
    const bool added =
        known.reasons_
            .emplace(
                std::string(line.substr(0, space)),
                std::string(absl::StripAsciiWhitespace(line.substr(space))))
            .second;
    if (!added) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ":", number, ": the signature ",
                       line.substr(0, space), " is listed twice"));
    }
  }
  return known;
}

absl::StatusOr<Known> Known::Read(const std::string& path) {
  if (!std::filesystem::exists(path)) return Known();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return absl::PermissionDeniedError(absl::StrCat("cannot read ", path));
  }
  return Parse(text.str(), path);
}

void Known::Add(const Known& more) {
  reasons_.insert(more.reasons_.begin(), more.reasons_.end());
}

std::optional<std::string> Known::ReasonFor(
    const std::string& signature) const {
  const auto reason = reasons_.find(signature);
  if (reason == reasons_.end()) return std::nullopt;
  return reason->second;
}

}  // namespace atsfuzz::fuzz
