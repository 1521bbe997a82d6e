#include "linux/overlay.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "linux/cache.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

absl::Status Link(const std::string& target, const std::string& link) {
  if (absl::Status made = MakeFolder(fs::path(link).parent_path().string());
      !made.ok()) {
    return made;
  }
  std::error_code error;
  fs::create_symlink(target, link, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot create ", link, ": ", error.message()));
  }
  return absl::OkStatus();
}

// Where a kernel's include path finds `name` if not in include/ itself: a uapi
// header, or the generic version of an architecture's.
std::string Alias(const std::string& name, const std::set<std::string>& real) {
  std::vector<std::string> places = {"uapi/" + name};
  absl::string_view rest = name;
  if (absl::ConsumePrefix(&rest, "asm/")) {
    places.push_back(absl::StrCat("asm-generic/", rest));
    places.push_back(absl::StrCat("uapi/asm-generic/", rest));
  }
  for (std::string& place : places) {
    if (real.count(place) > 0) return std::move(place);
  }
  return "";
}

}  // namespace

std::vector<std::string> IncludedNames(absl::string_view source) {
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(source, '\n')) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "#")) continue;
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "include")) continue;
    line = absl::StripLeadingAsciiWhitespace(line);
    size_t end = line.find('>');
    if (absl::ConsumePrefix(&line, "<") && end != absl::string_view::npos) {
      names.emplace_back(line.substr(0, end - 1));
    }
  }
  return names;
}

absl::Status WriteOverlay(const std::vector<SourceFile>& files,
                          const std::string& tree, const std::string& overlay) {
  std::set<std::string> real;
  std::set<std::string> named;
  for (const SourceFile& file : files) {
    absl::string_view path = file.path;
    if (absl::ConsumePrefix(&path, "include/")) real.emplace(path);
    for (std::string& name : IncludedNames(file.bytes)) {
      if (absl::StrContains(name, '/')) named.insert(std::move(name));
    }
  }
  auto link = [&](const std::string& name, const std::string& target) {
    return Link(absl::StrCat(tree, "/include/", target),
                absl::StrCat(overlay, "/", name));
  };
  for (const std::string& name : real) {
    if (absl::Status linked = link(name, name); !linked.ok()) return linked;
  }
  for (const std::string& name : named) {
    if (real.count(name) > 0) continue;
    std::string alias = Alias(name, real);
    absl::Status made = alias.empty()
                            ? WriteFile(absl::StrCat(overlay, "/", name), "")
                            : link(name, alias);
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

}  // namespace atsfuzz::linux_driver
