#include "model/text.h"

#include <cstdio>
#include <fstream>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/bytes.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kMachine[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats\n"
    "domain d0 smmu=s0 stage=1\n";

// Parses kMachine followed by `line` (line 4 of the text).
absl::StatusOr<Scenario> ParseAfterMachine(const std::string& line) {
  return Parse(kMachine + line + "\n", "a.ats");
}

void ExpectError(const absl::StatusOr<Scenario>& scenario,
                 const std::string& message) {
  ASSERT_FALSE(scenario.ok()) << Print(*scenario);
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(scenario.status().message()), HasSubstr(message));
}

RC_GTEST_PROP(Text, ParsingWhatWasPrintedGivesTheSameScenario, ()) {
  const Scenario scenario = *ArbitraryScenario();
  const auto parsed = Parse(Print(scenario), "printed");
  if (!parsed.ok()) RC_FAIL(std::string(parsed.status().message()));
  RC_ASSERT(*parsed == scenario);
}

// What engines that know bytes only make of scenarios.
RC_GTEST_PROP(Text, ParsingWhatAnyBytesPrintGivesTheSameScenario, ()) {
  std::vector<uint8_t> bytes = Encode(*ArbitraryMachineCode());
  const auto changes = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 1 << 20),
                    rc::gen::element(0, 1, 0x7f, 0x80, 0xfe, 0xff)));
  for (const auto& [at, value] : changes) {
    bytes[static_cast<size_t>(at) % bytes.size()] = static_cast<uint8_t>(value);
  }
  const Scenario scenario = Decode(bytes);
  const auto parsed = Parse(Print(scenario), "printed");
  if (!parsed.ok()) RC_FAIL(std::string(parsed.status().message()));
  RC_ASSERT(*parsed == scenario);
}

TEST(Text, EachTurnThatBytesCanSayIsReadBack) {
  const auto parsed = ParseAfterMachine(
      "par\n  thread\n    probe p0\n  thread\n    flush d0\nend");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  Scenario scenario = *parsed;
  for (int operation = 0; operation <= UINT8_MAX; ++operation) {
    for (const int step : {0, 1, 255, 256, Turn::kToTheEnd - 1}) {
      for (const int plain : {0, 1, UINT8_MAX}) {
        scenario.schedule = {{.actor = Actor::Thread(1),
                              .operation = static_cast<uint8_t>(operation),
                              .step = static_cast<uint16_t>(step),
                              .plain = static_cast<uint8_t>(plain)}};
        const auto again = Parse(Print(scenario), "printed");
        ASSERT_TRUE(again.ok()) << again.status();
        ASSERT_EQ(*again, scenario) << Print(scenario);
      }
    }
  }
}

TEST(Text, TheCanonicalFormIsWhatDocumentsShow) {
  const char kText[] =
      "# The seed: the driver counts on ATS that the function does not have.\n"
      "#\n"
      "# Twice.\n"
      "smmu   s0\n"
      "smmu   s1  granules=4K,64K stages=2 no-ats no-ril\n"
      "pf     p0  ats pasids=1024\n"
      "vf     v1  of=p0 smmu=s0 ats untrusted eager "
      "streams=0x10,0x1ffff default=identity\n"
      "platform f2  smmu=s1\n"
      "pf     p3  smmu=s0 ats requires-ats untrusted default=identity "
      "direct=3..6 group=v1\n"
      "domain d0  smmu=s0 stage=1\n"
      "domain d1  smmu=s1 stage=2\n"
      "domain d2  smmu=s0 stage=2\n"
      "domain d3  nested=d2 guest=stage1 ats\n"
      "domain d4  nested=d2 guest=abort\n"
      "\n"
      "probe v1\n"
      "attach v1 d0  !alloc#3 !alloc#64 !alloc:cd-table !alloc:attachment "
      "!prepare-ats !enable-ats !config-write#2 !cmd-sync !cmd-sync#3 "
      "!atc-timeout#2\n"
      "set-default v1 dma\n"
      "map d0 3\n"
      "map d0 4..1023\n"
      "unmap d0 3 queued\n"
      "dma v1 3 stream=1\n"
      "dma v1 3 stream=1 pasid=2\n"
      "set-pasid v1 2 d0  !alloc:merge\n"
      "replace-pasid v1 2 d0\n"
      "clear-pasid v1 2\n"
      "reset-begin v1\n"
      "reset-end v1\n"
      "vdevice-free v1\n"
      "guest-flush v1\n"
      "flush d0\n"
      "\n"
      "expect violation belief-matches-device on linux:6.12\n"
      "expect none\n";
  const auto scenario = Parse(kText, "seed.ats");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(Print(*scenario), kText);
}

