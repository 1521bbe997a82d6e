#include "fuzz/sweep.h"

#include <functional>
#include <string>

#include "fuzz/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"
#include "properties/command.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::OperationKind;
using model::Scenario;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Scenario ScenarioOf(const std::string& operations) {
  const auto scenario = model::Parse(
      "smmu s0\npf p0 smmu=s0 ats\ndomain d0 smmu=s0 stage=1\n" + operations,
      "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *scenario;
}

std::string LinesOf(const Scenario& scenario) {
  std::string text;
  for (const Operation& operation : scenario.operations) {
    text += ToText(scenario.topology, operation) + "; ";
  }
  return text;
}

// A system by what it asks of its environment: allocations and config writes
// of an operation. A fault hits if its number was asked for.
struct Environment {
  // Of an operation without faults, and of one whose fault has hit.
  std::function<uint32_t(OperationKind)> allocations, after_a_failure;
  uint32_t config_writes = 0, enable_ats = 0;
  // The kernel dies in operations of this kind.
  std::optional<OperationKind> deadly;
  // What a domain needs is allocated implicitly.
  bool implicit = false;

  RunReport Run(uint64_t run, const Scenario& scenario) const {
    RunReport report;
    report.run = run;
    bool honest = true;
    for (const Operation& o : scenario.operations) {
      honest = honest && !o.faults.any();
    }
    bool allocated = !implicit;
    for (uint32_t i = 0; i < scenario.operations.size(); ++i) {
      const Operation& operation = scenario.operations[i];
      if (operation.kind == deadly) {
        report.death.emplace();
        report.part = i;
        report.tallies.clear();
        return report;
      }
      if (operation.kind == OperationKind::kAttach && !allocated) {
        if (honest) report.tallies.push_back({i, true, {}});
      }
      allocated = allocated || operation.kind == OperationKind::kDomainNew;
      if (honest || operation.faults.any()) {
        report.tallies.push_back({i, false, Ask(operation)});
      }
    }
    return report;
  }

  Tally Ask(const Operation& operation) const {
    Tally tally;
    tally.asked = {allocations(operation.kind), 0, enable_ats, config_writes};
    if (operation.faults.any() && after_a_failure) {
      tally.asked[0] = after_a_failure(operation.kind);
    }
    for (int i = 0; i < 64; ++i) {
      if (operation.faults.alloc_numbers >> i & 1) {
        tally.hit[0] = static_cast<uint32_t>(i) < tally.asked[0];
      }
    }
    for (int i = 0; i < 8; ++i) {
      if (operation.faults.config_writes >> i & 1) {
        tally.hit[3] = static_cast<uint32_t>(i) < config_writes;
      }
    }
    if (operation.faults.enable_ats) tally.hit[2] = enable_ats;
    return tally;
  }
};

uint32_t Two(OperationKind) { return 2; }
uint32_t OnlyAttaches(OperationKind kind) {
  return kind == OperationKind::kAttach ? 1 : 0;
}

// What a sweep runs there, round by round.
std::vector<std::vector<std::string>> RoundsOf(Sweep& sweep,
                                               const Environment& environment) {
  std::vector<std::vector<std::string>> rounds;
  uint64_t first = 0;
  for (;;) {
    const std::vector<Scenario> round = sweep.NextRound();
    if (round.empty() || rounds.size() > 20) return rounds;
    std::vector<RunReport> reports;
    rounds.emplace_back();
    for (const Scenario& scenario : round) {
      rounds.back().push_back(LinesOf(scenario));
      reports.push_back(environment.Run(first + reports.size(), scenario));
    }
    sweep.RoundDone(first, reports);
    first += round.size();
  }
}

SweepOptions Of(const std::string& operations,
                uint8_t faults = model::kFaultAlloc) {
  SweepOptions options;
  options.faults = faults;
  options.scenarios = {ScenarioOf(operations)};
  return options;
}

TEST(Sweep, FailsEveryAllocationOfEveryOperationUntilNoneIsConsumed) {
  Sweep sweep(Of("probe p0\nattach p0 d0\n"));
  const auto rounds = RoundsOf(sweep, {.allocations = Two});
  ASSERT_THAT(rounds, SizeIs(2));
  EXPECT_THAT(rounds[0], ElementsAre("probe p0; attach p0 d0; "));
  EXPECT_THAT(rounds[1], ElementsAre("probe p0  !alloc#1; attach p0 d0; ",
                                     "probe p0  !alloc#2; attach p0 d0; ",
                                     "probe p0  !alloc#3; attach p0 d0; ",
                                     "probe p0; attach p0 d0  !alloc#1; ",
                                     "probe p0; attach p0 d0  !alloc#2; ",
                                     "probe p0; attach p0 d0  !alloc#3; "));
  EXPECT_EQ(sweep.counts().scenarios, 1u);
  EXPECT_EQ(sweep.counts().operations, 2u);
  EXPECT_EQ(sweep.counts().placed, 6u);
  EXPECT_EQ(sweep.counts().consumed, 4u);
}

TEST(Sweep, GoesOnWhileTheLastFaultIsConsumed) {
  Sweep sweep(Of("probe p0\n"));
  const auto rounds =
      RoundsOf(sweep, {.allocations = Two,
                       .after_a_failure = [](OperationKind) { return 4u; }});
  ASSERT_THAT(rounds, SizeIs(4));
  EXPECT_THAT(rounds[1], SizeIs(3));
  EXPECT_THAT(rounds[2], ElementsAre("probe p0  !alloc#4; "));
  EXPECT_THAT(rounds[3], ElementsAre("probe p0  !alloc#5; "));
  EXPECT_EQ(sweep.counts().consumed, 4u);
}

TEST(Sweep, PlacesOnlyTheFaultsAskedFor) {
  Sweep sweep(
      Of("probe p0\n", model::kFaultEnableAts | model::kFaultConfigWrite));
  const auto rounds = RoundsOf(
      sweep, {.allocations = Two, .config_writes = 1, .enable_ats = 3});
  ASSERT_THAT(rounds, SizeIs(2));
  EXPECT_THAT(rounds[1], ElementsAre("probe p0  !enable-ats; ",
                                     "probe p0  !config-write#1; ",
                                     "probe p0  !config-write#2; "));
  EXPECT_EQ(sweep.counts().consumed, 2u);
}

TEST(Sweep, TakesScenariosWithoutTheirOwnFaults) {
  Sweep sweep(Of("probe p0\nattach p0 d0 !alloc#1 !enable-ats\n"));
  const auto rounds = RoundsOf(sweep, {.allocations = OnlyAttaches});
  ASSERT_THAT(rounds, SizeIs(2));
  EXPECT_THAT(rounds[0], ElementsAre("probe p0; attach p0 d0; "));
  EXPECT_THAT(rounds[1], ElementsAre("probe p0; attach p0 d0  !alloc#1; ",
                                     "probe p0; attach p0 d0  !alloc#2; "));
}

TEST(Sweep, MakesImplicitAllocationsOperationsThatCanFail) {
  Sweep sweep(Of("probe p0\nattach p0 d0\n"));
  const auto rounds =
      RoundsOf(sweep, {.allocations =
                           [](OperationKind kind) {
                             return kind == OperationKind::kDomainNew ? 1u : 0u;
                           },
                       .implicit = true});
  ASSERT_THAT(rounds, SizeIs(3));
  EXPECT_THAT(rounds[1],
              ElementsAre("probe p0; domain-new d0; attach p0 d0; "));
  EXPECT_THAT(rounds[2],
              ElementsAre("probe p0; domain-new d0  !alloc#1; attach p0 d0; ",
                          "probe p0; domain-new d0  !alloc#2; attach p0 d0; "));
}

TEST(Sweep, SweepsWhatComesBeforeTheKernelsDeath) {
  Sweep sweep(Of("probe p0\nattach p0 d0\ndetach p0\nrelease p0\n"));
  const auto rounds = RoundsOf(
      sweep, {.allocations = OnlyAttaches, .deadly = OperationKind::kDetach});
  ASSERT_THAT(rounds, SizeIs(3));
  EXPECT_THAT(rounds[1], ElementsAre("probe p0; attach p0 d0; "));
  EXPECT_THAT(rounds[2], SizeIs(2));
}

TEST(Sweep, CountsWhatHasNoNumber) {
  Sweep sweep(Of("probe p0\n"));
  const auto rounds =
      RoundsOf(sweep, {.allocations = [](OperationKind) { return 70u; }});
  ASSERT_THAT(rounds, SizeIs(2));
  EXPECT_THAT(rounds[1], SizeIs(64));
  EXPECT_EQ(sweep.counts().beyond, 6u);
}

TEST(Sweep, SweepsAsManyGeneratedScenariosAsAskedFor) {
  SweepOptions options;
  options.generates = true;
  options.generate.faults = model::kAllFaults;
  options.generated = 10;
  Sweep sweep(options), same(options);
  const Environment nothing = {.allocations = [](OperationKind) { return 0u; }};
  const auto rounds = RoundsOf(sweep, nothing);
  EXPECT_EQ(rounds, RoundsOf(same, nothing));
  size_t runs = 0;
  for (const auto& round : rounds) {
    for (const std::string& text : round) {
      ++runs;
      EXPECT_THAT(text, testing::Not(testing::HasSubstr("!"))) << text;
    }
  }
  EXPECT_EQ(runs, 10u);
  EXPECT_EQ(sweep.counts().scenarios, 10u);
  EXPECT_THAT(sweep.NextRound(), IsEmpty());
}

TEST(Tally, CountsWhatTheEventsOfAnOperationSay) {
  std::vector<atsfuzz_event> events(10);
  events[0].kind = events[1].kind = ATSFUZZ_EVENT_ALLOC;
  events[0].b = 1;
  events[1].b = 2;
  events[1].c = 0x100 | ATSFUZZ_ALLOC_MERGE;
  events[2].kind = ATSFUZZ_EVENT_CONFIG_WRITE;
  events[3].kind = ATSFUZZ_EVENT_CONFIG_WRITE_LOST;
  events[4].kind = events[5].kind = ATSFUZZ_EVENT_PCI_RETURN;
  events[4].text = "pci_enable_ats";
  events[5].text = "pci_enable_pasid";
  // A batch, one that is held back, and a CMD_SYNC that completes nothing.
  events[6].kind = ATSFUZZ_EVENT_COMMAND_HELD;
  events[6].a = properties::kAtcInv;
  events[7].kind = ATSFUZZ_EVENT_COMMAND_HELD;
  events[7].a = properties::kCmdSync;
  events[8].kind = ATSFUZZ_EVENT_COMMAND;
  events[8].a = properties::kCmdSync;
  events[9].kind = ATSFUZZ_EVENT_ATC_TIMEOUT;
  model::Faults faults;
  faults.enable_ats = true;
  const Tally tally = TallyOf(events, faults);
  EXPECT_THAT(tally.asked, ElementsAre(2, 0, 1, 2, 1, 2));
  EXPECT_THAT(tally.hit, ElementsAre(1, 0, 1, 1, 1, 1));
}

TEST(Tally, EveryNumberOfEveryClassIsAFaultOfThatClassAlone) {
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    EXPECT_EQ(IndexOf(fault), static_cast<size_t>(i));
    for (int number = 1; number <= Numbers(fault); ++number) {
      EXPECT_EQ(ClassesOf(FaultAt(fault, number)), fault) << number;
    }
  }
}

}  // namespace
}  // namespace atsfuzz::fuzz
