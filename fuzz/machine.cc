#include "fuzz/machine.h"

#include <algorithm>
#include <cassert>

#include "fuzz/renumber.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using model::DefaultDomain;
using model::Domain;
using model::DomainId;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::GuestEntry;
using model::Operation;
using model::Smmu;
using model::SmmuId;
using model::Topology;

SmmuId DrawSmmuId(Dice& dice, const Topology& topology) {
  return SmmuId(static_cast<uint8_t>(dice.Below(topology.smmus.size())));
}

// Bit i: function i, below `id`, is a PF.
uint32_t PfsBelow(const Topology& topology, FunctionId id) {
  uint32_t pfs = 0;
  const size_t end = std::min<size_t>(id.value, topology.functions.size());
  for (size_t i = 0; i < end; ++i) {
    if (topology.functions[i].kind == FunctionKind::kPf) pfs |= 1u << i;
  }
  return pfs;
}

uint32_t DrawStream(Dice& dice, const Topology& topology, FunctionId id) {
  const uint32_t own = model::DefaultStreams(id)[0];
  switch (dice.Below(8)) {
    case 0:  // a conflict with another function
      return model::DefaultStreams(FunctionId(
          static_cast<uint8_t>(dice.Below(topology.functions.size()))))[0];
    case 1:  // out of the SMMU's range
      return model::kSmmuStreamIds + dice.Below(2);
    case 2:  // another entry of the first second-level table
      return dice.Below(4);
    default:
      return own + dice.Below(4);
  }
}

std::vector<uint32_t> DrawStreams(Dice& dice, const Topology& topology,
                                  FunctionId id, bool well_behaved,
                                  uint32_t most) {
  std::vector<uint32_t> streams = model::DefaultStreams(id);
  if (dice.Chance(well_behaved ? 75 : 65)) return streams;
  const uint32_t count = dice.Between(1, most);
  if (well_behaved) {
    for (uint32_t i = 1; i < count; ++i) streams.push_back(streams[0] + i);
    return streams;
  }
  streams.clear();
  for (uint32_t i = 0; i < count; ++i) {
    const bool repeat = i > 0 && dice.Chance(25);
    streams.push_back(repeat ? streams[dice.Below(i)]
                             : DrawStream(dice, topology, id));
  }
  return streams;
}

// Whether a function can be in the group that `leader` leads, but for the
// default domain and the trust, which it then shares.
bool CanJoin(const Topology& topology, FunctionId leader,
             const Function& function) {
  const Function& first = topology.at(leader);
  return first.kind != FunctionKind::kPlatform &&
         function.kind != FunctionKind::kPlatform && !first.leader.valid() &&
         function.smmu.valid() && function.smmu == first.smmu;
}

void Join(const Topology& topology, FunctionId leader, Function* function) {
  function->leader = leader;
  function->default_domain = topology.at(leader).default_domain;
  function->untrusted = topology.at(leader).untrusted;
}

// Nothing happens if there is no group to join.
void DrawGroup(Dice& dice, const Topology& topology, FunctionId id,
               Function* function) {
  uint32_t leaders = 0;
  for (uint8_t i = 0; i < id.value; ++i) {
    if (CanJoin(topology, FunctionId(i), *function)) leaders |= 1u << i;
  }
  if (leaders == 0) return;
  Join(topology, FunctionId(static_cast<uint8_t>(dice.Bit(leaders))), function);
}

bool CanBeParent(const Topology& topology, DomainId id) {
  const Domain& domain = topology.at(id);
  const Smmu& smmu = topology.at(domain.smmu);
  return !domain.parent.valid() && domain.stage == 2 && smmu.stage1 &&
         smmu.stage2;
}

void Nest(const Topology& topology, DomainId parent, Domain* domain) {
  domain->parent = parent;
  domain->smmu = topology.at(parent).smmu;
  domain->stage = topology.at(parent).stage;
  domain->guest_ats &= domain->guest == GuestEntry::kStage1;
}

