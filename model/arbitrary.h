#ifndef ATSFUZZ_MODEL_ARBITRARY_H_
#define ATSFUZZ_MODEL_ARBITRARY_H_

#include <ostream>
#include <string>
#include <vector>

#include "model/block.h"
#include "model/capabilities.h"
#include "model/scenario.h"
#include "model/text.h"
#include "rapidcheck.h"

// For tests of the language only: any scenario with a valid topology, up to the
// limits, whether or not the kernel could do it.
namespace atsfuzz::model {

inline void showValue(const Scenario& scenario, std::ostream& out) {
  out << Print(scenario);
}

// 0 .. bound - 1, all values about as likely, whatever the size.
inline uint32_t Below(uint32_t bound) {
  return *rc::gen::resize(rc::kNominalSize,
                          rc::gen::inRange<uint32_t>(0, bound));
}
inline bool Coin() { return Below(2) != 0; }

// Of a system that can do whatever the language can say.
inline Capabilities AllCapabilities() {
  Capabilities all;
  all.pasids = all.replace_pasid = all.resets = true;
  all.groups = all.requires_ats = all.nesting = all.replace = true;
  all.direct = true;
  return all;
}

inline Capabilities ArbitraryCapabilities() {
  Capabilities some;
  some.pasids = Coin();
  some.replace_pasid = some.pasids && Coin();
  some.resets = Coin();
  some.groups = Coin();
  some.requires_ats = Coin();
  some.nesting = Coin();
  some.replace = Coin();
  some.direct = Coin();
  some.finalised = static_cast<Finalised>(*rc::gen::inRange(0, 3));
  some.ats_asks_pf = Coin();
  if (Coin()) return some;
  some.functions = static_cast<uint8_t>(1 + Below(ATSFUZZ_MAX_FUNCTIONS));
  some.domains = static_cast<uint8_t>(1 + Below(ATSFUZZ_MAX_DOMAINS));
  some.streams = static_cast<uint8_t>(1 + Below(ATSFUZZ_MAX_STREAMS));
  some.pages = static_cast<uint16_t>(1 + Below(16));
  some.largest_pasid = 1 + Below(4);
  return some;
}

inline Smmu ArbitrarySmmu() {
  Smmu smmu;
  smmu.granules = static_cast<uint8_t>(1 + Below(7));
  smmu.stage1 = Coin();
  smmu.stage2 = !smmu.stage1 || Coin();
  smmu.ats = Coin();
  smmu.range_invalidation = Coin();
  return smmu;
}

inline Function ArbitraryFunction(const Topology& topology) {
  Function function;
  std::vector<FunctionId> pfs;
  for (uint8_t i = 0; i < topology.functions.size(); ++i) {
    if (topology.functions[i].kind == FunctionKind::kPf) pfs.emplace_back(i);
  }
  function.kind = static_cast<FunctionKind>(Below(3));
  if (function.kind == FunctionKind::kVf) {
    if (pfs.empty()) {
      function.kind = FunctionKind::kPf;
    } else {
      function.pf = pfs[Below(static_cast<uint32_t>(pfs.size()))];
    }
  }
  if (function.kind != FunctionKind::kPlatform) {
    function.ats = Coin();
    function.untrusted = Coin();
    if (function.kind != FunctionKind::kVf && Coin()) {
      function.pasid_bits = static_cast<uint8_t>(Below(21));
    }
    function.requires_ats = Coin();
  }
  function.eager = Coin();
  function.default_domain = static_cast<DefaultDomain>(Below(2));
  const uint32_t smmu = Below(static_cast<uint32_t>(topology.smmus.size()) + 1);
  if (smmu == topology.smmus.size()) return function;
  function.smmu = SmmuId(static_cast<uint8_t>(smmu));
  if (Coin()) {
    function.direct_pages = static_cast<uint16_t>(1 + Below(kMaxDirectPages));
    function.direct_page = static_cast<uint16_t>(
        Below(ATSFUZZ_MAX_PAGES - function.direct_pages + 1));
  }
  if (Coin()) {
    function.streams = DefaultStreams(
        FunctionId(static_cast<uint8_t>(topology.functions.size())));
    return function;
  }
  for (uint32_t left = 1 + Below(ATSFUZZ_MAX_STREAMS); left > 0; --left) {
    function.streams.push_back(Below(kMaxStreamId + 1));
  }
  return function;
}

// Puts function `id` into the group of an earlier one, if it can be in one.
inline void Join(Topology& topology, FunctionId id) {
  if (id.value == 0) return;
  Topology joined = topology;
  Function& function = joined.functions[id.value];
  function.leader = FunctionId(static_cast<uint8_t>(Below(id.value)));
  function.default_domain = joined.at(function.leader).default_domain;
  if (Validate(joined, id).ok()) topology = joined;
}

// Nests domain `id` in an earlier one, if it can be.
inline void Nest(Topology& topology, DomainId id) {
  if (id.value == 0) return;
  Topology longer = topology;
  Domain& domain = longer.domains[id.value];
  const DomainId parent(static_cast<uint8_t>(Below(id.value)));
  domain = topology.at(parent);
  domain.parent = parent;
  domain.guest = static_cast<GuestEntry>(Below(3));
  domain.guest_ats = domain.guest == GuestEntry::kStage1 && Coin();
  if (Validate(longer, id).ok()) topology = longer;
}

inline Topology ArbitraryTopology() {
  Topology topology;
  for (uint32_t left = 1 + Below(ATSFUZZ_MAX_SMMUS); left > 0; --left) {
    topology.smmus.push_back(ArbitrarySmmu());
  }
  for (uint32_t left = 1 + Below(ATSFUZZ_MAX_FUNCTIONS); left > 0; --left) {
    topology.functions.push_back(ArbitraryFunction(topology));
    const size_t last = topology.functions.size() - 1;
    if (Coin()) Join(topology, FunctionId(static_cast<uint8_t>(last)));
  }
  for (uint32_t left = Below(ATSFUZZ_MAX_DOMAINS + 1); left > 0; --left) {
    Domain domain;
    domain.smmu = SmmuId(static_cast<uint8_t>(
        Below(static_cast<uint32_t>(topology.smmus.size()))));
    const Smmu& smmu = topology.at(domain.smmu);
    domain.stage = static_cast<uint8_t>(!smmu.stage1   ? 2
                                        : !smmu.stage2 ? 1
                                                       : 1 + Below(2));
    topology.domains.push_back(domain);
    const size_t last = topology.domains.size() - 1;
    topology.domains.back().process = Coin();
    if (!Validate(topology, DomainId(static_cast<uint8_t>(last))).ok()) {
      topology.domains.back().process = false;
    }
    if (Coin()) Nest(topology, DomainId(static_cast<uint8_t>(last)));
  }
  return topology;
}

inline Faults ArbitraryFaults() {
  Faults faults;
  if (Coin()) return faults;
  if (Coin()) faults.alloc_numbers = uint64_t{1} << Below(64);
  if (Coin()) faults.alloc_numbers |= uint64_t{1} << Below(64);
  if (Coin()) faults.alloc_sites = static_cast<uint16_t>(1u << Below(12));
  faults.prepare_ats = Coin();
  faults.enable_ats = Coin();
  if (Coin()) faults.config_writes = static_cast<uint8_t>(Below(256));
  if (Coin()) faults.cmd_syncs = static_cast<uint8_t>(Below(256));
  if (Coin()) faults.atc_timeouts = static_cast<uint8_t>(Below(256));
  return faults;
}

// As many different ones as a scenario may have.
inline uint32_t ArbitraryPasid() {
  constexpr uint32_t kPasids[ATSFUZZ_MAX_PASIDS] = {1, 2, 77, kMaxPasid};
  return kPasids[Below(ATSFUZZ_MAX_PASIDS)];
}

inline Operation ArbitraryOperation(const Topology& topology) {
  Operation operation;
  do {
    operation.kind = static_cast<OperationKind>(Below(kOperationKinds));
  } while (topology.domains.empty() && ShapeOf(operation.kind).domain);
  const OperationShape& shape = ShapeOf(operation.kind);
  if (shape.function) {
    operation.function = FunctionId(static_cast<uint8_t>(
        Below(static_cast<uint32_t>(topology.functions.size()))));
  }
  if (shape.domain) {
    operation.domain = DomainId(static_cast<uint8_t>(
        Below(static_cast<uint32_t>(topology.domains.size()))));
  }
  if (shape.page) operation.page = static_cast<uint16_t>(Below(1024));
  if (shape.range) {
    operation.pages = static_cast<uint16_t>(1 + Below(1024 - operation.page));
  }
  if (shape.pasid || (shape.stream && Coin())) {
    operation.pasid = ArbitraryPasid();
  }
  if (shape.stream) operation.stream = static_cast<uint8_t>(Below(4));
  if (shape.queued) operation.queued = Coin();
  if (shape.default_domain) {
    operation.default_domain = static_cast<DefaultDomain>(Below(2));
  }
  operation.faults = ArbitraryFaults();
  return operation;
}

// A `par` block, if a few operations can be one.
inline void AddThreads(Scenario& scenario) {
  for (Operation& operation : scenario.operations) {
    if (Coin()) {
      operation.thread = static_cast<uint8_t>(Below(ATSFUZZ_MAX_THREADS + 1));
    }
  }
  for (uint32_t left = Below(6); left > 0; --left) {
    Turn turn;
    turn.actor.value = static_cast<uint8_t>(1 + Below(kActors - 1));
    turn.weak = turn.actor.is_thread() && Coin();
    if (Coin()) {
      turn.step = static_cast<uint16_t>(Below(300));
      if (turn.actor.is_thread()) {
        turn.operation = static_cast<uint8_t>(Below(3));
        turn.plain = static_cast<uint8_t>(Coin() ? Below(20) : 0);
      }
    }
    scenario.schedule.push_back(turn);
  }
  MakeThreadsValid(&scenario);
}

// Without story and expectations.
inline rc::Gen<Scenario> ArbitraryMachineCode() {
  return rc::gen::exec([] {
    Scenario scenario;
    scenario.topology = ArbitraryTopology();
    for (uint32_t left = Below(24); left > 0; --left) {
      scenario.operations.push_back(ArbitraryOperation(scenario.topology));
    }
    if (Coin()) AddThreads(scenario);
    return scenario;
  });
}

inline rc::Gen<Scenario> ArbitraryScenario() {
  return rc::gen::exec([] {
    Scenario scenario = *ArbitraryMachineCode();
    const std::vector<std::string> stories = {"", "  indented # twice", "#",
                                              "smmu s0", "trailing blank "};
    for (uint32_t left = Below(4); left > 0; --left) {
      scenario.story.push_back(*rc::gen::elementOf(stories));
    }
    for (uint32_t left = Below(3); left > 0; --left) {
      Expectation expectation;
      if (Coin()) expectation.invariant = "no-warning";
      if (Coin()) expectation.driver = "linux:/trees/a=b#c";
      scenario.expectations.push_back(expectation);
    }
    return scenario;
  });
}

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_ARBITRARY_H_
