#include <stdio.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "nightly/history.h"
#include "nightly/pages.h"
#include "nightly/state_folder.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Writes what the nights of DIR have found as pages: an index by state,\n"
    "with trends, and a page for each finding with its story, its scenario\n"
    "and what happened step by step. They need no network and no script.\n"
    "Beside them for programs: findings.sarif (SARIF 2.1.0), and for each\n"
    "finding its run as a Mermaid diagram and as trace events for Perfetto.\n"
    "May run while a night goes on.";

constexpr char kExamples[] =
    "  atsfuzz report /var/lib/atsfuzz --output=/var/www/atsfuzz\n";

int Write(const std::string& state, const std::string& output) {
  const std::string path = nightly::StateFolder::HistoryOf(state);
  if (!std::filesystem::exists(path)) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        state, ": no night has been here; `atsfuzz nightly --state=", state,
        "` makes one")));
  }
  const auto history = nightly::History::Open(path);
  if (!history.ok()) return Fail(history.status());
  const auto view = nightly::ViewOf(**history, state);
  if (!view.ok()) return Fail(view.status());
  const absl::Status written = nightly::WritePages(*view, state, output);
  if (!written.ok()) return Fail(written);
  printf(
      "%s/index.html: %zu findings\n%s/findings.sarif: the same for "
      "programs\n",
      output.c_str(), view->findings.size(), output.c_str());
  return kClean;
}

}  // namespace

int Report(const std::vector<std::string>& arguments) {
  Flags flags("report DIR --output=DIR", kAbout, kExamples);
  std::string output;
  flags.Add("output", "DIR", "Where the pages go; made if it is missing.",
            &output);
  const auto folders = flags.Parse(arguments);
  if (!folders.ok()) return Fail(folders.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (folders->size() != 1) {
    return Fail(absl::InvalidArgumentError(absl::StrCat(
        "report needs the state folder of nights, found ", folders->size())));
  }
  if (output.empty()) {
    return Fail(absl::InvalidArgumentError(
        "report needs --output=DIR, where the pages go"));
  }
  return Write(folders->front(), output);
}

}  // namespace atsfuzz::cli
