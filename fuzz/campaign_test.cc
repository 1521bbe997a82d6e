#include "fuzz/campaign.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::OperationKind;
using properties::Invariant;
using testing::Each;
using testing::IsEmpty;
using testing::Not;

__attribute__((noinline)) void Crash(volatile int* nowhere) { *nowhere = 1; }

// A puzzle: it warns when a function that was made identity is claimed, and
// crashes when a domain is flushed in which something is mapped. Everything
// succeeds and nothing is observed, so that the checker complains about more;
// only the two planted bugs are looked at here.
class Puzzle : public model::System {
 public:
  absl::Status Boot(const model::Topology&) override {
    identity_ = 0;
    mapped_ = 0;
    std::fill(coverage_.begin(), coverage_.end(), 0);
    events_.clear();
    return absl::OkStatus();
  }
  int Operate(const Operation& operation, model::FunctionId,
              uint64_t) override {
    events_.clear();
    ++coverage_[static_cast<size_t>(operation.kind)];
    const uint32_t function = 1u << (operation.function.value & 7);
    const uint32_t domain = 1u << (operation.domain.value & 7);
    switch (operation.kind) {
      case OperationKind::kSetDefault:
        identity_ &= ~function;
        if (operation.default_domain == model::DefaultDomain::kIdentity) {
          identity_ |= function;
        }
        break;
      case OperationKind::kClaim:
        if ((identity_ & function) != 0) Warn();
        break;
      case OperationKind::kMap:
        mapped_ |= domain;
        break;
      case OperationKind::kFlush:
        if ((mapped_ & domain) != 0) Crash(nullptr);
        break;
      default:
        break;
    }
    return 0;
  }
  void Shutdown() override { events_.clear(); }
  const atsfuzz_observation& Observe() override { return observation_; }
  std::span<const atsfuzz_event> Events() override { return events_; }
  bool Locates() const override { return true; }
  std::vector<model::Location> Locate(const atsfuzz_event&) override {
    return {{"puzzle_claim", "puzzle.c", 1, "WARN_ON(identity);"}};
  }
  std::span<uint8_t> Coverage() override { return coverage_; }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

 private:
  void Warn() {
    atsfuzz_event event = {};
    event.kind = ATSFUZZ_EVENT_WARN;
    event.smmu = event.function = ATSFUZZ_NONE;
    event.text = "identity";
    event.file = "puzzle.c";
    event.kernel_function = "puzzle_claim";
    events_.push_back(event);
  }

  uint32_t identity_ = 0, mapped_ = 0;
  std::vector<uint8_t> coverage_ = std::vector<uint8_t>(20);
  std::vector<atsfuzz_event> events_;
  atsfuzz_observation observation_ = {};
  std::string name_ = "puzzle";
  const model::Capabilities capabilities_{};
};

CampaignOptions Options() {
  CampaignOptions options;
  options.plain = options.instrumented =
      []() -> absl::StatusOr<std::unique_ptr<model::System>> {
    return std::make_unique<Puzzle>();
  };
  options.seed = 3;
  options.runs = 600;
  options.seconds = 120;
  options.keep_going = true;
  options.generate.max_operations = 12;
  return options;
}

const Finding* Of(const CampaignResult& result, Invariant invariant) {
  for (const Finding& finding : result.findings) {
    if (finding.sighting.violation.invariant == invariant) return &finding;
  }
  return nullptr;
}

std::vector<OperationKind> KindsOf(const Finding& finding) {
  std::vector<OperationKind> kinds;
  for (const Operation& operation : finding.scenario.operations) {
    kinds.push_back(operation.kind);
  }
  return kinds;
}

using Told = std::tuple<std::string, std::string, uint64_t, std::string>;
std::vector<Told> Tell(const CampaignResult& result) {
  std::vector<Told> told;
  for (const Finding& finding : result.findings) {
    told.emplace_back(finding.signature, model::Print(finding.scenario),
                      finding.run, finding.sighting.violation.message);
  }
  return told;
}