TEST(Text, ArgumentsMeanWhatTheySay) {
  const auto scenario = ParseAfterMachine(
      "unmap d0 3..6 queued !alloc#3\n"
      "dma p0 1023 stream=2\n"
      "set-default p0 identity");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->operations.size(), 3u);
  const Operation& unmap = scenario->operations[0];
  EXPECT_EQ(unmap.kind, OperationKind::kUnmap);
  EXPECT_EQ(unmap.domain, DomainId(0));
  EXPECT_EQ(unmap.page, 3);
  EXPECT_EQ(unmap.pages, 4);
  EXPECT_TRUE(unmap.queued);
  EXPECT_EQ(unmap.faults.alloc_numbers, 4u);
  const Operation& dma = scenario->operations[1];
  EXPECT_EQ(dma.page, 1023);
  EXPECT_EQ(dma.stream, 2);
  EXPECT_FALSE(dma.domain.valid());
  EXPECT_EQ(scenario->operations[2].default_domain, DefaultDomain::kIdentity);
}

TEST(Text, PasidsStandWhereTheCallHasThem) {
  const auto scenario = ParseAfterMachine(
      "set-pasid p0 0x10 d0\n"
      "clear-pasid p0 16\n"
      "dma p0 7 pasid=16");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->operations.size(), 3u);
  EXPECT_EQ(scenario->operations[0].kind, OperationKind::kSetPasid);
  EXPECT_EQ(scenario->operations[0].domain, DomainId(0));
  for (const Operation& operation : scenario->operations) {
    EXPECT_EQ(operation.pasid, 16u);
    EXPECT_EQ(operation.function, FunctionId(0));
  }
  EXPECT_EQ(scenario->operations[2].page, 7);
}

TEST(Text, AFifthPasidIsRefusedWhereItStands) {
  ExpectError(ParseAfterMachine("set-pasid p0 1 d0\nset-pasid p0 2 d0\n"
                                "dma p0 1 pasid=3\nclear-pasid p0 4\n"
                                "clear-pasid p0 1\nclear-pasid p0 5"),
              "a.ats:9:1: found 'clear-pasid', expected at most 4 different");
}

TEST(Text, ANestedDomainHasTheSmmuAndTheStageOfItsParent) {
  const auto scenario = ParseAfterMachine(
      "domain d1 smmu=s0 stage=2\n"
      "domain d2 nested=d1 guest=bypass");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const Domain& nested = scenario->topology.domains.at(2);
  EXPECT_EQ(nested.smmu, SmmuId(0));
  EXPECT_EQ(nested.stage, 2);
  EXPECT_EQ(nested.parent, DomainId(1));
  EXPECT_EQ(nested.guest, GuestEntry::kBypass);
}

TEST(Text, NamesAreFreeAndBecomeCanonical) {
  const auto scenario = Parse(
      "smmu  left\nsmmu right\npf nic  # behind nothing\n"
      "vf nic-queue of=nic smmu=right\ndomain guest smmu=right stage=2\n"
      "probe nic-queue\nattach nic-queue guest\n",
      "a");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(Print(*scenario),
            "smmu   s0\nsmmu   s1\npf     p0\nvf     v1  of=p0 smmu=s1\n"
            "domain d0  smmu=s1 stage=2\n\nprobe v1\nattach v1 d0\n");
}

