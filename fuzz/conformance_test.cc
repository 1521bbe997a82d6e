// The abstract machine against the real driver, and the proof that the
// comparison would notice: one deliberate error in each kind of atomic step.

#include <iomanip>
#include <iostream>
#include <string>
#include <utility>

#include "fuzz/compare.h"
#include "fuzz/generate.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/machine/board.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using machine::Design;
using machine::Mutation;
using machine::Step;

constexpr uint64_t kRuns = 10000;

Design DesignOf(const std::string& text) { return *machine::ParseDesign(text); }

LoadSystem Model(const std::string& design, Mutation mutation = {}) {
  return [design, mutation] {
    return machine::MakeSystem(DesignOf(design), "model:" + design, mutation);
  };
}

CompareResult Search(const LoadSystem& left, const LoadSystem& right,
                     const model::Capabilities& capabilities, uint64_t runs) {
  CompareOptions options;
  options.fast = options.located = {left, right};
  options.generate.faults = model::kAllFaults;
  options.generate.capabilities = capabilities;
  options.runs = runs;
  auto result = RunComparison(options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : CompareResult();
}

void Tell(const std::string& error, const CompareResult& result) {
  std::cout << std::left << std::setw(28) << error << std::right << std::setw(7)
            << result.runs << " runs" << std::fixed << std::setprecision(1)
            << std::setw(6) << result.seconds << " s  ";
  if (result.differences.empty()) {
    std::cout << "not found\n";
    return;
  }
  const FoundDifference& found = result.differences.front();
  std::cout << found.difference.signature << " in "
            << found.scenario.operations.size() << ":";
  for (const model::Operation& operation : found.scenario.operations) {
    std::cout << " " << ToText(found.scenario.topology, operation) << ";";
  }
  std::cout << "\n";
}

// How `design` with an error in `step` fares beside `right`.
bool IsNoticed(const std::string& design, Step step, const LoadSystem& right,
               const model::Capabilities& capabilities) {
  const CompareResult result =
      Search(Model(design, {step}), right, capabilities, kRuns);
  Tell(std::string(StepName(step)), result);
  return !result.differences.empty();
}

// Steps of which an error cannot show where one thread runs: they decide or
// lock, and leave nothing behind.
bool LeavesNothing(Step step) {
  return step == Step::kSetDomain || step == Step::kLockAsid ||
         step == Step::kFlush;  // what it notes is for an explorer of states
}

// Steps that 6.12 does not take: resets, arrays, PASIDs that go when others
// stay; and one that no kernel takes.
bool IsBeyond612(Step step) {
  switch (step) {
    case Step::kPasidRevert:
    case Step::kPasidRevertDone:
    case Step::kResetParkRid:
    case Step::kResetParkPasids:
    case Step::kResetFunction:
    case Step::kResetRestoreRid:
    case Step::kResetRestorePasids:
    case Step::kMerge:
    case Step::kPublish:
    case Step::kUnref:
    case Step::kFlushTag:
    case Step::kPurge:
    case Step::kUndoEnable:
    case Step::kDowngrade:
    case Step::kLeaveTargets:
      return true;
    default:
      return false;
  }
}

// The real driver of a Debian kernel, beside the preset of the same name.
class Conformance : public testing::Test {
 protected:
  // Skips the test if the source cannot be had: look at IsSkipped().
  void Load(const std::string& version) {
    const auto quiet = [](const std::string&) {};
    auto tree = linux_driver::ObtainTree(version, {}, quiet);
    if (!tree.ok()) {
      GTEST_SKIP() << "no source of Linux " << version << ": "
                   << tree.status().message();
    }
    auto path = linux_driver::BuildModule(
        *tree, linux_driver::BuildKind::kPlain, quiet);
    ASSERT_TRUE(path.ok()) << path.status();
    real_ = [path = *path, name = tree->name] {
      return linux_driver::LoadModule(path, name);
    };
    auto loaded = real_();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    capabilities_ =
        Meet(CapabilitiesOf(DesignOf(version)), (*loaded)->capabilities());
  }

  void ExpectTheSame(const std::string& version) {
    Load(version);
    if (IsSkipped() || HasFailure()) return;
    const CompareResult result =
        Search(Model(version), real_, capabilities_, kRuns);
    EXPECT_GT(result.operations, 150000u);
    EXPECT_TRUE(result.differences.empty())
        << Print(result.differences.front().scenario);
  }

  LoadSystem real_;
  model::Capabilities capabilities_;
};

TEST_F(Conformance, TheModelOf61ShowsWhatTheDriverShows) {
  ExpectTheSame("6.1");
}
TEST_F(Conformance, TheModelOf612ShowsWhatTheDriverShows) {
  ExpectTheSame("6.12");
}
TEST_F(Conformance, TheModelOf72ShowsWhatTheDriverShows) {
  ExpectTheSame("7.2");
}
TEST_F(Conformance, TheModelOf73ShowsWhatTheDriverShows) {
  ExpectTheSame("7.3");
}

TEST_F(Conformance, AnErrorInAnyStepThat61TakesIsNoticed) {
  Load("6.1");
  if (IsSkipped() || HasFailure()) return;
  for (Step step :
       {Step::kBegin,        Step::kProbeMaster,  Step::kProbePasid,
        Step::kProbeGroup,   Step::kProbeJoin,    Step::kProbeAttach,
        Step::kProbeEnd,     Step::kReleaseBegin, Step::kReleaseMaster,
        Step::kReleaseGroup, Step::kNextDevice,   Step::kDeviceDone,
        Step::kGroupDone,    Step::kCheckDomain,  Step::kPredict,
        Step::kBelieve,      Step::kInstallCd,    Step::kInstallSte,
        Step::kList,         Step::kCount,        Step::kAtcInvDomain,
        Step::kEnableAts,    Step::kDisableAts,   Step::kInvalidateAtc,
        Step::kUncount,      Step::kLeaveList,    Step::kTlbi}) {
    EXPECT_TRUE(IsNoticed("6.1", step, real_, capabilities_)) << StepName(step);
  }
}

TEST_F(Conformance, AnErrorInAnyStepThat612TakesIsNoticed) {
  Load("6.12");
  if (IsSkipped() || HasFailure()) return;
  for (int i = 1; i < machine::kSteps; ++i) {
    const auto step = static_cast<Step>(i);
    if (LeavesNothing(step) || IsBeyond612(step)) continue;
    EXPECT_TRUE(IsNoticed("6.12", step, real_, capabilities_))
        << StepName(step);
  }
}

TEST_F(Conformance, AnErrorInAnyStepBeyond612IsNoticed) {
  Load("7.3");
  if (IsSkipped() || HasFailure()) return;
  for (int i = 1; i < machine::kSteps; ++i) {
    const auto step = static_cast<Step>(i);
    // Trash is no part of what is compared; the rollback of a PASID that fails
    // needs one function that fails at the first and another at the second try.
    const bool hidden = step == Step::kPurge || step == Step::kPasidRevertDone;
    if (!IsBeyond612(step) || step == Step::kUndoEnable || hidden) continue;
    EXPECT_TRUE(IsNoticed("7.3", step, real_, capabilities_)) << StepName(step);
  }
}

TEST_F(Conformance, AnotherChoiceOfDesignIsNoticed) {
  Load("6.12");
  if (IsSkipped() || HasFailure()) return;
  for (const char* change :
       {"prepare-ats=off", "pf-aware-support=off", "prepare-failure=fatal",
        "prepare-failure=unwound", "enable-failure=follows-device",
        "enable-failure=rolled-back", "enable-failure=retried",
        "enable-failure-warns=on", "eats-before-enable=off",
        "disable-before-ste=off", "list-before-belief=off",
        "invalidate-on-disable=off", "invalidate-on-replace=off",
        "tlbi-before-atc-inv=off"}) {
    const CompareResult result = Search(Model(std::string("6.12,") + change),
                                        real_, capabilities_, kRuns);
    Tell(change, result);
    EXPECT_FALSE(result.differences.empty()) << change;
  }
}

}  // namespace
}  // namespace atsfuzz::fuzz
