#include "fuzz/verdicts.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/machine/design.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// The abstract machine stands in for two kernels.
VerdictSystem Design(const std::string& name) {
  const LoadSystem load =
      [name]() -> absl::StatusOr<std::unique_ptr<model::System>> {
    return machine::MakeSystem(*machine::ParseDesign(name), "model:" + name);
  };
  return {load, load, {}};
}

constexpr char kUnpreparedVf[] =
    "smmu s0\npf p0 ats\nvf v1 of=p0 smmu=s0 ats\nprobe v1\n";

VerdictOptions Options(const std::string& left, const std::string& right,
                       const std::string& scenario) {
  VerdictOptions options;
  options.left = Design(left);
  options.right = Design(right);
  options.scenarios = {*model::Parse(scenario, "test")};
  options.generates = false;
  options.generate.capabilities =
      Meet((*options.left.plain())->capabilities(),
           (*options.right.plain())->capabilities());
  return options;
}

const JudgedFinding* Of(const VerdictResult& result,
                        properties::Invariant invariant) {
  for (const JudgedFinding& judged : result.findings) {
    if (judged.finding.sighting.violation.invariant == invariant) {
      return &judged;
    }
  }
  return nullptr;
}

constexpr auto kBelief = properties::Invariant::kBeliefMatchesDevice;

TEST(Verdicts, TellWhatOneSystemBreaksAndTheOtherKeeps) {
  const auto fixed = CompareVerdicts(Options("7.2", "7.3", kUnpreparedVf));
  ASSERT_TRUE(fixed.ok()) << fixed.status();
  const JudgedFinding* belief = Of(*fixed, kBelief);
  ASSERT_NE(belief, nullptr);
  EXPECT_EQ(belief->left.verdict, Verdict::kViolated);
  EXPECT_EQ(belief->right.verdict, Verdict::kHolds);
  EXPECT_THAT(belief->right.invariants, IsEmpty());
  EXPECT_THAT(belief->left.invariants, Contains("belief-matches-device"));
  EXPECT_FALSE(belief->regression());

  const auto broken = CompareVerdicts(Options("7.3", "7.2", kUnpreparedVf));
  ASSERT_TRUE(broken.ok()) << broken.status();
  belief = Of(*broken, kBelief);
  ASSERT_NE(belief, nullptr);
  EXPECT_EQ(belief->left.verdict, Verdict::kHolds);
  EXPECT_EQ(belief->right.verdict, Verdict::kViolated);
  EXPECT_TRUE(belief->regression());
}

TEST(Verdicts, OfASystemAndItselfAreTheSameOnBothSides) {
  const auto result = CompareVerdicts(Options("7.2", "7.2", kUnpreparedVf));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(result->findings.empty());
  for (const JudgedFinding& judged : result->findings) {
    EXPECT_EQ(judged.left.verdict, Verdict::kViolated);
    EXPECT_FALSE(judged.differs());
    EXPECT_EQ(judged.left.invariants, judged.right.invariants);
  }
}

// Belief is wrong on both; only 7.x has an array that can be.
TEST(Verdicts, SayThatTheOtherSystemIsInAnotherTrouble) {
  VerdictOptions options =
      Options("6.12", "7.2", "smmu s0\npf p0 smmu=s0 ats\nprobe p0\n");
  options.scenarios[0].operations[0].faults.enable_ats = true;
  options.generate.faults = model::kFaultEnableAts;
  const auto result = CompareVerdicts(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const JudgedFinding* array =
      Of(*result, properties::Invariant::kArrayCoversAttachments);
  ASSERT_NE(array, nullptr);
  EXPECT_EQ(array->left.verdict, Verdict::kOther);
  EXPECT_EQ(array->right.verdict, Verdict::kViolated);
  EXPECT_TRUE(array->differs());
  EXPECT_FALSE(array->regression());
  EXPECT_FALSE(Of(*result, kBelief)->differs());
}

// 6.12 asks the PF whether a VF has ATS, 7.2 does not: what is minimal on 7.2
// needs no ATS of the PF, and 6.12 is fine with that. The bug is the same.
TEST(Verdicts, OfOneSignatureComeFromAScenarioThatBothViolate) {
  for (const auto& [left, right] :
       {std::pair("6.12", "7.2"), std::pair("7.2", "6.12")}) {
    const auto result = CompareVerdicts(Options(left, right, kUnpreparedVf));
    ASSERT_TRUE(result.ok()) << result.status();
    const JudgedFinding* belief = Of(*result, kBelief);
    ASSERT_NE(belief, nullptr);
    EXPECT_FALSE(belief->differs());
    EXPECT_FALSE(belief->left.violated_elsewhere);
    EXPECT_FALSE(belief->right.violated_elsewhere);
    EXPECT_TRUE(belief->finding.scenario.topology.functions[0].ats);
    // What only has an array can get wrong, 6.12 keeps in the smallest one.
    const JudgedFinding* array =
        Of(*result, properties::Invariant::kArrayCoversAttachments);
    ASSERT_NE(array, nullptr);
    EXPECT_EQ(array->regression(), std::string(left) == "6.12");
  }
}

TEST(Verdicts, FailAllocationsBySite) {
  VerdictOptions options =
      Options("6.12", "7.2", "smmu s0\npf p0 smmu=s0\nprobe p0\nclaim p0\n");
  options.scenarios[0].operations.resize(2);
  model::Operation unclaim = options.scenarios[0].operations[1];
  unclaim.kind = model::OperationKind::kUnclaim;
  unclaim.faults.alloc_sites =
      1u << static_cast<int>(model::AllocSite::kAttachment);
  options.scenarios[0].operations.push_back(unclaim);
  options.generate.faults = model::kFaultAlloc;
  const auto result = CompareVerdicts(options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(result->findings.empty());
  for (const JudgedFinding& judged : result->findings) {
    for (const model::Operation& operation :
         judged.finding.scenario.operations) {
      EXPECT_EQ(operation.faults.alloc_numbers, 0u);
    }
    EXPECT_EQ(judged.finding.assumes, model::kFaultAlloc);
  }
}

TEST(Verdicts, OfGeneratedScenariosRepeatWhateverTheNumberOfWorkers) {
  VerdictOptions options = Options("7.2", "7.3", kUnpreparedVf);
  options.generates = true;
  options.generate.faults = model::kAllFaults;
  options.runs = 300;
  const auto print = [&](int jobs) {
    options.jobs = jobs;
    const auto result = CompareVerdicts(options);
    std::string text;
    if (!result.ok()) return text;
    for (const JudgedFinding& judged : result->findings) {
      text += judged.finding.signature + VerdictName(judged.left.verdict) +
              VerdictName(judged.right.verdict) +
              model::Print(judged.finding.scenario);
    }
    return text;
  };
  const std::string one = print(1);
  EXPECT_THAT(one, testing::HasSubstr("violatedholds"));
  EXPECT_EQ(one, print(3));
}

}  // namespace
}  // namespace atsfuzz::fuzz
