#include "model/machine/promises.h"

#include "gtest/gtest.h"
#include "model/contract.h"
#include "model/machine/arbitrary.h"
#include "model/text.h"

namespace atsfuzz::machine {
namespace {

using model::Contract;
using model::DomainId;
using model::FunctionId;
using model::Route;

Dom DomOfRoute(const model::Topology& topology, FunctionId id, Route route,
               DomainId domain) {
  switch (route) {
    case Route::kUnprobed:
      return kNoDomain;
    case Route::kBlocked:
      return kBlocked;
    case Route::kIdentity:
      return kIdentity;
    case Route::kDefaultDma:
      return DomOf(DefaultSlot(topology.LeaderOf(id).value));
    case Route::kDomain:
      return DomOf(domain.value);
  }
  return kNoDomain;
}

unsigned Pages(const model::Mappings& mappings) {
  unsigned pages = 0;
  for (const model::Mapping& mapping : mappings) {
    pages |= ((1u << mapping.pages) - 1) << mapping.page;
  }
  return pages;
}

void ExpectSameFunction(const Machine& machine, const Promises& promises,
                        const Contract& contract, uint8_t f) {
  const model::FunctionState& state = contract.function(FunctionId(f));
  const model::Topology& topology = contract.topology();
  const Board& board = machine.board();
  RC_ASSERT(state.probed == ((promises.probed >> f & 1) != 0));
  RC_ASSERT(state.probe_tried == (promises.functions[f].probe_tried != 0));
  RC_ASSERT(state.reset_depth == promises.functions[f].reset_depth);
  RC_ASSERT(DomOfRoute(topology, FunctionId(f), state.route, state.domain) ==
            RidPromised(board, promises, f));
  if (!state.probed) return;
  const Promises::Group& group = promises.groups[board.functions[f].leader];
  RC_ASSERT(state.owned == (group.owned != 0));
  RC_ASSERT(state.attached == (group.attached != 0));
  RC_ASSERT(state.parked == (promises.functions[f].parked != 0));
  RC_ASSERT((state.default_domain == model::DefaultDomain::kIdentity) ==
            (group.default_identity != 0));
  RC_ASSERT(DomOfRoute(topology, FunctionId(f), state.group_route,
                       state.group_domain) == group.domain);
  for (uint8_t ssid = 1; ssid < kSsids; ++ssid) {
    Dom expected = kNoDomain;
    for (const model::PasidState& pasid : state.pasids) {
      if (pasid.pasid == ssid) expected = DomOf(pasid.domain.value);
    }
    if (state.parked) expected = kNoDomain;
    RC_ASSERT(PasidPromised(board, promises, f, ssid) == expected);
  }
}

void ExpectSame(const Machine& machine, const Promises& promises,
                const Contract& contract) {
  for (uint8_t f = 0; f < machine.board().function_count; ++f) {
    ExpectSameFunction(machine, promises, contract, f);
  }
  for (uint8_t d = 0; d < machine.board().domain_count; ++d) {
    const model::DomainState& state = contract.domain(DomainId(d));
    const Promises::Domain& domain = promises.domains[d];
    RC_ASSERT(state.allocated == (domain.allocated != 0));
    RC_ASSERT(state.finalised == (domain.finalised != 0));
    RC_ASSERT(Pages(state.mappings) == domain.mapped);
    RC_ASSERT(Pages(state.unflushed) == domain.unflushed);
  }
}

TEST(Promises, AllowWhatTheContractAllowsAndKnowWhatItKnows) {
  // The first machines of a run are tiny: enough of them to be sure of others.
  int refused = 0, allowed = 0, failed = 0;
  const bool holds = rc::check([&] {
    const Design design = ArbitraryDesign();
    const model::Topology topology = ArbitraryTopology(design);
    const bool faults = model::Coin();
    const Machine machine(topology, design);
    const Alphabet alphabet(machine);
    Walk walk(machine, alphabet, *rc::gen::arbitrary<uint32_t>());
    State state = machine.Boot();
    Promises promises = NoPromises(machine);
    Contract contract(topology, CapabilitiesOf(design));
    for (int step = 0; step < 60; ++step) {
      for (const Request& letter : alphabet.letters()) {
        const model::Operation operation = OperationOf(letter);
        const bool allows = contract.Allows(operation).ok();
        if (allows != Allows(machine, promises, letter)) {
          RC_FAIL(model::ToText(topology, operation) +
                  (allows ? " is refused: " : " is allowed: ") +
                  std::string(contract.Allows(operation).message()));
        }
        ++(allows ? allowed : refused);
        if (!allows) continue;
        RC_ASSERT(contract.AllocatesDomain(operation) ==
                  AllocatesDomain(promises, letter));
      }
      const Request request = WithArbitraryFaults(walk.Next(promises), faults);
      Thread thread = machine.Begin(request, 0);
      while (machine.Advance(state, thread)) {
      }
      if (thread.oops) return;
      failed += thread.result != 0;
      Apply(machine, promises, request, thread.result);
      contract.Apply(OperationOf(request), thread.result, 0);
      ExpectSame(machine, promises, contract);
    }
  });
  EXPECT_TRUE(holds);
  EXPECT_GT(refused, 100000);
  EXPECT_GT(allowed, 100000);
  EXPECT_GT(failed, 100);
}

TEST(Alphabet, FindsEachLetterByItsArguments) {
  const auto scenario = model::Parse(
      "smmu s0\npf p0 smmu=s0 ats pasids=4\npf p1 smmu=s0 streams=1,2\n"
      "domain d0 smmu=s0 stage=1\ndomain d1 smmu=s0 stage=2\n",
      "test");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const Machine machine(scenario->topology, *ParseDesign("7.3"));
  const Alphabet alphabet(machine);
  ASSERT_GT(alphabet.letters().size(), 100u);
  for (const Request& letter : alphabet.letters()) {
    Arguments arguments;
    arguments.function = letter.function;
    arguments.domain = letter.domain;
    arguments.ssid = letter.ssid;
    arguments.stream = letter.stream;
    arguments.page = letter.page;
    for (int i = 0; i < Alphabet::kRangeCount; ++i) {
      const auto [page, pages] = Alphabet::kRanges[i];
      if (page == letter.page && pages == letter.pages) {
        arguments.range = static_cast<uint8_t>(i);
      }
    }
    arguments.queued = letter.queued || letter.identity;
    EXPECT_EQ(&alphabet.At(letter.kind, arguments), &letter);
  }
}

}  // namespace
}  // namespace atsfuzz::machine
