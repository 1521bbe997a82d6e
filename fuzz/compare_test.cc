#include "fuzz/compare.h"

#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "fuzz/lockstep.h"
#include "fuzz/predict.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/address.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::OperationKind;
using model::Scenario;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr uint64_t kSync = 0x46, kCfgiSte = 0x03, kTlbiVa = 0x12,
                   kTlbiAsid = 0x11, kAtcInv = 0x40, kPrefetch = 0x01;

// What a system shows of one operation, for a test to change.
struct Show {
  const Operation* operation = nullptr;  // null: the boot
  int result = 0;
  atsfuzz_observation seen = {};
  std::vector<atsfuzz_event> events;
  std::vector<atsfuzz_atc_entry> atc;
  std::vector<atsfuzz_iotlb_entry> iotlb;
  std::vector<atsfuzz_inv> invs;

  bool Is(OperationKind kind) const {
    return operation != nullptr && operation->kind == kind;
  }
  atsfuzz_event& Happens(uint16_t kind, uint64_t a = 0, uint64_t b = 0,
                         uint64_t c = 0) {
    atsfuzz_event event = {};
    event.kind = kind;
    event.a = a, event.b = b, event.c = c;
    return events.emplace_back(event);
  }
  void Commands(std::initializer_list<std::pair<uint64_t, uint64_t>> commands) {
    for (const auto& [a, b] : commands) Happens(ATSFUZZ_EVENT_COMMAND, a, b);
  }
};
using Twist = std::function<void(Show&)>;

// A machine at whose every instant d0 (ASID 1, table 0x1000) is there and p0's
// stream is in it, with a translation in each cache; a twist changes that.
class FakeSystem final : public model::System {
 public:
  explicit FakeSystem(Twist twist) : twist_(std::move(twist)) {}

  absl::Status Boot(const model::Topology& topology) override {
    contract_.emplace(topology);
    Start(nullptr);
    if (twist_) twist_(show_);
    Finish();
    return show_.result == 0 ? absl::OkStatus()
                             : absl::FailedPreconditionError("no boot");
  }
  int Operate(const Operation& operation, model::FunctionId,
              uint64_t physical) override {
    Start(&operation);
    show_.result = PredictResult(*contract_, operation);
    if (twist_) twist_(show_);
    contract_->Apply(operation, show_.result, physical);
    Finish();
    return show_.result;
  }
  void Shutdown() override { show_.events.clear(); }
  const atsfuzz_observation& Observe() override { return show_.seen; }
  std::span<const atsfuzz_event> Events() override { return show_.events; }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

 private:
  void Start(const Operation* operation) {
    show_ = Show();
    show_.operation = operation;
    atsfuzz_domain& domain = show_.seen.domains[0];
    domain = {.exists = 1, .finalised = 1, .stage = 1, .tag = 1};
    domain.has_counter = domain.has_array = 1;
    domain.table = 0x1000;
    show_.seen.domains[ATSFUZZ_MAX_DOMAINS] = domain;
    show_.seen.domains[ATSFUZZ_MAX_DOMAINS].tag = 9;
    show_.seen.domains[ATSFUZZ_MAX_DOMAINS].table = 0x9000;
    show_.seen.functions[0].probed = 1;
    atsfuzz_stream& stream = show_.seen.functions[0].streams[0];
    stream.route = ATSFUZZ_ROUTE_STAGE1;
    stream.cd_valid = stream.asid = 1;
    stream.table = 0x1000;
    show_.invs.push_back({.type = ATSFUZZ_INV_S1_ASID, .id = 1, .users = 1});
    domain.num_invs = 1;
    const uint64_t iova = model::kIovaBase;
    show_.atc.push_back({.iova = iova, .physical = iova, .size = 4096});
    show_.iotlb.push_back(
        {.stage = 1, .tag = 1, .iova = iova, .physical = iova, .size = 4096});
  }
  void Finish() {
    show_.seen.atc = show_.atc.data();
    show_.seen.atc_count = static_cast<uint32_t>(show_.atc.size());
    show_.seen.iotlb = show_.iotlb.data();
    show_.seen.iotlb_count = static_cast<uint32_t>(show_.iotlb.size());
    show_.seen.invs = show_.invs.data();
    show_.seen.inv_count = static_cast<uint32_t>(show_.invs.size());
  }