void Unnest(Domain* domain) {
  domain->parent = DomainId();
  domain->guest = GuestEntry::kStage1;
  domain->guest_ats = false;
}

void DrawGuest(Dice& dice, Domain* domain) {
  domain->guest = dice.Chance(60)   ? GuestEntry::kStage1
                  : dice.Chance(60) ? GuestEntry::kBypass
                                    : GuestEntry::kAbort;
  domain->guest_ats = domain->guest == GuestEntry::kStage1 && dice.Chance(50);
}

// Small machines more often than large ones: min(a, b) of two draws.
uint32_t FewOf(Dice& dice, uint32_t max) {
  return std::min(dice.Between(1, max), dice.Between(1, max));
}

// Processes among the first `count` domains but for `id`.
int Processes(const Topology& topology, size_t count, DomainId id) {
  int processes = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i != id.value) processes += topology.domains[i].process ? 1 : 0;
  }
  return processes;
}

}  // namespace

Smmu DrawSmmu(Dice& dice) {
  Smmu smmu;
  if (dice.Chance(40)) {
    smmu.granules = static_cast<uint8_t>(dice.Between(1, 7));
  }
  if (dice.Chance(30)) {
    const bool first = dice.Chance(50);
    smmu.stage1 = first;
    smmu.stage2 = !first;
  }
  smmu.ats = !dice.Chance(10);
  smmu.range_invalidation = !dice.Chance(30);
  return smmu;
}

Function DrawFunction(Dice& dice, const Topology& topology, FunctionId id,
                      bool well_behaved,
                      const model::Capabilities& capabilities) {
  Function function;
  if (!well_behaved) {
    const uint32_t pfs = PfsBelow(topology, id);
    if (pfs != 0 && dice.Chance(50)) {
      function.kind = FunctionKind::kVf;
      function.pf = FunctionId(static_cast<uint8_t>(dice.Bit(pfs)));
    } else if (dice.Chance(10)) {
      function.kind = FunctionKind::kPlatform;
    }
  }
  const uint32_t nowhere = function.kind == FunctionKind::kPf ? 25 : 5;
  if (well_behaved || !dice.Chance(nowhere)) {
    function.smmu = DrawSmmuId(dice, topology);
    function.streams =
        DrawStreams(dice, topology, id, well_behaved, capabilities.streams);
  }
  if (function.kind != FunctionKind::kPlatform) {
    function.ats = dice.Chance(85);
    function.untrusted = !well_behaved && dice.Chance(8);
    const bool offers_pasids = dice.Chance(capabilities.pasids ? 60 : 25);
    if (offers_pasids && function.kind == FunctionKind::kPf) {
      function.pasid_bits = static_cast<uint8_t>(dice.Between(1, 20));
    }
  }
  function.eager = dice.Chance(25);
  function.default_domain =
      dice.Chance(50) ? DefaultDomain::kDma : DefaultDomain::kIdentity;
  if (capabilities.requires_ats && function.ats) {
    function.requires_ats = dice.Chance(15);
  }
  if (capabilities.direct && function.smmu.valid() && dice.Chance(15)) {
    function.direct_page = static_cast<uint16_t>(dice.Below(12));
    function.direct_pages = static_cast<uint16_t>(dice.Between(1, 4));
  }
  if (capabilities.groups && dice.Chance(30)) {
    DrawGroup(dice, topology, id, &function);
  }
  return function;
}

