#include "linux/patch.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "linux/cache.h"
#include "linux/source_files.h"
#include "linux/subprocess.h"

namespace atsfuzz::linux_driver {
namespace {

// "a/drivers/x.c" of "--- a/drivers/x.c\t2026-01-01", without the first folder
// (as -p1 has it). Empty for /dev/null.
std::string PathOf(absl::string_view header) {
  header = header.substr(4, header.find('\t', 4) - 4);
  header = absl::StripTrailingAsciiWhitespace(header);
  if (header == "/dev/null") return "";
  size_t slash = header.find('/');
  return slash == absl::string_view::npos
             ? std::string(header)
             : std::string(header.substr(slash + 1));
}

// The part of a patch that concerns one file: from its `---` line to the next
// file's.
struct Section {
  std::string path;
  std::string text;
};

std::vector<Section> Sections(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::vector<Section> sections;
  for (size_t i = 0; i < lines.size(); ++i) {
    bool header = absl::StartsWith(lines[i], "--- ") && i + 2 < lines.size() &&
                  absl::StartsWith(lines[i + 1], "+++ ") &&
                  absl::StartsWith(lines[i + 2], "@@ ");
    if (header) {
      std::string path = PathOf(lines[i + 1]);
      sections.push_back({path.empty() ? PathOf(lines[i]) : path, ""});
    } else if (sections.empty() || absl::StartsWith(lines[i], "diff --git ")) {
      continue;
    }
    absl::StrAppend(&sections.back().text, lines[i], "\n");
  }
  return sections;
}

// What patch says about the failure, without its talk about what went well.
std::string Complaints(const std::string& output) {
  std::vector<std::string> kept;
  for (absl::string_view line :
       absl::StrSplit(output, '\n', absl::SkipWhitespace())) {
    if (absl::ConsumePrefix(&line, "patching file ")) {
      kept.push_back(absl::StrCat("  in ", line, ":"));
    } else if (!absl::StrContains(line, "succeeded at")) {
      kept.push_back(absl::StrCat("  ", line));
    }
  }
  return absl::StrJoin(kept, "\n");
}

}  // namespace

absl::StatusOr<Patch> ReadPatch(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  Patch patch;
  patch.name = std::filesystem::path(path).filename().string();
  for (const Section& section : Sections(*text)) {
    if (IsBuildInput(section.path)) {
      absl::StrAppend(&patch.text, section.text);
    } else {
      patch.ignored.push_back(section.path);
    }
  }
  if (!patch.text.empty()) return patch;
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      patch.ignored.empty()
          ? ": no patch found (expected `--- a/...`, `+++ b/...`, `@@ ...`)"
          : absl::StrCat(": changes no file that a build reads, only ",
                         absl::StrJoin(patch.ignored, ", "))));
}

absl::Status ApplyPatch(const Patch& patch, const std::string& root) {
  const std::string file = root + "/.patch";
  if (absl::Status written = WriteFile(file, patch.text); !written.ok()) {
    return written;
  }
  absl::StatusOr<CommandResult> result =
      Run({{"patch", "-p1", "--force", "--no-backup-if-mismatch",
            "--reject-file=-", "--input=.patch"},
           root});
  if (!result.ok()) return result.status();
  std::error_code error;
  std::filesystem::remove(file, error);
  if (result->status == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      patch.name, " does not apply:\n", Complaints(result->output)));
}

}  // namespace atsfuzz::linux_driver
