#include "model/machine/machine.h"

#include <cerrno>
#include <cstring>

#include "gtest/gtest.h"
#include "model/machine/arbitrary.h"
#include "model/machine/array.h"
#include "model/text.h"

namespace atsfuzz::machine {
namespace {

using model::OperationKind;

constexpr char kWellBehaved[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats pasids=4 default=identity\n"
    "pf p1 smmu=s0 ats\n"
    "pf p2 smmu=s0 ats pasids=4\n"
    "pf p3 smmu=s0 ats group=p2\n"
    "domain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s0 stage=1\n"
    "domain d2 smmu=s0 stage=2\n"
    "domain d3 nested=d2 guest=bypass\n";

model::Topology WellBehaved() {
  const auto scenario = model::Parse(kWellBehaved, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario->topology;
}

Request On(OperationKind kind, uint8_t function, uint8_t domain = 0) {
  Request request = {};
  request.kind = kind;
  request.function = function;
  request.domain = domain;
  return request;
}

unsigned ListCount(const Machine& machine, const State& state, int slot, int f,
                   int ssid) {
  return machine.board().ListOf(state, slot, ssid) >> 2 * f & 3u;
}

TEST(Machine, CounterAndListAndArrayAgreeAtRest) {
  const Machine machine(WellBehaved(), *ParseDesign("7.3"));
  const Alphabet alphabet(machine);
  int attached = 0;
  EXPECT_TRUE(rc::check([&] {
    Walk walk(machine, alphabet, *rc::gen::arbitrary<uint32_t>());
    State state = machine.Boot();
    Promises promises = NoPromises(machine);
    for (int step = 0; step < 200; ++step) {
      const Request& request = walk.Next(promises);
      Apply(machine, promises, request, machine.Run(state, request));
      for (int slot = 0; slot < kSlots; ++slot) {
        const Domain& domain = state.domains[slot];
        if (machine.board().IsNested(slot)) continue;
        int listed = 0;
        for (int f = 0; f < kFunctions; ++f) {
          for (int ssid = 0; ssid < kSsids; ++ssid) {
            const unsigned count = ListCount(machine, state, slot, f, ssid);
            if (!state.functions[f].ats || count == 0) continue;
            listed += static_cast<int>(count);
            // One function, one stream id.
            const int stream = machine.board().functions[f].stream[0];
            RC_ASSERT(AtsUsers(domain.invs, stream, ssid) == count);
          }
        }
        RC_ASSERT(domain.nr_ats_masters == listed);
        RC_ASSERT(LiveAts(domain.invs) == listed);
        attached += listed;
      }
    }
  }));
  EXPECT_GT(attached, 1000);
}

// With every allocation failing in turn, until none is left to fail.
TEST(Machine, AFailedAttachOfAGroupRestoresWhatWas) {
  const Machine machine(WellBehaved(), *ParseDesign("7.3"));
  State before = machine.Boot();
  for (const Request& request :
       {On(OperationKind::kProbe, 2), On(OperationKind::kProbe, 3),
        On(OperationKind::kDomainNew, 0, 0),
        On(OperationKind::kDomainNew, 0, 1), On(OperationKind::kClaim, 2),
        On(OperationKind::kAttach, 2, 0)}) {
    ASSERT_EQ(machine.Run(before, request), 0);
  }
  int failures = 0;
  for (int n = 0; n < 64; ++n) {
    State state = before;
    Request replace = On(OperationKind::kReplace, 2, 1);
    replace.alloc_numbers = uint64_t{1} << n;
    if (machine.Run(state, replace) == 0) continue;
    ++failures;
    // Caches may have been emptied, and has_ats is sticky.
    for (int slot = 0; slot < kSlots; ++slot) {
      state.domains[slot].invs.has_ats = before.domains[slot].invs.has_ats;
    }
    EXPECT_EQ(std::memcmp(state.domains, before.domains, sizeof(state.domains)),
              0)
        << "allocation " << n + 1;
    EXPECT_EQ(
        std::memcmp(state.functions, before.functions, sizeof(state.functions)),
        0)
        << "allocation " << n + 1;
    EXPECT_EQ(std::memcmp(state.ste, before.ste, sizeof(state.ste)), 0);
    EXPECT_EQ(std::memcmp(state.groups, before.groups, sizeof(state.groups)),
              0);
  }
  // The handle's place; array and attachment record of each of two functions.
  EXPECT_GE(failures, 5);
}

TEST(Machine, AnAttachThatCannotMergeLeavesTheArraysAsTheyWere) {
  const Machine machine(WellBehaved(), *ParseDesign("7.3"));
  State state = machine.Boot();
  for (const Request& request :
       {On(OperationKind::kProbe, 1), On(OperationKind::kProbe, 0),
        On(OperationKind::kDomainNew, 0, 0), On(OperationKind::kClaim, 1),
        On(OperationKind::kAttach, 1, 0), On(OperationKind::kClaim, 0)}) {
    ASSERT_EQ(machine.Run(state, request), 0);
  }
  ASSERT_EQ(LiveAts(state.domains[0].invs), 1);
  const State before = state;
  Request attach = On(OperationKind::kAttach, 0, 0);
  attach.alloc_sites =
      static_cast<uint16_t>(1u << static_cast<int>(model::AllocSite::kMerge));
  EXPECT_EQ(machine.Run(state, attach), -ENOMEM);
  EXPECT_TRUE(state.domains[0].invs == before.domains[0].invs);
  EXPECT_EQ(state.domains[0].nr_ats_masters, 1);
}

TEST(Machine, ProbeAndReleaseLeaveOnlyStreamTablesAndStuBehind) {
  int different = 0;
  EXPECT_TRUE(rc::check([&] {
    const Design design = ArbitraryDesign();
    const Machine machine(WellBehaved(), design);
    const auto f = static_cast<uint8_t>(model::Below(kFunctions));
    State state = machine.Boot();
    const State boot = state;
    RC_ASSERT(machine.Run(state, On(OperationKind::kProbe, f)) == 0);
    different += !(state == boot);
    RC_ASSERT(machine.Run(state, On(OperationKind::kRelease, f)) == 0);
    const State once = state;
    const Function& function = state.functions[f];
    RC_ASSERT(!function.ats && !function.pasid && !function.has_master);
    for (const uint8_t node : state.tree) RC_ASSERT(node == 0);
    for (const Domain& domain : state.domains) RC_ASSERT(!domain.exists);
    RC_ASSERT(state.leaked == 0);
    // What is kept is kept once.
    RC_ASSERT(machine.Run(state, On(OperationKind::kProbe, f)) == 0);
    RC_ASSERT(machine.Run(state, On(OperationKind::kRelease, f)) == 0);
    RC_ASSERT(state == once);
  }));
  EXPECT_GT(different, 50);
}

// A machine of p1 in d0, and threads of a block on it.
class Walks : public testing::Test {
 protected:
  explicit Walks(const char* design = "7.3")
      : machine_(WellBehaved(), *ParseDesign(design)), state_(machine_.Boot()) {
    for (const Request& request :
         {On(OperationKind::kProbe, 1), On(OperationKind::kDomainNew, 0, 0),
          On(OperationKind::kClaim, 1), On(OperationKind::kAttach, 1, 0)}) {
      EXPECT_EQ(machine_.Run(state_, request), 0);
    }
    Request map = On(OperationKind::kMap, 0xff, 0);
    map.pages = 1;
    EXPECT_EQ(machine_.Run(state_, map), 0);
  }

  Thread Unmap(int id) {
    Request unmap = On(OperationKind::kUnmap, 0xff, 0);
    unmap.pages = 1;
    return machine_.Begin(unmap, id);
  }
  // Up to before its next such step; false: it has returned.
  bool To(Step step, Thread& thread) {
    while (machine_.Next(thread) != step) {
      if (machine_.IsBlocked(state_, thread)) return false;
      if (!machine_.Advance(state_, thread)) return false;
    }
    return true;
  }

  const Machine machine_;
  State state_;
};

TEST_F(Walks, AnUnrefWaitsForThoseWhoWalkTheArray) {
  Thread walker = Unmap(1);
  Thread detach = machine_.Begin(On(OperationKind::kDetach, 1), 2);
  ASSERT_TRUE(To(Step::kAtcInvDomain, walker));
  ASSERT_TRUE(To(Step::kUnref, detach));
  EXPECT_TRUE(machine_.IsBlocked(state_, detach));
  ASSERT_FALSE(To(Step::kPurge, walker));  // to its end
  EXPECT_FALSE(machine_.IsBlocked(state_, detach));
  while (machine_.Advance(state_, detach)) {
  }
  EXPECT_EQ(detach.result, 0);
  EXPECT_EQ(LiveAts(state_.domains[0].invs), 0);
}

TEST_F(Walks, WhoWalksAnArrayThatWasReplacedFencesNobody) {
  ASSERT_EQ(machine_.Run(state_, On(OperationKind::kProbe, 0)), 0);
  ASSERT_EQ(machine_.Run(state_, On(OperationKind::kClaim, 0)), 0);
  Thread walker = Unmap(1);
  ASSERT_TRUE(To(Step::kAtcInvDomain, walker));
  const unsigned seen = AtsUsers(walker.seen, 0, 0);
  ASSERT_EQ(machine_.Run(state_, On(OperationKind::kAttach, 0, 0)), 0);
  Thread detach = machine_.Begin(On(OperationKind::kDetach, 1), 2);
  ASSERT_TRUE(To(Step::kUnref, detach));
  EXPECT_FALSE(machine_.IsBlocked(state_, detach));
  EXPECT_EQ(AtsUsers(walker.seen, 0, 0), seen) << "it keeps what it has read";
}

TEST_F(Walks, AnArrayIsLeftAsItWasFound) {
  Thread walker = Unmap(1);
  ASSERT_TRUE(To(Step::kLeaveTargets, walker));
  EXPECT_NE(state_.domains[0].walkers, 0u);
  while (machine_.Advance(state_, walker)) {
  }
  EXPECT_EQ(state_.domains[0].walkers, 0u);
  EXPECT_EQ(state_.domains[0].lockers, 0u);
}

TEST_F(Walks, AnAccessNeedsNoGroupMutex) {
  Thread attach = machine_.Begin(On(OperationKind::kDetach, 1), 1);
  ASSERT_TRUE(To(Step::kInstallSte, attach));
  const Thread access = machine_.Begin(On(OperationKind::kDma, 1), 2);
  EXPECT_FALSE(machine_.IsBlocked(state_, access));
  const Thread claim = machine_.Begin(On(OperationKind::kUnclaim, 1), 3);
  EXPECT_TRUE(machine_.IsBlocked(state_, claim));
}

}  // namespace
}  // namespace atsfuzz::machine