TEST(Text, FunctionsGetDistinctStreamsWhereTheTextNamesNone) {
  const auto scenario =
      Parse("smmu s0\npf a smmu=s0\npf b smmu=s0\npf c\n", "a");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_THAT(scenario->topology.functions[0].streams, ElementsAre(0x100));
  EXPECT_THAT(scenario->topology.functions[1].streams, ElementsAre(0x200));
  EXPECT_THAT(scenario->topology.functions[2].streams, ElementsAre());
}

TEST(Text, OnlyTheLeadingCommentIsTheStory) {
  const auto scenario = Parse(
      "\n# one\n#\n#two\n\n# not this\nsmmu s0 # nor this\r\npf p0\n# end\n",
      "a");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_THAT(scenario->story, ElementsAre("one", "", "two"));
}

TEST(Text, AnErrorPointsAtTheWordAndSaysWhatToDo) {
  const auto scenario = ParseAfterMachine("attach p0 d7");
  ASSERT_FALSE(scenario.ok());
  EXPECT_EQ(scenario.status().message(),
            "a.ats:4:11: found 'd7', expected the name of a domain; declare it "
            "among the lines of the machine");
}

TEST(Text, AMissingWordIsReportedBehindTheLine) {
  ExpectError(ParseAfterMachine("attach p0"),
              "a.ats:4:10: found nothing, expected the name of a domain");
}

struct BadLine {
  const char* line;
  const char* error;
};