  const Twist twist_;
  const std::string name_ = "fake";
  const model::Capabilities capabilities_ = {.requires_ats = false};
  std::optional<model::Contract> contract_;
  Show show_;
};

Scenario Read(const std::string& text) {
  auto scenario = model::Parse(text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

constexpr char kLong[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  p0\n"
    "attach p0 d0\n"
    "map    d0 0\n"
    "dma    p0 0\n"
    "unmap  d0 0\n"
    "detach p0\n";

LockstepResult Lockstep(const Twist& left, const Twist& right,
                        const std::string& text = kLong) {
  FakeSystem one(left), other(right);
  auto result = RunLockstep(Read(text), one, other);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : LockstepResult();
}

// Nothing but what happens in the attach.
Twist InAttach(const Twist& twist) {
  return [twist](Show& show) {
    if (show.Is(OperationKind::kAttach)) twist(show);
  };
}

TEST(Compare, FindsNoDifferenceBetweenEqualSystems) {
  const LockstepResult result = Lockstep(nullptr, nullptr);
  EXPECT_FALSE(result.difference);
  EXPECT_THAT(result.kept, ElementsAre(0, 1, 2, 3, 4, 5));
}

struct Case {
  const char* signature;
  Twist twist;
};

atsfuzz_stream& StreamOf(Show& show) {
  return show.seen.functions[0].streams[0];
}

atsfuzz_domain& Default(Show& show) {
  return show.seen.domains[ATSFUZZ_MAX_DOMAINS];
}

std::vector<Case> Cases() {
  return {
      {"return-attach", [](Show& s) { s.result = -12; }},
      {"death-attach", [](Show& s) { s.Happens(ATSFUZZ_EVENT_MEMORY_ERROR); }},
      {"death-attach", [](Show& s) { s.Happens(ATSFUZZ_EVENT_WARN, 1); }},
      {"warning-attach", [](Show& s) { s.Happens(ATSFUZZ_EVENT_WARN); }},
      {"belief-function", [](Show& s) { s.seen.functions[0].belief ^= 1; }},
      {"ats-function", [](Show& s) { s.seen.functions[0].ats ^= 1; }},
      {"pasid-function", [](Show& s) { s.seen.functions[0].pasid ^= 1; }},
      {"probed-function", [](Show& s) { s.seen.functions[0].probed ^= 1; }},
      {"stu-function", [](Show& s) { s.seen.functions[0].stu = 12; }},
      {"group-domain-function",
       [](Show& s) { s.seen.functions[0].group_domain = ATSFUZZ_NONE; }},
      {"route-stream",
       [](Show& s) { StreamOf(s).route = ATSFUZZ_ROUTE_BYPASS; }},
      {"eats-stream", [](Show& s) { StreamOf(s).eats ^= 1; }},
      {"cd-valid-stream", [](Show& s) { StreamOf(s).cd_valid = 0; }},
      {"table-stream", [](Show& s) { StreamOf(s).table = 0x2000; }},
      {"tag-stream", [](Show& s) { StreamOf(s).asid = 2; }},
      {"master-stream", [](Show& s) { StreamOf(s).master = ATSFUZZ_NONE; }},
      {"substream-function",
       [](Show& s) {
         s.seen.functions[0].substream_count = 1;
         s.seen.functions[0].substreams[0] = {1, 1, 0, 0x1000};
       }},
      {"counter-domain", [](Show& s) { s.seen.domains[0].nr_ats_masters++; }},
      {"attachments-domain",
       [](Show& s) { s.seen.domains[0].attachments[0]++; }},
      {"pasid-attachments-domain",
       [](Show& s) { s.seen.domains[0].pasid_attachments[0]++; }},
      {"array-entry-domain", [](Show& s) { s.invs[0].users++; }},
      {"array-entry-domain", [](Show& s) { s.invs[0].users = 0; }},
      {"exists-default-domain", [](Show& s) { Default(s).exists = 0; }},
      {"finalised-default-domain", [](Show& s) { Default(s).finalised = 0; }},
      {"stage-default-domain", [](Show& s) { Default(s).stage = 2; }},
      {"smmu-default-domain", [](Show& s) { Default(s).smmu = 1; }},
      {"atc-entry", [](Show& s) { s.atc.clear(); }},
      {"atc-entry", [](Show& s) { s.atc[0].physical = 0x77000; }},
      {"iotlb-entry", [](Show& s) { s.iotlb.clear(); }},
      {"dma-function",
       [](Show& s) { s.Happens(ATSFUZZ_EVENT_DMA, 1 << 30, ~uint64_t{0}); }},
      {"smmu-fault-F_TRANSLATION",
       [](Show& s) { s.Happens(ATSFUZZ_EVENT_SMMU_FAULT, 0x10); }},
      {"timeout-attach", [](Show& s) { s.Happens(ATSFUZZ_EVENT_TIMEOUT); }},
      {"config-write-attach",
       [](Show& s) { s.Happens(ATSFUZZ_EVENT_CONFIG_WRITE, 0, 0, 0x8000); }},
      {"command-attach",
       [](Show& s) {
         s.Commands({{kCfgiSte, 0}, {kSync, 0}});
       }},
  };
}

TEST(Compare, SeesEveryKindOfDifferenceOnEitherSide) {
  for (const Case& each : Cases()) {
    for (const bool is_left : {true, false}) {
      const Twist twist = InAttach(each.twist);
      const LockstepResult result =
          is_left ? Lockstep(twist, nullptr) : Lockstep(nullptr, twist);
      ASSERT_TRUE(result.difference) << each.signature;
      EXPECT_EQ(result.difference->signature, each.signature);
      EXPECT_EQ(result.difference->operation, 1u) << each.signature;
      EXPECT_NE(result.difference->left, result.difference->right)
          << each.signature;
    }
  }
}

TEST(Compare, SeesADifferenceOfOneMachineThatDoesNotComeUp) {
  const auto fails = [](Show& s) { s.result = s.operation ? s.result : -1; };
  const LockstepResult result = Lockstep(nullptr, fails);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->signature, "boot-machine");
  EXPECT_TRUE(result.difference->at_boot);
}

TEST(Compare, ForgivesOtherTagsAddressesAndTrash) {
  const auto other = [](Show& s) {
    s.seen.domains[0].tag = s.iotlb[0].tag = StreamOf(s).asid = 7;
    s.invs[0].id = 7;
    s.seen.domains[0].table = StreamOf(s).table = 0x5000;
    s.invs.push_back({.type = ATSFUZZ_INV_ATS, .id = 0x300, .users = 0});
    s.seen.domains[0].num_invs = 2;
  };
  const LockstepResult result = Lockstep(nullptr, other);
  EXPECT_FALSE(result.difference) << result.difference->subject;
}

TEST(Compare, ForgivesCountersAndArraysThatOneKernelDoesNotHave) {
  const auto old = [](Show& s) {
    s.seen.domains[0].has_array = s.seen.domains[0].has_counter = 0;
    s.invs.clear();
    s.seen.domains[0].num_invs = 0;
    s.seen.domains[0].nr_ats_masters = 5;
  };
  EXPECT_FALSE(Lockstep(nullptr, old).difference);
}

TEST(Compare, ForgivesAnotherBatchingOfTheSameInvalidations) {
  const uint64_t asid = uint64_t{1} << 48, iova = model::kIovaBase;
  const auto whole = InAttach([&](Show& s) {
    s.Commands({{kCfgiSte, 0},
                {kCfgiSte | uint64_t{1} << 32, 0},
                {kSync, 0},
                {kTlbiVa | asid | 1 << 12, iova | 1 << 10},
                {kSync, 0},
                {kAtcInv, iova | 1},
                {kSync, 0}});
  });
  const auto pieces = InAttach([&](Show& s) {
    s.Commands({{kCfgiSte | uint64_t{1} << 32, 0},
                {kSync, 0},
                {kCfgiSte, 0},
                {kCfgiSte, 0},
                {kSync, 0},
                {kTlbiVa | asid, iova + 4096},
                {kSync, 0},
                {kTlbiVa | asid, iova},
                {kSync, 0},
                {kAtcInv, iova},
                {kAtcInv, iova + 4096},
                {kSync, 0}});
  });
  const LockstepResult result = Lockstep(whole, pieces);
  EXPECT_FALSE(result.difference) << result.difference->left << "\n"
                                  << result.difference->right;
}

TEST(Compare, DoesNotForgiveAnotherOrderOfInvalidations) {
  const uint64_t asid = uint64_t{1} << 48;
  const auto right_order = InAttach([&](Show& s) {
    s.Commands({{kTlbiAsid | asid, 0}, {kSync, 0}, {kAtcInv, 52}, {kSync, 0}});
  });
  const auto wrong_order = InAttach([&](Show& s) {
    s.Commands({{kAtcInv, 52}, {kSync, 0}, {kTlbiAsid | asid, 0}, {kSync, 0}});
  });
  const auto unordered = InAttach([&](Show& s) {
    s.Commands({{kTlbiAsid | asid, 0}, {kAtcInv, 52}, {kSync, 0}});
  });
  const LockstepResult swapped = Lockstep(right_order, wrong_order);
  ASSERT_TRUE(swapped.difference);
  EXPECT_EQ(swapped.difference->left,
            "TLBI of d0 everything; then ATC_INV 0 everything");
  EXPECT_TRUE(Lockstep(right_order, unordered).difference);
}

TEST(Compare, DoesNotForgiveAConfigWriteOnTheOtherSideOfACommand) {
  const auto before = InAttach([](Show& s) {
    s.Happens(ATSFUZZ_EVENT_CONFIG_WRITE, 0, 0, 0x8000);
    s.Commands({{kAtcInv, 52}, {kSync, 0}});
  });
  const auto after = InAttach([](Show& s) {
    s.Commands({{kAtcInv, 52}, {kSync, 0}});
    s.Happens(ATSFUZZ_EVENT_CONFIG_WRITE, 0, 0, 0x8000);
  });
  EXPECT_TRUE(Lockstep(before, after).difference);
}

TEST(Compare, CountsTheDifferencesThatItAllows) {
  const auto hints = InAttach([](Show& s) {
    s.Commands({{kPrefetch, 0}, {kPrefetch, 0}});
  });
  const LockstepResult result = Lockstep(nullptr, hints);
  EXPECT_FALSE(result.difference);
  ASSERT_THAT(result.allowed, SizeIs(AllowedDifferences().size()));
  for (size_t i = 0; i < result.allowed.size(); ++i) {
    const bool is_hint = AllowedDifferences()[i].name == "prefetch";
    EXPECT_EQ(result.allowed[i], is_hint ? 1u : 0u);
  }
}

TEST(Compare, NeverAllowsADifferenceInWhatMustAgree) {
  for (const char* name :
       {"return", "belief", "counter", "array-entry", "route", "eats",
        "cd-valid", "table", "tag", "substream", "atc", "iotlb"}) {
    int kinds = 0;
    for (int i = 0; i < kObservedKinds; ++i) {
      const auto kind = static_cast<ObservedKind>(i);
      if (ObservedKindName(kind) != name) continue;
      ++kinds;
      EXPECT_TRUE(MustAgree(kind)) << name;
      Observed observed;
      observed.kind = kind;
      EXPECT_EQ(AllowedBy({nullptr, &observed, nullptr}), -1);
    }
    EXPECT_EQ(kinds, 1) << name;
  }
}

TEST(Compare, ComparesWarningsByFunctionIfBothNameIt) {
  const auto warns_in = [](const char* function) {
    return InAttach([function](Show& s) {
      s.Happens(ATSFUZZ_EVENT_WARN).kernel_function = function;
    });
  };
  EXPECT_FALSE(Lockstep(warns_in("a"), warns_in("a")).difference);
  EXPECT_TRUE(Lockstep(warns_in("a"), warns_in("b")).difference);
  EXPECT_FALSE(Lockstep(warns_in("a"), warns_in(nullptr)).difference);
}

TEST(Compare, TellsAStaleTranslationFromALiveOneButNotFromAnother) {
  const auto leads_to = [](uint64_t physical) {
    return [physical](Show& s) {
      if (!s.Is(OperationKind::kMap)) return;
      s.iotlb[0].physical = physical;
    };
  };
  const model::Smmu smmu;
  const uint64_t live = model::PhysicalOf(smmu, 0, 0);
  EXPECT_FALSE(Lockstep(leads_to(0x1000), leads_to(0x2000)).difference);
  const LockstepResult result = Lockstep(leads_to(live), leads_to(0x2000));
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->left, "what d0 maps there");
}

TEST(Compare, EndsARunInWhichBothDie) {
  const auto dies =
      InAttach([](Show& s) { s.Happens(ATSFUZZ_EVENT_MEMORY_ERROR); });
  const LockstepResult result = Lockstep(dies, dies);
  EXPECT_TRUE(result.died);
  EXPECT_FALSE(result.difference);
  EXPECT_THAT(result.kept, SizeIs(2));
}

TEST(Compare, RefusesWhatNoKernelCouldDo) {
  FakeSystem one(nullptr), other(nullptr);
  const Scenario scenario = Read("smmu s0\npf p0 smmu=s0\nunclaim p0\n");
  const auto refused = RunLockstep(scenario, one, other);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto dropped =
      RunLockstep(scenario, one, other, {.drop_impossible = true});
  ASSERT_TRUE(dropped.ok());
  EXPECT_THAT(dropped->kept, SizeIs(0));
}

// ---- Campaigns.

CompareOptions OptionsFor(const Twist& left, const Twist& right) {
  const auto load = [](const Twist& twist) {
    return [twist]() -> absl::StatusOr<std::unique_ptr<model::System>> {
      return std::make_unique<FakeSystem>(twist);
    };
  };
  CompareOptions options;
  options.fast = options.located = {load(left), load(right)};
  options.runs = 200;
  return options;
}

void CrashInUnmap(Show& show) {
  if (show.Is(OperationKind::kUnmap)) abort();
}

TEST(Compare, ShrinksWhatItFinds) {
  const auto twist = [](Show& s) {
    if (s.Is(OperationKind::kUnmap)) s.seen.functions[0].belief = 1;
  };
  const auto result = RunComparison(OptionsFor(nullptr, twist));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->differences, SizeIs(1));
  const FoundDifference& found = result->differences[0];
  EXPECT_EQ(found.difference.signature, "belief-function");
  EXPECT_EQ(found.difference.left, "off");
  EXPECT_EQ(found.difference.right, "on");
  EXPECT_TRUE(found.minimal);
  // A probe to allocate the domain, a map, the unmap.
  EXPECT_EQ(model::Print(found.scenario),
            "smmu   s0\npf     p0  smmu=s0\ndomain d0  smmu=s0 stage=1\n\n"
            "probe p0\nmap d0 0\nunmap d0 0\n");
  EXPECT_GE(found.found_operations, 3u);
}

