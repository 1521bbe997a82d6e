#include "report/ktap.h"

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
          {{.name = "a.ats", .checks = {{"expect none", true, ""}}},
           {.name = "b.ats", .skipped = "no threads here"},
           {.name = "c.ats",
            .checks = {{"expect violation no-leak", false,
                        "expected a violation of no-leak, found none"},
                       {"expect violation progress", true, ""}},
            .violations = {"progress-123456: It waits."},
            .trace = "probe p0   0\n  commands SYNC\n"}}};
}

TestRun HostileTests() {
  TestRun run = Three();
  run.driver = run.version = Hostile();
  for (TestCase& test : run.cases) {
    test.name = Hostile();
    if (!test.skipped.empty()) test.skipped = Hostile();
    for (TestCheck& check : test.checks) {
      check.name = Hostile();
      if (!check.met) check.message = Hostile();
    }
    for (std::string& violation : test.violations) violation = Hostile();
    test.trace = "Subtest: x\n1..9\nKTAP version 1\nok 7 x\n" + Hostile();
  }
  return run;
}

TEST(Ktap, TellsEachScenarioWithItsExpectations) {
  EXPECT_EQ(KtapOf(Three()),
            "KTAP version 1\n"
            "1..3\n"
            "#   driver linux:6.12 (6.12.117)\n"
            "  KTAP version 1\n"
            "  # Subtest: a.ats\n"
            "  1..1\n"
            "  ok 1 expect none\n"
            "ok 1 a.ats\n"
            "ok 2 b.ats # SKIP no threads here\n"
            "  KTAP version 1\n"
            "  # Subtest: c.ats\n"
            "  1..2\n"
            "  #   expected a violation of no-leak, found none\n"
            "  not ok 1 expect violation no-leak\n"
            "  ok 2 expect violation progress\n"
            "#   progress-123456: It waits.\n"
            "#   probe p0   0\n"
            "#     commands SYNC\n"
            "not ok 3 c.ats\n");
}

class KtapReaders : public ReadersTest {};

// Each case's results as TAP's parser understands them.
TEST_F(KtapReaders, AParserOfTapTakesThem) {
  for (const TestRun& run : {Three(), HostileTests()}) {
    const auto read = Read("tap.mjs", KtapOf(run));
    EXPECT_EQ(read["errors"].size(), 0u) << read;
    EXPECT_EQ(read["planned"], 3);
    ASSERT_EQ(read["results"].size(), 3u) << read;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(read["results"][i]["number"], i + 1);
    EXPECT_EQ(read["results"][0]["ok"], true);
    EXPECT_EQ(read["results"][0]["skipped"], "");
    EXPECT_NE(read["results"][1]["skipped"], "");
    EXPECT_EQ(read["results"][2]["ok"], false);
  }
  const auto read = Read("tap.mjs", KtapOf(Three()));
  EXPECT_EQ(read["results"][1]["name"], "b.ats");
  EXPECT_EQ(read["results"][1]["skipped"], "no threads here");
}

}  // namespace
}  // namespace atsfuzz::report
