#include "report/junit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "report/html.h"
#include "report/printable.h"

namespace atsfuzz::report {
namespace {

// ` name="value"`.
std::string Attribute(absl::string_view name, absl::string_view value) {
  return absl::StrCat(" ", name, "=\"", Escape(OneLine(value)), "\"");
}

std::string Text(absl::string_view text) { return Escape(Lines(text)); }

// Of a run: tests, failures, errors, skipped.
std::string Counts(const TestRun& run) {
  const auto failed =
      std::count_if(run.cases.begin(), run.cases.end(),
                    [](const TestCase& test) { return test.failed(); });
  const auto skipped =
      std::count_if(run.cases.begin(), run.cases.end(),
                    [](const TestCase& test) { return !test.skipped.empty(); });
  return absl::StrCat(Attribute("tests", absl::StrCat(run.cases.size())),
                      Attribute("failures", absl::StrCat(failed)),
                      Attribute("errors", "0"),
                      Attribute("skipped", absl::StrCat(skipped)));
}

std::string CaseXml(const TestRun& run, const TestCase& test) {
  std::string xml = absl::StrCat("    <testcase", Attribute("name", test.name),
                                 Attribute("classname", run.driver), ">\n");
  if (!test.skipped.empty()) {
    absl::StrAppend(&xml, "      <skipped>", Text(test.skipped),
                    "</skipped>\n");
  }
  const std::string violations = absl::StrJoin(test.violations, "\n");
  for (const TestCheck& check : test.checks) {
    if (check.met) continue;
    absl::StrAppend(
        &xml, "      <failure", Attribute("message", check.message),
        Attribute("type", check.name), ">",
        Text(absl::StrCat(violations, violations.empty() ? "" : "\n\n",
                          test.trace)),
        "</failure>\n");
  }
  if (!test.failed() && !violations.empty()) {
    absl::StrAppend(&xml, "      <system-out>", Text(violations),
                    "</system-out>\n");
  }
  return xml + "    </testcase>\n";
}

}  // namespace

std::string JunitOf(const TestRun& run) {
  std::string xml =
      absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites",
                   Attribute("name", "atsfuzz replay"),
                   Attribute("tests", absl::StrCat(run.cases.size())),
                   ">\n  <testsuite", Attribute("name", run.driver),
                   Counts(run), ">\n    <properties>\n", "      <property",
                   Attribute("name", "driver"), Attribute("value", run.driver),
                   "/>\n      <property", Attribute("name", "version"),
                   Attribute("value", run.version), "/>\n    </properties>\n");
  for (const TestCase& test : run.cases) xml += CaseXml(run, test);
  return xml + "  </testsuite>\n</testsuites>\n";
}

}  // namespace atsfuzz::report
