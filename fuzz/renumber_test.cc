#include "fuzz/renumber.h"

#include "fuzz/generate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::DomainId;
using model::FunctionId;
using model::Scenario;
using model::SmmuId;

Scenario Read(const std::string& text) {
  absl::StatusOr<Scenario> scenario = model::Parse(text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

std::string Canonical(const std::string& text) {
  return model::Print(Read(text));
}

constexpr char kScenario[] =
    "smmu s0 granules=64K\n"
    "smmu s1\n"
    "pf p0 smmu=s0\n"
    "pf p1 smmu=s1 streams=0x200,0x100\n"
    "vf v2 of=p1 smmu=s1\n"
    "domain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s1 stage=2\n"
    "\n"
    "probe p0\n"
    "probe p1\n"
    "probe v2\n"
    "attach p0 d0\n"
    "attach v2 d1\n";

TEST(Renumber, DroppingAFunctionMovesThoseBehindItAndTheirDefaultStreams) {
  // p1 listed p0's id too: that id is nobody's default any more.
  EXPECT_EQ(model::Print(Without(Read(kScenario), FunctionId(0))),
            Canonical("smmu s0 granules=64K\n"
                      "smmu s1\n"
                      "pf p0 smmu=s1 streams=0x100,0x300\n"
                      "vf v1 of=p0 smmu=s1\n"
                      "domain d0 smmu=s0 stage=1\n"
                      "domain d1 smmu=s1 stage=2\n"
                      "\n"
                      "probe p0\n"
                      "probe v1\n"
                      "attach v1 d1\n"));
}

TEST(Renumber, DroppingAPfMakesItsVfsPfs) {
  const Scenario scenario = Without(Read(kScenario), FunctionId(1));
  EXPECT_EQ(model::Print(scenario), Canonical("smmu s0 granules=64K\n"
                                              "smmu s1\n"
                                              "pf p0 smmu=s0\n"
                                              "pf p1 smmu=s1\n"
                                              "domain d0 smmu=s0 stage=1\n"
                                              "domain d1 smmu=s1 stage=2\n"
                                              "\n"
                                              "probe p0\n"
                                              "probe p1\n"
                                              "attach p0 d0\n"
                                              "attach p1 d1\n"));
}

TEST(Renumber, DroppingAnSmmuLeavesItsFunctionsBehindNone) {
  EXPECT_EQ(model::Print(Without(Read(kScenario), SmmuId(0))),
            Canonical("smmu s0\n"
                      "pf p0\n"
                      "pf p1 smmu=s0 streams=0x200,0x100\n"
                      "vf v2 of=p1 smmu=s0\n"
                      "domain d0 smmu=s0 stage=1\n"
                      "domain d1 smmu=s0 stage=2\n"
                      "\n"
                      "probe p0\n"
                      "probe p1\n"
                      "probe v2\n"
                      "attach p0 d0\n"
                      "attach v2 d1\n"));
}

TEST(Renumber, MergingDomainsLetsOperationsOfOneNameTheOther) {
  const Scenario scenario = Merged(Read(kScenario), DomainId(1), DomainId(0));
  EXPECT_EQ(scenario.topology.domains.size(), 1u);
  ASSERT_EQ(scenario.operations.size(), 5u);
  EXPECT_EQ(scenario.operations[4].domain, DomainId(0));
}

TEST(Renumber, MergingPfsGivesTheVfsToTheOther) {
  const Scenario scenario =
      Merged(Read(kScenario), FunctionId(1), FunctionId(0));
  EXPECT_TRUE(model::Validate(scenario.topology).ok());
  ASSERT_EQ(scenario.topology.functions.size(), 2u);
  EXPECT_EQ(scenario.topology.functions[1].kind, model::FunctionKind::kVf);
  EXPECT_EQ(scenario.topology.functions[1].pf, FunctionId(0));
  EXPECT_EQ(scenario.operations[1].function, FunctionId(0));
}

constexpr char kGroup[] =
    "smmu s0\n"
    "pf p0 smmu=s0\n"
    "pf p1 smmu=s0 group=p0\n"
    "pf p2 smmu=s0 group=p0\n"
    "domain d0 smmu=s0 stage=2\n"
    "domain d1 nested=d0 guest=bypass\n";

TEST(Renumber, AGroupOutlivesItsFirstFunction) {
  const Scenario group = *model::Parse(kGroup, "test");
  EXPECT_EQ(model::Print(Without(group, FunctionId(0))),
            "smmu   s0\n"
            "pf     p0  smmu=s0\n"
            "pf     p1  smmu=s0 group=p0\n"
            "domain d0  smmu=s0 stage=2\n"
            "domain d1  nested=d0 guest=bypass\n");
}

TEST(Renumber, AGroupIsLedByItsFirstFunctionWhateverTheOrder) {
  const Scenario group = *model::Parse(kGroup, "test");
  EXPECT_EQ(Swapped(group, FunctionId(0), FunctionId(2)).topology,
            group.topology);
}

TEST(Renumber, WhatWasNestedInADroppedDomainIsPlain) {
  const Scenario group = *model::Parse(kGroup, "test");
  const Scenario plain = Without(group, model::DomainId(0));
  ASSERT_EQ(plain.topology.domains.size(), 1u);
  EXPECT_EQ(plain.topology.domains[0], (model::Domain{model::SmmuId(0), 2}));
}

RC_GTEST_PROP(Renumber, SwappingChangesAndSwappingBackRestores, ()) {
  const Scenario scenario = *Scenarios(GenerateOptions());
  const size_t functions = scenario.topology.functions.size();
  RC_PRE(functions >= 2u);
  const FunctionId a(*rc::gen::inRange<uint8_t>(0, functions));
  const FunctionId b(*rc::gen::inRange<uint8_t>(0, functions));
  RC_PRE(a != b);
  const Scenario swapped = Swapped(scenario, a, b);
  RC_ASSERT(swapped.topology.functions[a.value].smmu ==
            scenario.topology.functions[b.value].smmu);
  RC_ASSERT(Swapped(swapped, a, b) == scenario);
}

}  // namespace
}  // namespace atsfuzz::fuzz
