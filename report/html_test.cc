#include "report/html.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::report {
namespace {

using testing::HasSubstr;
using testing::Not;

FindingView Race() {
  FindingView finding;
  finding.driver = "linux:6.12";
  finding.signature = "no-stale-atc-b95593";
  finding.invariant = "no-stale-atc";
  finding.assumes = "honest";
  finding.message = "The ATC of p0 still translates <0x40000000>.";
  finding.expected = "no such entry";
  finding.found = "0x40000000 -> 0x100000000";
  finding.scenario = "smmu s0\n";
  finding.operations = 3;
  finding.switches = 2;
  finding.state = "new";
  finding.first_night = finding.last_seen = 4;
  finding.replay = "./atsfuzz replay x.ats";
  finding.page = "findings/linux-6.12/no-stale-atc-b95593.html";
  finding.rows = {
      {.kind = RowKind::kOperation,
       .lane = "cpu",
       .text = "probe p0",
       .result = "0"},
      {.kind = RowKind::kParBegin, .text = "par"},
      {.kind = RowKind::kOperation,
       .lane = "t0",
       .text = "attach p0 d0",
       .result = "0"},
      {.kind = RowKind::kOperation,
       .lane = "t1",
       .text = "unmap d0 0",
       .result = "0"},
      {.kind = RowKind::kStop,
       .lane = "t0",
       .text = "stops",
       .where = {{"arm_smmu_attach_commit", "arm-smmu-v3.c", 2801,
                  "arm_smmu_enable_ats(master);"}}},
      {.kind = RowKind::kEvent, .lane = "t1", .text = "commands TLBI, SYNC"},
      {.kind = RowKind::kParEnd, .text = "end"},
      {.kind = RowKind::kChange,
       .lane = "d0",
       .text = "d0 nr_ats_masters",
       .before = "0",
       .after = "1"},
      {.kind = RowKind::kViolation,
       .text = finding.message,
       .before = finding.expected,
       .after = finding.found,
       .invariant = "no-stale-atc",
       .where = {{"arm_smmu_atc_inv_domain", "arm-smmu-v3.c", 2300, ""}}}};
  return finding;
}

TEST(Story, SaysWhatWasDoneWhatBrokeAndWhoStoodWhere) {
  EXPECT_EQ(
      StoryOf(Race()),
      "On linux:6.12, after `probe p0`, `attach p0 d0` on t0 and `unmap d0 0` "
      "on t1, without any fault, no-stale-atc does not hold. The ATC of p0 "
      "still translates <0x40000000>. Expected was no such entry; found was "
      "0x40000000 -> 0x100000000. t0 stops in arm_smmu_attach_commit  "
      "arm-smmu-v3.c:2801, and t1 goes on. It comes from "
      "arm_smmu_atc_inv_domain  arm-smmu-v3.c:2300.");
}

TEST(FindingPage, EscapesWhatItTells) {
  const std::string page = FindingPage(Race(), "../../index.html");
  EXPECT_THAT(page, HasSubstr("still translates &lt;0x40000000&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<0x40000000>")));
}

TEST(FindingPage, HasAColumnForEachWhoActsOrChanges) {
  const std::string page = FindingPage(Race(), "../../index.html");
  for (const char* column : {">CPU<", ">CPU t0<", ">CPU t1<", ">d0<"}) {
    EXPECT_THAT(page, HasSubstr(column));
  }
  EXPECT_THAT(page, HasSubstr("<code>arm_smmu_enable_ats(master);</code>"));
  EXPECT_THAT(page, HasSubstr("<tr class=\"switch\">")) << "after a stop";
  EXPECT_THAT(page, HasSubstr("<tr class=\"bad\">"));
  EXPECT_THAT(page, HasSubstr("aria-label=\"Who ran when"));
}

TEST(FindingPage, TellsWhichOtherDriversHaveIt) {
  FindingView finding = Race();
  finding.elsewhere = {
      {.driver = "linux:6.1"},
      {.driver = "linux:7.2", .signature = finding.signature},
      {.driver = "linux:7.3", .signature = "no-stale-atc-111111"},
      {.driver = "model:7.3", .runs = false}};
  const std::string page = FindingPage(finding, "../../index.html");
  EXPECT_THAT(page, HasSubstr("linux:6.1</td><td>does not show it"));
  EXPECT_THAT(page, HasSubstr("linux:7.2</td><td>shows it, at the same line"));
  EXPECT_THAT(page, HasSubstr("<code>no-stale-atc-111111</code>"));
  EXPECT_THAT(page, HasSubstr("model:7.3</td><td>is not one that it can run"));
}

TEST(Pages, NeedNoNetworkAndNoScript) {
  IndexView view;
  view.nights = {{.number = 1,
                  .began = "2026-01-01 00:00:00",
                  .end = "done",
                  .operations = 1000,
                  .coverage = {{"linux:6.12", 40}}},
                 {.number = 2,
                  .began = "2026-01-02 00:00:00",
                  .end = "done",
                  .operations = 3000,
                  .coverage = {{"linux:6.12", 45}}}};
  view.findings = {Race()};
  for (const std::string& page :
       {IndexPage(view), FindingPage(Race(), "../../index.html")}) {
    for (const char* never :
         {"<script", "http://", "https://", "url(", "@import", "onclick"}) {
      EXPECT_THAT(page, Not(HasSubstr(never)));
    }
  }
}

TEST(IndexPage, LinksFindingsAndDrawsTrends) {
  IndexView view;
  view.nights = {{.number = 7,
                  .began = "2026-01-01 00:00:00",
                  .end = "cut off",
                  .operations = 2500000,
                  .coverage = {{"linux:6.12", 40}}}};
  view.findings = {Race()};
  const std::string page = IndexPage(view);
  EXPECT_THAT(page, HasSubstr("Night 7, 2026-01-01 00:00:00 UTC, cut off: 0 "
                              "runs, 2.5 M operations."));
  EXPECT_THAT(page, HasSubstr("<a href=\"findings/linux-6.12/"
                              "no-stale-atc-b95593.html\">"));
  EXPECT_THAT(page, HasSubstr("<polyline"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">no-stale-atc</th><td>1</td>"));
}

TEST(IndexPage, SaysThatThereIsNothing) {
  EXPECT_THAT(IndexPage({}), HasSubstr("There are no findings."));
}

}  // namespace
}  // namespace atsfuzz::report
