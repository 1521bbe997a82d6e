#include "linux/patch.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "linux/cache.h"
#include "linux/source_files.h"
#include "linux/subprocess.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

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

// The part of a patch that concerns one file: from git's header, or from its
// `---` line where there is none, to the next file's.
struct Section {
  std::vector<std::string> paths;  // two if the file is renamed
  std::string text;
};

// Both names in "diff --git a/x b/y"; none if it is not such a line.
std::vector<std::string> GitPaths(absl::string_view line) {
  line = absl::StripTrailingAsciiWhitespace(line);
  const size_t second = line.rfind(" b/");
  if (!absl::ConsumePrefix(&line, "diff --git a/") || second == line.npos) {
    return {};
  }
  const size_t end = second - absl::string_view("diff --git a/").size();
  return {std::string(line.substr(0, end)), std::string(line.substr(end + 3))};
}

std::vector<Section> Sections(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::vector<Section> sections;
  bool after_git_header = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool header = absl::StartsWith(lines[i], "--- ") &&
                        i + 2 < lines.size() &&
                        absl::StartsWith(lines[i + 1], "+++ ") &&
                        absl::StartsWith(lines[i + 2], "@@ ");
    std::vector<std::string> git = GitPaths(lines[i]);
    if (!git.empty()) {
      sections.push_back({std::move(git), ""});
      after_git_header = true;
    } else if (header) {
      std::string path = PathOf(lines[i + 1]);
      if (path.empty()) path = PathOf(lines[i]);
      if (!after_git_header) sections.push_back({{std::move(path)}, ""});
      after_git_header = false;
    } else if (sections.empty()) {
      continue;
    }
    absl::StrAppend(&sections.back().text, lines[i], "\n");
  }
  return sections;
}

// The mail's transport hides the patch: lines like "=3D", or letters only.
bool IsEncoded(const std::string& text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (absl::string_view line : absl::StrSplit(lower, '\n')) {
    if (absl::ConsumePrefix(&line, "content-transfer-encoding:") &&
        (absl::StrContains(line, "quoted-printable") ||
         absl::StrContains(line, "base64"))) {
      return true;
    }
  }
  return false;
}

// The mails of `path`, a mail or an mbox, as git reads them.
absl::StatusOr<std::string> Decoded(const std::string& path) {
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "atsfuzz-XXXXXX");
  if (error || mkdtemp(folder.data()) == nullptr) {
    return absl::UnavailableError("no temporary folder can be made");
  }
  absl::Cleanup remove = [&] { fs::remove_all(folder, error); };
  auto git = [&](std::vector<std::string> argv) -> absl::Status {
    absl::StatusOr<CommandResult> result = Run({std::move(argv), folder});
    if (result.ok() && result->status == 0) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": an encoded mail, which git could not read (",
        result.ok() ? LastLines(result->output, 2) : result.status().message(),
        "); install git, or save the patch as plain text"));
  };
  if (absl::Status split = git({"git", "mailsplit", "-b", "--keep-cr", "-o.",
                                fs::absolute(path, error).string()});
      !split.ok()) {
    return split;
  }
  std::string text;
  for (int mail = 1;; ++mail) {
    const std::string file = absl::StrFormat("%04d", mail);
    if (!fs::exists(absl::StrCat(folder, "/", file), error)) return text;
    if (absl::Status read =
            git({"sh", "-c",
                 absl::StrCat("git mailinfo --quoted-cr=strip message body <",
                              file)});
        !read.ok()) {
      return read;
    }
    absl::StatusOr<std::string> body = ReadFile(folder + "/body");
    if (!body.ok()) return body.status();
    absl::StrAppend(&text, *body);
  }
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
  if (text.ok() && IsEncoded(*text)) text = Decoded(path);
  if (!text.ok()) return text.status();
  Patch patch;
  patch.name = fs::path(path).filename().string();
  for (const Section& section : Sections(*text)) {
    if (absl::c_any_of(section.paths, IsBuildInput)) {
      absl::StrAppend(&patch.text, section.text);
    } else {
      patch.ignored.push_back(section.paths.back());
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
  fs::remove(file, error);
  if (result->status == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      patch.name, " does not apply:\n", Complaints(result->output)));
}

}  // namespace atsfuzz::linux_driver