TEST(Campaign, FindsThePlantedWarningInItsShortestForm) {
  const auto result = RunCampaign(Options());
  ASSERT_TRUE(result.ok()) << result.status();
  const Finding* warning = Of(*result, Invariant::kNoWarning);
  ASSERT_NE(warning, nullptr);
  EXPECT_THAT(
      KindsOf(*warning),
      testing::ElementsAre(OperationKind::kProbe, OperationKind::kSetDefault,
                           OperationKind::kClaim));
  EXPECT_EQ(warning->sighting.function, "puzzle_claim");
  EXPECT_EQ(warning->assumes, 0);
}

TEST(Campaign, ACrashIsAFindingLikeAnyOther) {
  const auto result = RunCampaign(Options());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->runs, 600u);
  const Finding* crash = Of(*result, Invariant::kMemorySafe);
  ASSERT_NE(crash, nullptr);
  EXPECT_THAT(KindsOf(*crash),
              testing::ElementsAre(OperationKind::kProbe, OperationKind::kMap,
                                   OperationKind::kFlush));
  EXPECT_THAT(crash->sighting.violation.message,
              testing::HasSubstr("crashed in `flush d0`"));
}

TEST(Campaign, TheNumberOfProcessesChangesNothing) {
  CampaignOptions options = Options();
  options.jobs = 1;
  const auto one = RunCampaign(options);
  options.jobs = 3;
  const auto three = RunCampaign(options);
  ASSERT_TRUE(one.ok() && three.ok());
  ASSERT_THAT(one->findings, Not(IsEmpty()));
  EXPECT_EQ(Tell(*one), Tell(*three));
  EXPECT_EQ(one->runs, three->runs);
  EXPECT_EQ(one->operations, three->operations);
  EXPECT_EQ(one->edges_covered, three->edges_covered);
  EXPECT_EQ(one->additions, three->additions);
}

TEST(Campaign, EndsAfterTheRoundOfTheFirstNewFinding) {
  CampaignOptions options = Options();
  options.keep_going = false;
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->findings, Not(IsEmpty()));
  EXPECT_EQ(result->runs, 256u);
}

TEST(Campaign, KnownFindingsAreCountedAndDoNotEndIt) {
  CampaignOptions options = Options();
  const auto before = RunCampaign(options);
  ASSERT_TRUE(before.ok());
  ASSERT_THAT(before->findings, Not(IsEmpty()));
  std::string text;
  for (const Finding& finding : before->findings) {
    text += finding.signature + " planted\n";
  }
  const auto known = Known::Parse(text, "known");
  ASSERT_TRUE(known.ok()) << known.status();
  options.known = *known;
  options.keep_going = false;
  const auto after = RunCampaign(options);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->runs, 600u);
  EXPECT_EQ(after->findings.size(), before->findings.size());
  for (const Finding& finding : after->findings) {
    EXPECT_EQ(finding.known, "planted") << finding.signature;
  }
}

TEST(Campaign, AnInterruptEndsItWithWhatItHas) {
  CampaignOptions options = Options();
  options.runs.reset();
  int asked = 0;
  options.interrupted = [&asked] { return ++asked > 20; };
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->interrupted);
}

TEST(Campaign, AFixedMachineIsUsedByEveryRun) {
  CampaignOptions options = Options();
  const auto machine = model::Parse("smmu s0\npf p0 smmu=s0 ats\n", "machine");
  ASSERT_TRUE(machine.ok()) << machine.status();
  options.generate.topology = machine->topology;
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->additions, Not(IsEmpty()));
  EXPECT_THAT(result->additions, Each(testing::Field(&model::Scenario::topology,
                                                     machine->topology)));
}

TEST(Campaign, ASystemThatCannotBeMadeIsAnErrorAndNotAnEndlessCampaign) {
  CampaignOptions options = Options();
  options.plain = []() -> absl::StatusOr<std::unique_ptr<model::System>> {
    return absl::UnavailableError("no such module");
  };
  const auto result = RunCampaign(options);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(result.status().message(), "no such module");
}

}  // namespace
}  // namespace atsfuzz::fuzz