Domain DrawDomain(Dice& dice, const Topology& topology, DomainId id,
                  const model::Capabilities& capabilities) {
  Domain domain;
  domain.smmu = DrawSmmuId(dice, topology);
  const Smmu& smmu = topology.at(domain.smmu);
  const uint32_t percent = capabilities.nesting ? 55 : 40;
  const bool second = smmu.stage1 ? smmu.stage2 && dice.Chance(percent) : true;
  domain.stage = second ? 2 : 1;
  if (capabilities.sva && !second &&
      Processes(topology, topology.domains.size(), id) <
          ATSFUZZ_MAX_PROCESSES &&
      dice.Chance(40)) {
    domain.process = true;
    return domain;
  }
  if (!capabilities.nesting || !dice.Chance(70)) return domain;
  uint32_t parents = 0;
  for (uint8_t i = 0; i < id.value; ++i) {
    if (CanBeParent(topology, DomainId(i))) parents |= 1u << i;
  }
  if (parents == 0) return domain;
  DrawGuest(dice, &domain);
  Nest(topology, DomainId(static_cast<uint8_t>(dice.Bit(parents))), &domain);
  return domain;
}

Topology DrawTopology(Dice& dice, bool well_behaved,
                      const model::Capabilities& capabilities) {
  Topology topology;
  const uint32_t smmus = dice.Chance(well_behaved ? 15 : 35) ? 2 : 1;
  for (uint32_t i = 0; i < smmus; ++i) topology.smmus.push_back(DrawSmmu(dice));
  const uint32_t functions = FewOf(dice, capabilities.functions);
  topology.functions.resize(functions);
  for (uint32_t i = 0; i < functions; ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    topology.functions[i] =
        DrawFunction(dice, topology, id, well_behaved, capabilities);
  }
  // One function behind an SMMU at least, or there is nothing to do.
  std::vector<Function>& all = topology.functions;
  if (std::none_of(all.begin(), all.end(),
                   [](const Function& f) { return f.smmu.valid(); })) {
    const FunctionId last(static_cast<uint8_t>(functions - 1));
    all.back().smmu = DrawSmmuId(dice, topology);
    all.back().streams =
        DrawStreams(dice, topology, last, well_behaved, capabilities.streams);
  }
  const uint32_t domains = FewOf(dice, capabilities.domains);
  for (uint32_t i = 0; i < domains; ++i) {
    topology.domains.push_back(DrawDomain(
        dice, topology, DomainId(static_cast<uint8_t>(i)), capabilities));
  }
  if (!well_behaved) MakeValid(&topology);
  assert(model::Validate(topology).ok());
  return topology;
}

void MakeValid(Topology* topology) {
  const size_t smmus = topology->smmus.size();
  for (Smmu& smmu : topology->smmus) {
    if (smmu.granules == 0) smmu.granules = model::kGranule4K;
    if (!smmu.stage1 && !smmu.stage2) smmu.stage1 = true;
  }
  for (size_t i = 0; i < topology->functions.size(); ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    Function& function = topology->functions[i];
    if (function.kind == FunctionKind::kVf) {
      const bool has_pf = function.pf.valid() && function.pf < id &&
                          topology->at(function.pf).kind == FunctionKind::kPf;
      if (!has_pf) function.kind = FunctionKind::kPf;
    }
    if (function.kind != FunctionKind::kVf) function.pf = FunctionId();
    if (function.kind == FunctionKind::kPlatform) {
      function.ats = function.untrusted = function.requires_ats = false;
    }
    if (function.kind != FunctionKind::kPf) function.pasid_bits = 0;
    if (!function.smmu.valid()) {
      function.streams.clear();
      function.leader = FunctionId();
      function.direct_page = function.direct_pages = 0;
      continue;
    }
    function.smmu = SmmuId(static_cast<uint8_t>(function.smmu.value % smmus));
    if (function.streams.empty()) function.streams = model::DefaultStreams(id);
    const FunctionId leader = function.leader;
    function.leader = FunctionId();
    if (leader.valid() && leader < id && CanJoin(*topology, leader, function)) {
      Join(*topology, leader, &function);
    }
  }
  for (size_t i = 0; i < topology->domains.size(); ++i) {
    Domain& domain = topology->domains[i];
    if (domain.parent.valid() && domain.parent.value < i &&
        CanBeParent(*topology, domain.parent)) {
      Nest(*topology, domain.parent, &domain);
      domain.process = false;
      continue;
    }
    Unnest(&domain);
    domain.smmu = SmmuId(static_cast<uint8_t>(domain.smmu.value % smmus));
    const Smmu& smmu = topology->at(domain.smmu);
    if (!(domain.stage == 1 ? smmu.stage1 : smmu.stage2)) {
      domain.stage = smmu.stage1 ? 1 : 2;
    }
    domain.process &= domain.stage == 1 && Processes(*topology, i, DomainId()) <
                                               ATSFUZZ_MAX_PROCESSES;
  }
}

