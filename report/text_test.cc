#include "report/text.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "report/events.h"
#include "report/names.h"

namespace atsfuzz::report {
namespace {

using model::Fact;
using model::Location;
using testing::HasSubstr;
using testing::Not;

// Shows what a test puts into it.
class ShownSystem : public model::System {
 public:
  absl::Status Boot(const model::Topology&) override {
    return absl::OkStatus();
  }
  int Operate(const model::Operation&, model::FunctionId, uint64_t) override {
    return 0;
  }
  void Shutdown() override {}
  const atsfuzz_observation& Observe() override { return observation; }
  std::span<const atsfuzz_event> Events() override { return events; }
  bool Locates() const override { return true; }
  std::vector<Location> Locate(const atsfuzz_event&) override {
    return {{"pci_enable_ats", "ats.c", 102, "return -EINVAL;"},
            {"arm_smmu_attach_commit", "arm-smmu-v3.c", 2801, ""}};
  }
  std::vector<Location> LastWriter(Fact fact) override {
    if (fact.kind != Fact::kBelief) return {};
    return {{"arm_smmu_attach_commit", "arm-smmu-v3.c", 2812, ""}};
  }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

  atsfuzz_observation observation = {};
  std::vector<atsfuzz_event> events;

 private:
  std::string name_ = "shown";
  const model::Capabilities capabilities_{};
};

model::Topology OneFunction() {
  model::Topology topology;
  topology.smmus.resize(1);
  model::Function function;
  function.smmu = model::SmmuId(0);
  function.ats = true;
  function.streams = {0x100};
  topology.functions.push_back(function);
  model::Domain domain;
  domain.smmu = model::SmmuId(0);
  topology.domains.push_back(domain);
  return topology;
}

model::Operation Attach() {
  model::Operation operation;
  operation.kind = model::OperationKind::kAttach;
  operation.function = model::FunctionId(0);
  operation.domain = model::DomainId(0);
  return operation;
}

atsfuzz_event Event(uint16_t kind) {
  atsfuzz_event event = {};
  event.kind = kind;
  event.smmu = ATSFUZZ_NONE;
  event.function = ATSFUZZ_NONE;
  return event;
}

TEST(Trace, TellsOperationReturnValueAndWhatChangedWhere) {
  ShownSystem system;
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  system.observation.functions[0].belief = 1;
  system.observation.domains[0].nr_ats_masters = 1;
  trace.Step(Attach(), false, 0, system, {});
  EXPECT_EQ(TextOf(trace.rows()),
            "attach p0 d0                 0\n"
            "  d0 nr_ats_masters                 0 -> 1\n"
            "  p0 driver's belief                off -> on                     "
            "     arm_smmu_attach_commit  arm-smmu-v3.c:2812\n");
}

TEST(Trace, TellsAChangeOnce) {
  ShownSystem system;
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  system.observation.functions[0].ats = 1;
  trace.Step(Attach(), false, 0, system, {});
  const size_t before = TextOf(trace.rows()).size();
  trace.Step(Attach(), false, -EBUSY, system, {});
  EXPECT_EQ(TextOf(trace.rows()).substr(before),
            "attach p0 d0                 -EBUSY\n");
}

TEST(Trace, WhatABootLeavesIsNoChange) {
  ShownSystem system;
  system.observation.functions[0].streams[0].route = ATSFUZZ_ROUTE_ABORT;
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  trace.Step(Attach(), false, 0, system, {});
  EXPECT_THAT(TextOf(trace.rows()), Not(HasSubstr("abort")));
}

TEST(Trace, PutsLogLinesAndFailedPciCallsWithTheirPlace) {
  ShownSystem system;
  atsfuzz_event log = Event(ATSFUZZ_EVENT_LOG);
  log.text = "p0: Failed to enable ATS (STU 12)\n";
  atsfuzz_event failed = Event(ATSFUZZ_EVENT_PCI_RETURN);
  failed.text = "pci_enable_ats";
  failed.function = 0;
  failed.a = static_cast<uint64_t>(-EINVAL);
  system.events = {failed, log};
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  trace.Step(Attach(), false, 0, system, {});
  EXPECT_THAT(TextOf(trace.rows()),
              HasSubstr("  pci_enable_ats(p0) returned -EINVAL    "
                        "pci_enable_ats  ats.c:102\n"
                        "  kernel: p0: Failed to enable ATS (STU 12)\n"));
}

TEST(Trace, AViolationShowsExpectedFoundAndTheCallStack) {
  ShownSystem system;
  system.events = {Event(ATSFUZZ_EVENT_WARN)};
  properties::Violation violation;
  violation.invariant = properties::Invariant::kNoWarning;
  violation.message = "The kernel warned.";
  violation.expected = "no warning";
  violation.found = "a warning";
  violation.event = 0;
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  trace.Step(Attach(), false, 0, system, {&violation, 1});
  EXPECT_THAT(TextOf(trace.rows()),
              HasSubstr("  violation: no-warning\n"
                        "    The kernel warned.\n"
                        "    expected: no warning        found: a warning\n"
                        "    in pci_enable_ats  ats.c:102\n"
                        "       arm_smmu_attach_commit  arm-smmu-v3.c:2801\n"));
}

TEST(Trace, ACleanShutdownIsNotMentioned) {
  ShownSystem system;
  system.events = {Event(ATSFUZZ_EVENT_TIMEOUT)};
  Timeline trace(OneFunction());
  trace.Shutdown(system, {});
  EXPECT_EQ(TextOf(trace.rows()), "");
}

TEST(Trace, OperationsOfABlockSayWhichOfItsRowsTheySpan) {
  ShownSystem system;
  const auto log = [](uint8_t thread) {
    atsfuzz_event event = Event(ATSFUZZ_EVENT_LOG);
    event.text = "text";
    event.thread = thread;
    return event;
  };
  // The second event is none that is told.
  system.events = {log(1), Event(ATSFUZZ_EVENT_STE_WRITE), log(2), log(1)};
  std::vector<properties::SideBySide> operations(3);
  operations[0] = {Attach(), true, 0, 0, 2, 3};
  operations[1] = {Attach(), true, 0, 0, 0, 4};
  operations[2] = {Attach(), false, 0, 0, 4, 4};
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  trace.Block(operations, system, {});
  std::vector<std::pair<int64_t, int64_t>> spans;
  for (const Row& written : trace.rows()) {
    const Row row = RowFrom(ToJson(written));
    if (row.kind == RowKind::kOperation) {
      spans.emplace_back(row.began, row.ended);
    } else {
      EXPECT_EQ(row.began, -1);
    }
  }
  EXPECT_THAT(spans, testing::ElementsAre(std::pair(1, 2), std::pair(0, 3),
                                          std::pair(3, 3)));
}

TEST(Trace, CommandsSayWhichFunctionsTheyReach) {
  ShownSystem system;
  atsfuzz_event invalidate = Event(ATSFUZZ_EVENT_COMMAND);
  invalidate.a = 0x40 | (uint64_t{0x100} << 32);
  invalidate.smmu = 0;
  atsfuzz_event elsewhere = invalidate;
  elsewhere.a = 0x40 | (uint64_t{0x999} << 32);
  atsfuzz_event sync = invalidate;
  sync.a = 0x46;
  system.events = {invalidate, elsewhere, invalidate, sync, elsewhere, sync};
  Timeline trace(OneFunction());
  trace.Boot(system, {});
  trace.Step(Attach(), false, 0, system, {});
  ASSERT_EQ(trace.rows().size(), 3u);
  EXPECT_THAT(RowFrom(ToJson(trace.rows()[1])).reached,
              testing::ElementsAre("p0"));
  EXPECT_THAT(trace.rows()[2].reached, testing::IsEmpty());
}

TEST(EventLines, CommandsUpToASyncAreOneLine) {
  std::vector<atsfuzz_event> events(4, Event(ATSFUZZ_EVENT_COMMAND));
  events[0].a = 0x03 | (uint64_t{0x100} << 32);
  events[1].a = 0x46;
  events[2].a = 0x40 | (uint64_t{0x100} << 32);
  events[2].b = 52;
  events[3].a = 0x46;
  const auto lines = LinesOf(OneFunction(), events);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text, "commands CFGI_STE 0x100, SYNC");
  EXPECT_EQ(lines[1].text, "commands ATC_INV 0x100 all, SYNC");
}

TEST(Names, ResultsAreErrnoNames) {
  EXPECT_EQ(ResultName(0), "0");
  EXPECT_EQ(ResultName(-22), "-EINVAL");
  EXPECT_EQ(ResultName(-4095), "-4095");
}

TEST(Names, AssumptionsAreTheFaultClasses) {
  EXPECT_EQ(AssumptionText(0), "honest: needs no fault");
  EXPECT_EQ(AssumptionText(model::kFaultAlloc | model::kFaultConfigWrite),
            "assumes alloc, config-write");
}

}  // namespace
}  // namespace atsfuzz::report