TEST(Text, BadLinesAreRefusedWhereTheyAreWrong) {
  const BadLine kLines[] = {
      {"fly p0", "4:1: found 'fly', expected smmu, pf"},
      {"probe d0", "4:7: found 'd0', expected the name of a function"},
      {"map d0 1024", "4:8: found '1024', expected a page number from 0 to 10"},
      {"map d0 6..3", "4:11: found '3', expected a page number from 6 to 1023"},
      {"map d0 -1", "4:8: found '-1'"},
      {"map d0 3..", "4:11: found nothing"},
      {"dma p0 3..4", "4:8: found '3..4'"},
      {"dma p0 3 stream=4", "4:17: found '4', expected 0 to 3"},
      {"dma p0 3 queued", "4:10: found 'queued', expected stream=, pasi"},
      {"map d0 3 queued", "4:10: found 'queued', expected a fault or the end"},
      {"unmap d0 3 queued queued", "4:19: found 'queued'"},
      {"set-pasid p0 d0 3", "4:14: found 'd0', expected a PASID from 1 to 10"},
      {"set-pasid p0 0 d0", "4:14: found '0', expected a PASID from 1"},
      {"clear-pasid p0 1048576", "4:16: found '1048576', expected a PASID"},
      {"dma p0 3 pasid=x", "4:16: found 'x', expected a PASID from 0"},
      {"map d0 3 pasid=1", "4:10: found 'pasid=1', expected a fault or"},
      {"set-default p0 bypass", "4:16: found 'bypass', expected identity or"},
      {"probe p0 !alloc", "4:10: found '!alloc', expected !alloc#N"},
      {"probe p0 !alloc#65", "4:17: found '65', expected the number of an al"},
      {"probe p0 !alloc#0", "4:17: found '0'"},
      {"probe p0 !config-write#9", "4:24: found '9', expected the number of a"},
      {"probe p0 !cmd-sync#9", "4:20: found '9', expected the number of a"},
      {"probe p0 !atc-timeouts", "4:22: found 's', expected # and a number"},
      {"probe p0 !alloc:stack", "4:17: found 'stack', expected an allocation"},
      {"expect", "4:7: found nothing, expected none or violation"},
      {"expect violation", "4:17: found nothing, expected the name of an inv"},
      {"expect none on", "4:15: found nothing, expected a driver"},
      {"expect none off x", "4:13: found 'off', expected on"},
      {"expect none on a b", "4:18: found 'b', expected the end of the line"},
      {"smmu p0", "4:6: found 'p0', expected a new name"},
      {"smmu 1", "4:6: found '1', expected a name"},
      {"smmu s1 granules=4K,8K", "4:21: found '8K', expected 4K, 16K or 64K"},
      {"smmu s1 stages=", "4:16: found nothing, expected 1 or 2"},
      {"smmu s1 ats", "4:9: found 'ats', expected granules="},
      {"smmu s1 no-ats no-ats", "4:16: found 'no-ats', expected each attribu"},
      {"pf p1 of=p0", "4:7: found 'of=p0', expected smmu="},
      {"pf p1 smmu=s3", "4:12: found 's3', expected the name of an SMMU"},
      {"pf p1 smmu=s0 streams=1,0x20000", "4:25: found '0x20000', expected a"},
      {"pf p1 streams=1", "4:4: found 'p1', expected a machine that can exist"},
      {"pf p1 pasids=3", "4:14: found '3', expected a number of PASIDs, a po"},
      {"pf p1 pasids=1", "4:14: found '1', expected a number of PASIDs, a po"},
      {"vf v1 smmu=s0", "4:14: found nothing, expected of="},
      {"pf p1 smmu=s0 direct=6..3",
       "4:25: found '3', expected a page number f"},
      {"pf p1 direct=3", "4:4: found 'p1', expected a machine that can exist"},
      {"thread", "4:1: found 'thread', expected an operation; no `par`"},
      {"schedule t0", "4:1: found 'schedule', expected an operation; a sch"},
      {"par\nthread\nprobe p0\nthread\nmap d0 0\nend\nschedule t0@2~ s0~",
       "10:16: found 's0', expected a thread; only a CPU has weak turns"},
      {"par\nthread\nprobe p0\nthread\nmap d0 0\nend\nschedule t0@2 rcu@1~",
       "10:15: found 'rcu@1', expected a thread; only a CPU has weak turns"},
      {"par\nthread\nprobe p0\nthread\nmap d0 0\nend\nschedule t0@2 rcu@2.1",
       "10:19: found '2.1', expected the number of a step"},
      {"par\nthread\nprobe p0\nthread\nmap d0 0\nend\nschedule rc@1",
       "10:10: found 'rc', expected a thread, an SMMU or rcu"},
      {"par\nthread\nprobe p0\nthread\nmap d0 0\nend\nschedule t0@2+0",
       "10:15: found '0', expected a number of plain accesses"},
      {"par\nmap d0 0", "5:1: found 'map', expected thread"},
      {"par\nthread\nend", "6:1: found 'end', expected an operation; this"},
      {"par\nthread\nprobe p0\nend", "7:1: found 'end', expected thread; one"},
      {"par\nthread\nprobe p0", "7:1: found nothing, expected end; it closes"},
      {"pf p1 group=p9", "4:13: found 'p9', expected the name of a function"},
      {"pf p1 group=p0", "4:4: found 'p1', expected a machine that can exist"},
      {"domain d1 nested=d0", "4:20: found nothing, expected guest="},
      {"domain d1 nested=d0 guest=s1", "4:27: found 's1', expected stage1, by"},
      {"domain d1 nested=d0 guest=abort", "4:8: found 'd1', expected a machi"},
      {"domain d1 smmu=s0 stage=1 ats", "4:30: found nothing, expected nest"},
      {"platform f1 ats", "4:10: found 'f1', expected a machine that can exi"},
      {"domain d1 stage=1", "4:18: found nothing, expected smmu="},
      {"domain d1 smmu=s0", "4:18: found nothing, expected stage="},
      {"domain d1 smmu=s0 stage=3", "4:25: found '3', expected 1 or 2"},
  };
  for (const BadLine& bad : kLines) {
    SCOPED_TRACE(bad.line);
    ExpectError(ParseAfterMachine(bad.line), std::string("a.ats:") + bad.error);
  }
}