bool FitOperation(const Topology& topology, Operation* operation) {
  const model::OperationShape& shape = model::ShapeOf(operation->kind);
  if (shape.domain && topology.domains.empty()) return false;
  Operation fit;
  fit.kind = operation->kind;
  fit.faults = operation->faults;
  fit.thread = operation->thread;
  if (shape.function) {
    fit.function = FunctionId(static_cast<uint8_t>(operation->function.value %
                                                   topology.functions.size()));
  }
  if (shape.domain) {
    fit.domain = DomainId(static_cast<uint8_t>(operation->domain.value %
                                               topology.domains.size()));
  }
  if (shape.page) fit.page = operation->page % ATSFUZZ_MAX_PAGES;
  if (shape.range) {
    const uint16_t room = static_cast<uint16_t>(ATSFUZZ_MAX_PAGES - fit.page);
    fit.pages = std::clamp<uint16_t>(operation->pages, 1, room);
  }
  if (shape.stream) {
    const size_t streams = topology.at(fit.function).streams.size();
    fit.stream =
        streams == 0 ? 0 : static_cast<uint8_t>(operation->stream % streams);
  }
  if (shape.queued) fit.queued = operation->queued;
  if (shape.default_domain) fit.default_domain = operation->default_domain;
  if (shape.pasid) {
    fit.pasid = std::clamp<uint32_t>(operation->pasid, 1, model::kMaxPasid);
  } else if (shape.stream) {
    fit.pasid = std::min(operation->pasid, model::kMaxPasid);
  }
  *operation = fit;
  return true;
}

void FitPasids(std::vector<Operation>* operations) {
  std::vector<uint32_t> pasids;
  for (Operation& operation : *operations) {
    if (!model::AddPasid(operation, &pasids)) {
      operation.pasid = pasids[operation.pasid % pasids.size()];
    }
  }
}

model::Scenario Restricted(const model::Scenario& scenario,
                           const model::Capabilities& capabilities) {
  model::Scenario fit = scenario;
  Topology& topology = fit.topology;
  while (topology.functions.size() > capabilities.functions) {
    fit = Without(
        fit, FunctionId(static_cast<uint8_t>(topology.functions.size() - 1)));
  }
  while (topology.domains.size() > capabilities.domains) {
    fit = Without(fit,
                  DomainId(static_cast<uint8_t>(topology.domains.size() - 1)));
  }
  for (Function& function : topology.functions) {
    if (!capabilities.groups) function.leader = FunctionId();
    function.requires_ats &= capabilities.requires_ats;
    if (!capabilities.direct) function.direct_page = function.direct_pages = 0;
    if (function.streams.size() > capabilities.streams) {
      function.streams.resize(capabilities.streams);
    }
  }
  for (Domain& domain : topology.domains) {
    if (!capabilities.nesting) Unnest(&domain);
    domain.process &= capabilities.sva;
  }
  MakeValid(&topology);
  if (!capabilities.threads) {
    for (Operation& operation : fit.operations) operation.thread = 0;
  }
  for (model::Turn& turn : fit.schedule) {
    turn.weak &= capabilities.weak_memory;
    if (!capabilities.plain_stops) turn.plain = 0;
  }
  std::erase_if(fit.operations, [&](const Operation& operation) {
    return !model::Fits(capabilities, "", topology, operation).ok();
  });
  model::MakeThreadsValid(&fit);
  return fit;
}

}  // namespace atsfuzz::fuzz
