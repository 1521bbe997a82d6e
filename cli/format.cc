#include "cli/format.h"

#include <stdio.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzz/findings.h"

namespace atsfuzz::cli {
namespace {

// In the order of Format.
constexpr std::array<absl::string_view, 7> kNames = {
    "text", "json", "ktap", "junit", "sarif", "mermaid", "trace-event"};

std::string NamesOf(const std::vector<Format>& formats) {
  std::vector<absl::string_view> names;
  for (const Format format : formats) names.push_back(FormatName(format));
  return absl::StrJoin(names.begin(), names.end() - 1, ", ") + " or " +
         std::string(names.back());
}

}  // namespace

absl::string_view FormatName(Format format) {
  return kNames[static_cast<size_t>(format)];
}

void FormatFlags::AddTo(Flags* flags, const std::vector<Format>& offered) {
  offered_ = offered;
  const std::string help = absl::StrCat(
      "How the result is told: ", NamesOf(offered), " (default text).");
  flags->Add("format", "NAME", help.c_str(), &name_);
  flags->Add("output", "FILE",
             "Where it is told in that format; standard output then has the "
             "text.",
             &output_);
  flags->Add("json", "Prints one JSON object: --format=json.", &json_);
}

Format FormatFlags::format() const {
  if (name_.empty()) return json_ ? Format::kJson : Format::kText;
  return static_cast<Format>(std::find(kNames.begin(), kNames.end(), name_) -
                             kNames.begin());
}

absl::Status FormatFlags::Check() const {
  if (std::find(offered_.begin(), offered_.end(), format()) == offered_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--format=", name_, ": expected ", NamesOf(offered_)));
  }
  if (json_ && format() != Format::kJson) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--json is --format=json, and --format=", name_, " is given, too"));
  }
  if (output_.empty()) return absl::OkStatus();
  if (std::filesystem::is_directory(output_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output=", output_, ": this is a folder, not a file"));
  }
  const std::string folder =
      std::filesystem::path(output_).parent_path().string();
  return fuzz::PrepareFolder(folder.empty() ? "." : folder);
}

absl::Status FormatFlags::Put(absl::string_view result) const {
  if (!output_.empty()) return fuzz::WriteWhole(output_, result);
  if (!tells_text()) fwrite(result.data(), 1, result.size(), stdout);
  return absl::OkStatus();
}

}  // namespace atsfuzz::cli
