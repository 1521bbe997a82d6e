#include "fuzz/signature.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Location;
using properties::Invariant;
using properties::Violation;

// A system that answers with the stacks that it was given.
class Stacks final : public model::System {
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
    return event_stack;
  }
  std::vector<Location> LastWriter(model::Fact fact) override {
    return fact.kind == model::Fact::kBelief ? belief_stack
                                             : std::vector<Location>();
  }
  const model::Capabilities& capabilities() const override {
    return own_capabilities;
  }
  const std::string& name() const override { return own_name; }

  model::Capabilities own_capabilities;
  std::string own_name = "stacks";
  atsfuzz_observation observation = {};
  std::vector<atsfuzz_event> events;
  std::vector<Location> event_stack, belief_stack;
};

Location Frame(const std::string& function, int line, const std::string& text) {
  return {function, "arm-smmu-v3.c", line, text};
}

Violation Belief() {
  Violation violation;
  violation.invariant = Invariant::kBeliefMatchesDevice;
  violation.subject = {model::Fact::kBelief, 1};
  return violation;
}

Violation Warning() {
  Violation violation;
  violation.invariant = Invariant::kNoWarning;
  violation.event = 0;
  return violation;
}

atsfuzz_event Warn() {
  atsfuzz_event event = {};
  event.kind = ATSFUZZ_EVENT_WARN;
  event.kernel_function = "pci_disable_ats";
  event.file = "ats.c";
  event.line = 132;
  event.text = "!dev->ats_enabled";
  return event;
}

TEST(Signature, OfAStateAtRestIsTheLineThatWroteItLast) {
  Stacks system;
  system.belief_stack = {Frame("arm_smmu_attach_commit", 2801, "belief = want"),
                         Frame("arm_smmu_attach_dev", 2900, "commit()")};
  const Signature signature = SignatureOf(Belief(), 0, system);
  EXPECT_EQ(signature.function, "arm_smmu_attach_commit");
  EXPECT_EQ(signature.invariant, Invariant::kBeliefMatchesDevice);
  EXPECT_THAT(signature.text,
              testing::MatchesRegex("belief-matches-device-[0-9a-f]{6}"));
}

TEST(Signature, DoesNotDependOnLineNumbersOrWhatSurroundsThem) {
  Stacks system;
  system.belief_stack = {
      Frame("arm_smmu_attach_commit", 2801, "belief = want")};
  const Signature before = SignatureOf(Belief(), 0, system);
  system.belief_stack[0].line = 2999;
  system.belief_stack.push_back(Frame("another_caller", 1, "call()"));
  EXPECT_EQ(SignatureOf(Belief(), 0, system), before);
  // Written down, because folders and lists of known findings carry it.
  EXPECT_EQ(before.text, "belief-matches-device-5b2474");
}

TEST(Signature, TellsLinesFunctionsAspectsAndAssumptionsApart) {
  Stacks system;
  system.belief_stack = {Frame("arm_smmu_attach_commit", 1, "belief = want")};
  const Signature first = SignatureOf(Belief(), 0, system);
  EXPECT_NE(SignatureOf(Belief(), model::kFaultAlloc, system), first);
  Violation other = Belief();
  other.aspect = "left behind";
  EXPECT_NE(SignatureOf(other, 0, system), first);
  system.belief_stack[0].text = "belief = false";
  EXPECT_NE(SignatureOf(Belief(), 0, system), first);
  system.belief_stack = {Frame("arm_smmu_detach_dev", 1, "belief = want")};
  EXPECT_NE(SignatureOf(Belief(), 0, system), first);
}

TEST(Signature, OfAWarningIsItsOwnSiteWhoeverCalled) {
  Stacks system;
  system.events = {Warn()};
  system.event_stack = {Frame("pci_disable_ats", 132, "WARN_ON(...)"),
                        Frame("arm_smmu_attach_prepare", 1, "disable()"),
                        Frame("arm_smmu_attach_dev_blocked", 1, "prepare()")};
  const Signature claim = SignatureOf(Warning(), 0, system);
  EXPECT_EQ(claim.function, "pci_disable_ats");
  system.event_stack.resize(2);
  system.event_stack.push_back(Frame("arm_smmu_attach_dev", 1, "prepare()"));
  EXPECT_EQ(SignatureOf(Warning(), 0, system), claim);
  system.event_stack[0].text = "another WARN of the same function";
  EXPECT_NE(SignatureOf(Warning(), 0, system), claim);
}

TEST(Signature, WithoutStacksUsesWhatTheEventSays) {
  Stacks system;
  system.events = {Warn()};
  const Signature first = SignatureOf(Warning(), 0, system);
  EXPECT_EQ(first.function, "pci_disable_ats");
  system.events[0].text = "another condition";
  const Signature second = SignatureOf(Warning(), 0, system);
  EXPECT_NE(second, first);
  // Numbers in a message are values of the run.
  system.events[0].text = "STU 12 of v1";
  const Signature third = SignatureOf(Warning(), 0, system);
  system.events[0].text = "STU 16 of v3";
  EXPECT_EQ(SignatureOf(Warning(), 0, system), third);
}

TEST(Signature, OfAnEventOutsideTheEventsIsUnknownNotACrash) {
  Stacks system;
  Violation violation = Warning();
  violation.event = 7;
  EXPECT_EQ(SignatureOf(violation, 0, system).function, "");
}

TEST(Blame, SkipsThePlumbingThatEveryCommandGoesThrough) {
  EXPECT_EQ(Blame({Frame("atsfuzz_event_add", 1, ""),
                   Frame("arm_smmu_cmdq_issue_cmdlist", 1, ""),
                   Frame("arm_smmu_cmdq_batch_submit", 1, ""),
                   Frame("arm_smmu_atc_inv_master", 1, ""),
                   Frame("arm_smmu_attach_commit", 1, "")})
                .function,
            "arm_smmu_atc_inv_master");
  EXPECT_EQ(
      Blame({Frame("entry_set", 1, ""), Frame("arm_smmu_write_entry", 1, ""),
             Frame("arm_smmu_write_ste", 1, ""),
             Frame("arm_smmu_install_ste_for_dev", 1, "")})
          .function,
      "arm_smmu_install_ste_for_dev");
}

TEST(Blame, OfPlumbingAloneIsTheInnermostAndOfNothingIsUnknown) {
  EXPECT_EQ(
      Blame({Frame("queue_write", 1, ""), Frame("mutex_lock", 1, "")}).function,
      "queue_write");
  EXPECT_FALSE(Blame({}).known());
}

}  // namespace
}  // namespace atsfuzz::fuzz
