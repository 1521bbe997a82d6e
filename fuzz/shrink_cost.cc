#include "fuzz/shrink_cost.h"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <tuple>

#include "fuzz/shrink.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using model::DefaultDomain;
using model::Faults;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Operation;
using model::OperationKind;
using model::Scenario;
using model::Smmu;
using model::Topology;

// By OperationKind.
constexpr std::array<int, model::kOperationKinds> kRanks = {
    0,   // probe
    6,   // release
    1,   // claim
    5,   // unclaim
    2,   // attach
    7,   // replace
    4,   // detach
    3,   // set-default
    9,   // map
    11,  // unmap
    12,  // flush
    10,  // dma
    8,   // domain-new
    13,  // domain-free
    14,  // set-pasid
    16,  // replace-pasid
    15,  // clear-pasid
    17,  // reset-begin
    18,  // reset-end
    19,  // vdevice-free
    20,  // guest-flush
    21,  // bind
    22,  // unbind
    23,  // exit
};

// Larger than the cost of all arguments of one operation together.
constexpr uint64_t kRankCost = 10'000;

uint64_t FaultsCost(const Faults& faults) {
  uint64_t cost = 0;
  for (uint64_t bits = faults.alloc_numbers; bits != 0; bits &= bits - 1) {
    cost += std::countr_zero(bits) + 1;
  }
  for (uint32_t bits = faults.alloc_sites; bits != 0; bits &= bits - 1) {
    cost += 100 + std::countr_zero(bits);
  }
  for (uint32_t bits = faults.config_writes; bits != 0; bits &= bits - 1) {
    cost += std::countr_zero(bits) + 1;
  }
  for (uint32_t numbers : {faults.cmd_syncs, faults.atc_timeouts}) {
    for (; numbers != 0; numbers &= numbers - 1) {
      cost += std::countr_zero(numbers) + 1;
    }
  }
  return cost + faults.prepare_ats + faults.enable_ats;
}

uint64_t SmmuCost(const Smmu& smmu) {
  const int lowest = std::countr_zero(smmu.granules);
  const int extra = std::popcount(smmu.granules) - 1;
  return 20 * (lowest + 3 * extra + !smmu.stage1 + !smmu.stage2 + !smmu.ats +
               !smmu.range_invalidation);
}

uint64_t FunctionCost(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  uint64_t cost = 20 * static_cast<int>(function.kind);
  if (function.kind == FunctionKind::kVf) cost += function.pf.value;
  if (function.smmu.valid()) cost += 20 * (1 + function.smmu.value);
  cost += 20 * (function.ats + function.untrusted + function.eager);
  cost += 20 * function.requires_ats;
  if (function.direct_pages != 0) {
    cost += 20 + function.direct_page + function.direct_pages;
  }
  if (function.leader.valid()) cost += 20 + function.leader.value;
  if (function.pasid_bits != 0) cost += 20 + function.pasid_bits;
  cost += 20 * (function.default_domain == DefaultDomain::kIdentity);
  for (size_t i = 0; i < function.streams.size(); ++i) {
    cost += StreamCost(topology, id, i) + (i == 0 ? 0 : 20);
  }
  return cost;
}

// Beyond what CD tables tell apart, only the length of the number.
uint64_t PasidCost(uint32_t pasid) {
  return pasid <= 2000 ? pasid : 2000 + std::bit_width(pasid);
}

uint64_t DomainCost(const model::Domain& domain) {
  uint64_t cost = 20 * (domain.smmu.value + domain.stage - 1);
  if (domain.process) return cost + 40;
  if (!domain.parent.valid()) return cost;
  cost += 60 + domain.parent.value + 10 * domain.guest_ats;
  return cost + 10 * static_cast<int>(domain.guest);
}

auto OrderKey(const Operation& operation) {
  return std::tuple(RankOf(operation.kind), operation.function.value,
                    operation.domain.value, operation.stream, operation.pasid,
                    operation.page, operation.pages, operation.queued,
                    operation.default_domain, operation.faults.alloc_numbers,
                    operation.faults.alloc_sites, operation.faults.prepare_ats,
                    operation.faults.enable_ats, operation.faults.config_writes,
                    operation.faults.cmd_syncs, operation.faults.atc_timeouts,
                    operation.thread);
}

uint64_t OrderKey(const model::Turn& turn) {
  const uint64_t step =
      turn.step == model::Turn::kToTheEnd ? 0 : 1 + uint64_t{turn.step};
  return step + (uint64_t{turn.plain} << 40) + (uint64_t{turn.weak} << 32) +
         (uint64_t{turn.operation} << 16) + (uint64_t{turn.actor.value} << 24);
}