TEST(Compare, IsCleanOnEqualSystemsAndRepeatsItself) {
  const auto first = RunComparison(OptionsFor(nullptr, nullptr));
  const auto second = RunComparison(OptionsFor(nullptr, nullptr));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->runs, 200u);
  EXPECT_GT(first->operations, 1000u);
  EXPECT_EQ(first->operations, second->operations);
  EXPECT_THAT(first->differences, SizeIs(0));
}

TEST(Compare, TellsACrashOfOneSideFromOneOfBoth) {
  const auto one = RunComparison(OptionsFor(nullptr, CrashInUnmap));
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_THAT(one->differences, SizeIs(1));
  EXPECT_EQ(one->differences[0].difference.signature, "death-unmap");
  EXPECT_EQ(one->differences[0].difference.left, "lives on");
  EXPECT_THAT(one->differences[0].difference.right, HasSubstr("signal 6"));
  EXPECT_THAT(one->differences[0].scenario.operations, SizeIs(3));
  CompareOptions options = OptionsFor(CrashInUnmap, CrashInUnmap);
  options.runs = 20;
  const auto both = RunComparison(options);
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(both->differences, SizeIs(0));
  EXPECT_EQ(both->runs, 20u);
}

TEST(Compare, ACrashEqualsADeathThatTheOtherSideReports) {
  const auto reports = [](Show& s) {
    if (s.Is(OperationKind::kUnmap)) s.Happens(ATSFUZZ_EVENT_MEMORY_ERROR);
  };
  for (const bool is_left : {true, false}) {
    const auto result =
        RunComparison(is_left ? OptionsFor(CrashInUnmap, reports)
                              : OptionsFor(reports, CrashInUnmap));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->differences, SizeIs(0));
  }
}

