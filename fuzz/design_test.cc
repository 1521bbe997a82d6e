#include "fuzz/design.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using machine::Design;
using machine::ParseDesign;
using properties::Invariant;
using testing::ElementsAre;
using testing::IsEmpty;

DesignOptions Small(const std::string& base = "7.2") {
  DesignOptions options;
  options.base = *ParseDesign(base);
  options.depth = 4;
  options.runs = 200;
  return options;
}

Verdict Judge(const std::string& design, uint8_t faults) {
  return JudgeDesign(*ParseDesign(design), faults, Small());
}

TEST(Design, TheSeedAloneDoesNotSuffice) {
  const Verdict honest = Judge("seed,enable-failure-warns=off", 0);
  EXPECT_FALSE(honest.sufficient);
  EXPECT_EQ(honest.violation.invariant, Invariant::kBeliefMatchesDevice);
  EXPECT_EQ(honest.counterexample.operations.size(), 1u);
  EXPECT_FALSE(Judge("seed", model::kFaultPrepareAts).sufficient);
}

TEST(Design, TheProbePathOfTheSeedLeaks) {
  const Verdict verdict = Judge("seed", model::kFaultPrepareAts);
  EXPECT_EQ(verdict.violation.invariant, Invariant::kNoLeak);
  EXPECT_EQ(verdict.counterexample.operations.size(), 1u);
}

TEST(Design, WhatWasMergedFor73SufficesUntilAnEnableFails) {
  const std::string merged = "7.3,enable-failure-warns=off";
  EXPECT_TRUE(Judge(merged, 0).sufficient);
  EXPECT_TRUE(Judge(merged, model::kFaultPrepareAts).sufficient);
  EXPECT_FALSE(Judge(merged, model::kFaultEnableAts).sufficient);
}

TEST(Design, BeliefAloneCannotFollowTheDevice) {
  const Verdict verdict =
      Judge("7.3,enable-failure-warns=off,enable-failure=follows-device",
            model::kFaultEnableAts);
  EXPECT_FALSE(verdict.sufficient);
  EXPECT_EQ(verdict.violation.invariant, Invariant::kCountMatchesDevices);
}

TEST(Design, AnAttachmentThatIsWithdrawnSuffices) {
  for (const char* base : {"6.12", "7.3,enable-failure-warns=off"}) {
    for (const char* failure : {"rolled-back", "retried"}) {
      const std::string design =
          std::string(base) + ",enable-failure=" + failure;
      EXPECT_TRUE(Judge(design, model::kFaultEnableAts).sufficient) << design;
    }
  }
}

TEST(Design, AnOrderThatIsWrongIsRefuted) {
  const Verdict verdict =
      Judge("7.3,enable-failure-warns=off,list-before-belief=off", 0);
  EXPECT_FALSE(verdict.sufficient);
  EXPECT_EQ(verdict.violation.invariant, Invariant::kCountMatchesDevices);
}

TEST(Design, ASetThatRefusesFunctionsWithoutAtsIsOfNoUse) {
  EXPECT_TRUE(IsUsable(*ParseDesign("6.12")));
  EXPECT_TRUE(IsUsable(*ParseDesign("7.3")));
  EXPECT_FALSE(IsUsable(*ParseDesign("6.12,prepare-failure=unwound")));
}

TEST(Design, EveryCombinationIsJudgedAndMinimalSetsHaveNoSmallerOnes) {
  DesignOptions options = Small("6.12");
  options.depth = 2;
  options.runs = 20;
  const std::vector<DesignSet> sets = SearchDesigns(options);
  ASSERT_EQ(sets.size(), 96u);
  EXPECT_THAT(sets.front().switches, IsEmpty());
  size_t minimal = 0;
  for (const DesignSet& set : sets) {
    for (const Verdict& verdict : set.verdicts) {
      minimal += verdict.minimal;
      EXPECT_TRUE(verdict.sufficient || !verdict.minimal);
    }
    if (set.switches == std::vector<std::string>{"enable-failure=retried"}) {
      EXPECT_TRUE(set.verdicts[0].minimal);
    }
  }
  EXPECT_GE(minimal, kAssumptions.size());
}

TEST(Design, FixesAreTheSwitchesThatDifferFromNone) {
  const Design none = WithoutFixes(*ParseDesign("7.3"));
  EXPECT_THAT(FixesOf(none), IsEmpty());
  EXPECT_THAT(FixesOf(*ParseDesign("seed")),
              ElementsAre("pf-aware-support=on", "prepare-if-supported=on",
                          "prepare-failure=fatal"));
}

}  // namespace
}  // namespace atsfuzz::fuzz