auto OrderKey(const Smmu& smmu) {
  return std::tuple(smmu.granules, !smmu.stage1, !smmu.stage2, !smmu.ats,
                    !smmu.range_invalidation);
}

auto OrderKey(const Function& function) {
  return std::tie(
      function.kind, function.pf.value, function.smmu.value, function.ats,
      function.untrusted, function.eager, function.pasid_bits,
      function.default_domain, function.streams, function.leader.value,
      function.requires_ats, function.direct_page, function.direct_pages);
}

auto OrderKey(const model::Domain& domain) {
  return std::tuple(domain.smmu.value, domain.stage, domain.parent.value,
                    domain.guest, domain.guest_ats, domain.process);
}

template <typename Things>
std::strong_ordering CompareAll(const Things& a, const Things& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto order = OrderKey(a[i]) <=> OrderKey(b[i]);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

// Operations, threads, weak turns, turns, faults, functions, domains, SMMUs,
// cost.
std::array<uint64_t, 9> SizeKey(const Scenario& scenario) {
  uint64_t faults = 0;
  uint64_t cost = CostOf(scenario.topology);
  for (const Operation& operation : scenario.operations) {
    faults += CountFaults(operation.faults);
    cost += CostOf(operation);
  }
  return {scenario.operations.size(),
          static_cast<uint64_t>(model::BlockOf(scenario).threads),
          static_cast<uint64_t>(
              std::count_if(scenario.schedule.begin(), scenario.schedule.end(),
                            [](const model::Turn& turn) { return turn.weak; })),
          scenario.schedule.size(),
          faults,
          scenario.topology.functions.size(),
          scenario.topology.domains.size(),
          scenario.topology.smmus.size(),
          cost};
}

}  // namespace

int RankOf(OperationKind kind) { return kRanks[static_cast<size_t>(kind)]; }

bool ComesFirst(const Operation& a, const Operation& b) {
  return OrderKey(a) < OrderKey(b);
}

int CountFaults(const Faults& faults) {
  return std::popcount(faults.alloc_numbers) +
         std::popcount(faults.alloc_sites) +
         std::popcount(faults.config_writes) + std::popcount(faults.cmd_syncs) +
         std::popcount(faults.atc_timeouts) + faults.prepare_ats +
         faults.enable_ats;
}

uint64_t StreamCost(const Topology& topology, FunctionId id, size_t position) {
  const std::vector<uint32_t>& streams = topology.at(id).streams;
  const uint32_t stream = streams[position];
  const auto end = streams.begin() + static_cast<ptrdiff_t>(position);
  if (stream == model::DefaultStreams(id)[0] + position) return 0;
  if (std::find(streams.begin(), end, stream) != end) return 2;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId other(static_cast<uint8_t>(i));
    if (stream == model::DefaultStreams(other)[0]) return 3;
  }
  return stream == model::kSmmuStreamIds ? 4 : 5;
}

uint64_t CostOf(const Operation& operation) {
  uint64_t cost = kRankCost * RankOf(operation.kind);
  cost += operation.page + 2 * (operation.pages - 1) + 8 * operation.stream;
  cost += 5 * operation.queued + PasidCost(operation.pasid);
  cost += 3 * (operation.default_domain == DefaultDomain::kIdentity);
  return cost + FaultsCost(operation.faults);
}

uint64_t CostOf(const Topology& topology) {
  uint64_t cost = 0;
  for (const Smmu& smmu : topology.smmus) cost += SmmuCost(smmu);
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    cost += FunctionCost(topology, FunctionId(static_cast<uint8_t>(i)));
  }
  for (const model::Domain& domain : topology.domains) {
    cost += DomainCost(domain);
  }
  return cost;
}

bool Simpler(const Scenario& a, const Scenario& b) {
  if (const auto order = SizeKey(a) <=> SizeKey(b); order != 0) {
    return order < 0;
  }
  if (const auto order = CompareAll(a.operations, b.operations); order != 0) {
    return order < 0;
  }
  const Topology& s = a.topology;
  const Topology& t = b.topology;
  if (const auto order = CompareAll(s.functions, t.functions); order != 0) {
    return order < 0;
  }
  if (const auto order = CompareAll(s.domains, t.domains); order != 0) {
    return order < 0;
  }
  if (const auto order = CompareAll(s.smmus, t.smmus); order != 0) {
    return order < 0;
  }
  return CompareAll(a.schedule, b.schedule) < 0;
}

}  // namespace atsfuzz::fuzz
