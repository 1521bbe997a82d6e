#include "report/ktap.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "report/printable.h"

namespace atsfuzz::report {
namespace {

constexpr char kVersion[] = "KTAP version 1\n";

std::string NameOf(const std::string& text) {
  std::string name = absl::StrReplaceAll(
      OneLine(text), {{"%", "%25"}, {"#", "%23"}, {"\\", "%5C"}});
  if (absl::StartsWith(name, "-")) name.replace(0, 1, "%2D");
  if (absl::EndsWith(name, "{")) name.replace(name.size() - 1, 1, "%7B");
  return name;
}

// Farther in than one space: `# Subtest: ...` means something.
std::string Diagnostics(const std::string& text) {
  std::string lines;
  const std::string printable = Lines(text);
  for (absl::string_view line :
       absl::StrSplit(absl::StripSuffix(printable, "\n"), '\n')) {
    absl::StrAppend(&lines, "#   ", OneLine(line), "\n");
  }
  return lines;
}

std::string ChecksText(const TestCase& test) {
  std::string text =
      absl::StrCat("  ", kVersion, "  # Subtest: ", NameOf(test.name),
                   "\n  1..", test.checks.size(), "\n");
  for (size_t i = 0; i < test.checks.size(); ++i) {
    const TestCheck& check = test.checks[i];
    if (!check.met) {
      absl::StrAppend(&text, "  ", Diagnostics(OneLine(check.message)));
    }
    absl::StrAppend(&text, check.met ? "  ok " : "  not ok ", i + 1, " ",
                    NameOf(check.name), "\n");
  }
  return text;
}

std::string CaseText(const TestCase& test, size_t number) {
  if (!test.skipped.empty()) {
    return absl::StrCat("ok ", number, " ", NameOf(test.name), " # SKIP ",
                        OneLine(test.skipped), "\n");
  }
  std::string text = ChecksText(test);
  for (const std::string& violation : test.violations) {
    text += Diagnostics(OneLine(violation));
  }
  if (test.failed() && !test.trace.empty()) text += Diagnostics(test.trace);
  return absl::StrCat(text, test.failed() ? "not ok " : "ok ", number, " ",
                      NameOf(test.name), "\n");
}

}  // namespace

std::string KtapOf(const TestRun& run) {
  std::string text =
      absl::StrCat(kVersion, "1..", run.cases.size(), "\n",
                   Diagnostics(OneLine(absl::StrCat("driver ", run.driver, " (",
                                                    run.version, ")"))));
  for (size_t i = 0; i < run.cases.size(); ++i) {
    text += CaseText(run.cases[i], i + 1);
  }
  return text;
}

}  // namespace atsfuzz::report