TEST(Text, TheMachineIsFixedBeforeTheFirstOperation) {
  ExpectError(ParseAfterMachine("probe p0\nsmmu s1"),
              "a.ats:5:1: found 'smmu', expected an operation or `expect`");
}

TEST(Text, AVfOfAVfIsRefusedOnItsLine) {
  ExpectError(ParseAfterMachine("vf v1 of=p0\nvf v2 of=v1"),
              "a.ats:5:4: found 'v2', expected a machine that can exist; a VF "
              "belongs to a PF that is declared before it");
}

TEST(Text, TooManyOfAKindAreRefused) {
  ExpectError(Parse("smmu a\nsmmu b\nsmmu c\n", "a.ats"),
              "a.ats:3:6: found 'c', expected at most 2 SMMUs");
}

TEST(Text, AnEmptyTextIsNoMachine) {
  ExpectError(Parse("", "a.ats"),
              "a.ats:1:1: found nothing, expected a whole machine");
}

TEST(Text, WordsThatNobodyCanReadAreEscaped) {
  ExpectError(ParseAfterMachine("probe \x01\xff"), "found '\\x01\\xff'");
  ExpectError(ParseAfterMachine("probe " + std::string(1000, 'x')),
              "found '" + std::string(60, 'x') + "...'");
}

TEST(Text, AFileThatIsNotThereIsNotFound) {
  const auto scenario = ReadScenario("/nowhere/a.ats");
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(scenario.status().message()),
              HasSubstr("/nowhere/a.ats"));
}

TEST(Text, AFileIsReadAndNamedInErrors) {
  const std::string path = testing::TempDir() + "/atsfuzz_text_test.ats";
  std::ofstream(path) << kMachine << "probe p0\n";
  const auto good = ReadScenario(path);
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->operations.size(), 1u);
  std::ofstream(path) << "smmu\n";
  ExpectError(ReadScenario(path), path + ":1:5: found nothing");
  remove(path.c_str());
  EXPECT_THAT(std::string(ReadScenario(testing::TempDir()).status().message()),
              HasSubstr("cannot read " + testing::TempDir()));
}

TEST(Expectation, IsAboutTheDriversWhoseVersionBeginsAsItSays) {
  const auto is_about = [](const std::string& expected, const char* name) {
    return IsAbout({.invariant = "", .driver = expected}, name);
  };
  EXPECT_TRUE(is_about("", "linux:6.12"));
  EXPECT_TRUE(is_about("linux:7", "linux:7.2"));
  EXPECT_TRUE(is_about("model:7.2", "model:7.2,vf-stu-check=on"));
  EXPECT_TRUE(is_about("linux:6.1", "linux:6.1"));
  EXPECT_FALSE(is_about("linux:6.1", "linux:6.12"));
  EXPECT_FALSE(is_about("linux:6.12", "linux:6.1"));
  EXPECT_FALSE(is_about("model:6.1", "linux:6.1"));
}

TEST(Expectation, OfSwitchesGoesBeforeThatOfTheKernel) {
  const Expectation everywhere = {.invariant = "", .driver = "model:7.3"};
  const Expectation exact = {.invariant = "no-leak",
                             .driver = "model:7.3,prepare-ats=off"};
  Scenario scenario;
  scenario.expectations = {everywhere, exact};
  const auto of = [&](const char* name) {
    return ExpectationsOf(scenario, name);
  };
  EXPECT_THAT(of("model:7.3"), testing::ElementsAre(everywhere));
  EXPECT_THAT(of("model:7.3,prepare-ats=off"), testing::ElementsAre(exact));
  EXPECT_THAT(of("model:7.3,requires-ats=off"),
              testing::ElementsAre(everywhere));
  EXPECT_THAT(of("linux:7.3"), testing::IsEmpty());
}

}  // namespace
}  // namespace atsfuzz::model