TEST(Compare, GoesOnForOtherDifferencesIfAsked) {
  const auto twist = [](Show& s) {
    if (s.Is(OperationKind::kUnmap)) s.seen.functions[0].belief = 1;
    if (s.Is(OperationKind::kClaim)) s.seen.functions[0].ats = 1;
  };
  CompareOptions options = OptionsFor(nullptr, twist);
  options.keep_going = true;
  const auto result = RunComparison(options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->differences, SizeIs(2));
  EXPECT_GT(result->differences[0].times, 1u);
  EXPECT_EQ(result->runs, 200u);
}

TEST(Compare, RunsGivenScenariosAndSaysWhichItCannot) {
  CompareOptions options = OptionsFor(
      nullptr, InAttach([](Show& s) { s.seen.functions[0].ats ^= 1; }));
  options.scenarios = {
      Read("smmu s0\npf p0 smmu=s0 ats requires-ats\nprobe p0\n"), Read(kLong)};
  options.generates = false;
  const auto result = RunComparison(options);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_THAT(result->unfit, SizeIs(1));
  EXPECT_EQ(result->unfit[0].first, 0u);
  EXPECT_THAT(result->unfit[0].second, HasSubstr("fake"));
  ASSERT_THAT(result->differences, SizeIs(1));
  EXPECT_EQ(result->differences[0].run, 1u);
}

TEST(Compare, KeepsWhatItFoundWhenItIsInterrupted) {
  const auto twist = [](Show& s) {
    if (s.Is(OperationKind::kUnmap)) s.seen.functions[0].belief = 1;
  };
  CompareOptions options = OptionsFor(nullptr, twist);
  size_t found = 0;
  options.runs.reset();
  options.keep_going = true;
  options.progress = [&](const CompareProgress& now) {
    found = now.differences;
  };
  options.interrupted = [&] { return found > 0; };
  const auto result = RunComparison(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->interrupted);
  EXPECT_THAT(result->differences, SizeIs(1));
}

TEST(Compare, SaysAllocationFaultsBySite) {
  Scenario scenario = Read("smmu s0\npf p0 smmu=s0\nprobe p0 !alloc#3\n");
  scenario = ByAllocationSite(scenario);
  EXPECT_EQ(scenario.operations[0].faults.alloc_numbers, 0u);
  EXPECT_EQ(scenario.operations[0].faults.alloc_sites, 1u << 2);
}

}  // namespace
}  // namespace atsfuzz::fuzz
