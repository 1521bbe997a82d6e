#include "report/sarif.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "properties/violation.h"
#include "report/check/readers.h"
#include "report/check/sample.h"

namespace atsfuzz::report {
namespace {

SarifFinding Race() {
  SarifFinding finding;
  finding.record.invariant = "no-stale-atc";
  finding.record.signature = "no-stale-atc-123456";
  finding.record.function = "arm_smmu_attach_commit";
  finding.record.message = "The ATC of p0 still translates.";
  finding.record.expected = "no such entry";
  finding.record.found = "0x40000000";
  finding.record.operations = 3;
  finding.record.switches = 2;
  finding.record.scenario = "findings/no-stale-atc-123456/scenario.ats";
  finding.rows = SampleRun();
  finding.scenario = "smmu s0\n";
  return finding;
}

SarifRun RunOf(const std::vector<SarifFinding>& findings) {
  return {"linux:6.12", "6.12.117", findings, {}};
}

Json Only(const SarifRun& run) { return SarifOf({run})["runs"][0]; }

TEST(Sarif, HasARuleForEachInvariantWithWhatItStates) {
  const Json rules = Only(RunOf({}))["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), static_cast<size_t>(properties::kInvariants));
  for (const Json& rule : rules) {
    EXPECT_TRUE(properties::InvariantByName(rule["id"].get<std::string>()));
    EXPECT_NE(rule["shortDescription"]["text"], "") << rule;
  }
}

TEST(Sarif, PlacesAFindingAtTheFunctionThatIsToBlame) {
  const Json result = Only(RunOf({Race()}))["results"][0];
  EXPECT_EQ(result["ruleId"], "no-stale-atc");
  EXPECT_EQ(result["partialFingerprints"]["atsfuzzSignature/v1"],
            "no-stale-atc-123456");
  const Json& location = result["locations"][0];
  EXPECT_EQ(location["physicalLocation"]["artifactLocation"]["uri"],
            "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c");
  EXPECT_EQ(location["physicalLocation"]["region"]["startLine"], 2801);
  EXPECT_EQ(location["logicalLocations"][0]["name"], "arm_smmu_attach_commit");
  EXPECT_EQ(result["stacks"][0]["frames"].size(), 2u);
}

TEST(Sarif, PlacesAFindingOfTheModelByName) {
  SarifFinding finding = Race();
  finding.rows.clear();
  const Json location = Only(RunOf({finding}))["results"][0]["locations"][0];
  EXPECT_FALSE(location.contains("physicalLocation"));
  EXPECT_EQ(location["logicalLocations"][0]["name"], "arm_smmu_attach_commit");
}

TEST(Sarif, TellsWhatHappenedInOrderByLane) {
  const Json flows =
      Only(RunOf({Race()}))["results"][0]["codeFlows"][0]["threadFlows"];
  std::vector<std::string> lanes;
  std::vector<int> orders;
  for (const Json& flow : flows) {
    lanes.push_back(flow["id"]);
    for (const Json& step : flow["locations"]) {
      orders.push_back(step["executionOrder"]);
    }
  }
  EXPECT_THAT(lanes, testing::ElementsAre("cpu", "t0", "t1", "s0", "p0",
                                          "p0's default domain"));
  // All rows but the block's two brackets, each once.
  std::vector<int> expected(SampleRun().size() - 2);
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<int>(i) + 1;
  }
  EXPECT_THAT(orders, testing::UnorderedElementsAreArray(expected));
}

TEST(Sarif, SuppressesWhatIsUnderstood) {
  SarifFinding known = Race();
  known.record.known = true;
  known.record.reason = "the patch is on its way";
  known.baseline = Baseline::kUnchanged;
  const Json results = Only(RunOf({Race(), known}))["results"];
  EXPECT_EQ(results[0]["baselineState"], "new");
  EXPECT_EQ(results[0]["suppressions"].size(), 0u);
  EXPECT_EQ(results[1]["baselineState"], "unchanged");
  EXPECT_EQ(results[1]["suppressions"][0]["justification"],
            "the patch is on its way");
}

TEST(Sarif, AttachesTheScenarioOnce) {
  const Json run = Only(RunOf({Race(), Race()}));
  ASSERT_EQ(run["artifacts"].size(), 1u);
  EXPECT_EQ(run["artifacts"][0]["contents"]["text"], "smmu s0\n");
  EXPECT_EQ(run["results"][1]["attachments"][0]["artifactLocation"]["index"],
            0);
}

TEST(Sarif, WritesPathsAsUris) {
  EXPECT_EQ(UriOf("drivers/pci/ats.c"), "drivers/pci/ats.c");
  EXPECT_EQ(UriOf("a b:c#d%e\xc3\xa9"), "a%20b%3Ac%23d%25e%C3%A9");
  EXPECT_EQ(UriOf("/var/x.ats"), "file:///var/x.ats");
}

class SarifReaders : public ReadersTest {};

TEST_F(SarifReaders, TheStandardsSchemaAllowsThem) {
  SarifFinding hostile = Race();
  FindingRecord& record = hostile.record;
  record.message = record.expected = record.found = record.function =
      record.reason = record.scenario = hostile.scenario = record.signature =
          Hostile();
  record.known = true;
  record.assumes = 3;
  hostile.rows = HostileRun();
  SarifFinding bare;
  bare.record.invariant = "progress";
  SarifFinding phases = Race();
  phases.rows = {{.kind = RowKind::kPhase, .text = "(boot)"},
                 SampleRun().back()};
  SarifRun run = RunOf({Race(), hostile, bare, phases});
  run.notices = {{true, "a.ats", "expected no violation, found no-leak"},
                 {false, "", Hostile()}};
  for (const Json& sarif :
       {SarifOf({}), SarifOf({RunOf({})}), SarifOf({run, RunOf({Race()})}),
        SarifOf({{Hostile(), Hostile(), {hostile}, {}}})}) {
    const auto read = Read("sarif.mjs", Dump(sarif));
    EXPECT_EQ(read["errors"].size(), 0u) << read;
  }
}

}  // namespace
}  // namespace atsfuzz::report
