#include <algorithm>
#include <set>

#include "fuzz/machine.h"
#include "fuzz/renumber.h"
#include "fuzz/shrink_cost.h"
#include "fuzz/shrink_moves.h"

// Moves on the machine.
namespace atsfuzz::fuzz {

using model::DefaultDomain;
using model::Domain;
using model::DomainId;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Scenario;
using model::Smmu;
using model::SmmuId;
using model::Topology;

namespace {

// From the last to the first, so that ids of what stays are low.
template <typename IdType>
bool DropEach(const Scenario& scenario, size_t count, size_t least,
              const Attempt& attempt) {
  if (count <= least) return false;
  for (size_t i = count; i-- > 0;) {
    if (attempt(Without(scenario, IdType(static_cast<uint8_t>(i))))) {
      return true;
    }
  }
  return false;
}

template <typename IdType>
bool MergeEach(const Scenario& scenario, size_t count, const Attempt& attempt) {
  for (size_t from = count; from-- > 0;) {
    for (size_t to = 0; to < count; ++to) {
      if (from == to) continue;
      if (attempt(Merged(scenario, IdType(static_cast<uint8_t>(from)),
                         IdType(static_cast<uint8_t>(to))))) {
        return true;
      }
    }
  }
  return false;
}

// Neighbours of one kind in canonical order: they mostly commute.
Scenario WithSortedRuns(const Scenario& scenario) {
  Scenario sorted = scenario;
  auto begin = sorted.operations.begin();
  while (begin != sorted.operations.end()) {
    const auto end = std::find_if(
        begin, sorted.operations.end(),
        [&](const model::Operation& o) { return o.kind != begin->kind; });
    std::sort(begin, end, ComesFirst);
    begin = end;
  }
  return sorted;
}

template <typename IdType>
bool SwapEach(const Scenario& scenario, size_t count, const Attempt& attempt) {
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = a + 1; b < count; ++b) {
      const Scenario swapped =
          Swapped(scenario, IdType(static_cast<uint8_t>(a)),
                  IdType(static_cast<uint8_t>(b)));
      if (attempt(swapped) || attempt(WithSortedRuns(swapped))) return true;
    }
  }
  return false;
}

// Proposes the scenario with its machine changed by `change` and made valid.
template <typename Change>
bool Changed(const Scenario& scenario, const Attempt& attempt,
             const Change& change) {
  Scenario changed = scenario;
  change(changed.topology);
  MakeValid(&changed.topology);
  return attempt(changed);
}

bool SimplifySmmu(const Scenario& scenario, size_t index,
                  const Attempt& attempt) {
  const auto change = [&](const auto& with) {
    return Changed(scenario, attempt,
                   [&](Topology& t) { with(t.smmus[index]); });
  };
  const uint8_t granules = scenario.topology.smmus[index].granules;
  for (uint8_t bit : {1, 2, 4}) {
    if (change([&](Smmu& s) { s.granules = bit; })) return true;
  }
  for (uint8_t bit : {4, 2, 1}) {
    if (granules != bit && (granules & bit) &&
        change([&](Smmu& s) { s.granules &= static_cast<uint8_t>(~bit); })) {
      return true;
    }
  }
  return change([](Smmu& s) { s = Smmu(); }) ||
         change([](Smmu& s) { s.stage1 = s.stage2 = true; }) ||
         change([](Smmu& s) { s.ats = true; }) ||
         change([](Smmu& s) { s.range_invalidation = true; });
}

bool SimplifyFunction(const Scenario& scenario, FunctionId id,
                      const Attempt& attempt) {
  const auto change = [&](const auto& with) {
    return Changed(scenario, attempt,
                   [&](Topology& t) { with(t.functions[id.value]); });
  };
  if (change([](Function& f) { f.smmu = SmmuId(); }) ||
      change([](Function& f) { f.smmu = SmmuId(0); }) ||
      change([](Function& f) { f.kind = FunctionKind::kPf; }) ||
      change([](Function& f) { f.ats = false; }) ||
      change([](Function& f) { f.leader = FunctionId(); }) ||
      change([](Function& f) { f.requires_ats = false; }) ||
      change([](Function& f) { f.direct_page = f.direct_pages = 0; }) ||
      change([](Function& f) { f.untrusted = false; }) ||
      change([](Function& f) { f.eager = false; }) ||
      change([](Function& f) { f.default_domain = DefaultDomain::kDma; })) {
    return true;
  }
  const Function& function = scenario.topology.at(id);
  for (uint32_t bits : Towards(0, function.pasid_bits)) {
    if (change(
            [&](Function& f) { f.pasid_bits = static_cast<uint8_t>(bits); })) {
      return true;
    }
  }
  for (uint32_t page : Towards(0, function.direct_page)) {
    if (change([&](Function& f) {
          f.direct_page = static_cast<uint16_t>(page);
        })) {
      return true;
    }
  }
  for (uint32_t pages : Towards(1, function.direct_pages)) {
    if (change([&](Function& f) {
          f.direct_pages = static_cast<uint16_t>(pages);
        })) {
      return true;
    }
  }
  for (uint8_t leader = 0; leader < id.value; ++leader) {
    if (function.leader.valid() &&
        change([&](Function& f) { f.leader = FunctionId(leader); })) {
      return true;
    }
  }
  if (function.kind == FunctionKind::kPf) return false;
  for (uint8_t pf = 0; pf < id.value; ++pf) {
    if (change([&](Function& f) {
          f.kind = FunctionKind::kVf;
          f.pf = FunctionId(pf);
        })) {
      return true;
    }
  }
  return false;
}

bool SimplifyDomain(const Scenario& scenario, size_t index,
                    const Attempt& attempt) {
  const auto change = [&](const auto& with) {
    return Changed(scenario, attempt,
                   [&](Topology& t) { with(t.domains[index]); });
  };
  const Domain& domain = scenario.topology.domains[index];
  for (uint8_t parent = 0;
       domain.parent.valid() && parent < domain.parent.value; ++parent) {
    if (change([&](Domain& d) { d.parent = DomainId(parent); })) return true;
  }
  return change([](Domain& d) {
           d = {SmmuId(0), 1};
         }) ||
         change([](Domain& d) {
           d = {d.smmu, d.stage};
         }) ||
         change([](Domain& d) { d.guest = model::GuestEntry::kStage1; }) ||
         change([](Domain& d) { d.guest = model::GuestEntry::kBypass; }) ||
         change([](Domain& d) { d.guest_ats = false; }) ||
         change([](Domain& d) { d.smmu = SmmuId(0); }) ||
         change([](Domain& d) { d.stage = 1; });
}

// The ids that a canonical machine uses: each function's default one and the
// three behind it, and the first one out of range.
std::vector<uint32_t> CanonicalStreams(const Topology& topology) {
  std::vector<uint32_t> streams;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const uint32_t first =
        model::DefaultStreams(FunctionId(static_cast<uint8_t>(i)))[0];
    for (uint32_t k = 0; k < ATSFUZZ_MAX_STREAMS; ++k) {
      streams.push_back(first + k);
    }
  }
  streams.push_back(model::kSmmuStreamIds);
  return streams;
}

bool SimplifyStreamsOf(const Scenario& scenario, FunctionId id,
                       const Attempt& attempt) {
  const std::vector<uint32_t>& streams = scenario.topology.at(id).streams;
  const auto with = [&](const std::vector<uint32_t>& simpler) {
    return Changed(scenario, attempt, [&](Topology& t) {
      t.functions[id.value].streams = simpler;
    });
  };
  if (streams.empty()) return false;
  if (with(model::DefaultStreams(id))) return true;
  for (uint32_t stream : streams) {
    if (with({stream})) return true;
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    std::vector<uint32_t> fewer = streams;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    if (with(fewer)) return true;
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    for (uint32_t canonical : CanonicalStreams(scenario.topology)) {
      std::vector<uint32_t> other = streams;
      other[i] = canonical;
      if (with(other)) return true;
    }
  }
  return false;
}

// The same id everywhere, so that what shares it goes on sharing it.
bool RenameStreams(const Scenario& scenario, const Attempt& attempt) {
  std::set<uint32_t> used;
  for (const Function& function : scenario.topology.functions) {
    used.insert(function.streams.begin(), function.streams.end());
  }
  for (uint32_t from : used) {
    for (uint32_t to : CanonicalStreams(scenario.topology)) {
      if (Changed(scenario, attempt, [&](Topology& t) {
            for (Function& function : t.functions) {
              std::replace(function.streams.begin(), function.streams.end(),
                           from, to);
            }
          })) {
        return true;
      }
    }
  }
  return false;
}

// The operations of `id` before all others, or behind them.
Scenario InTurn(const Scenario& scenario, FunctionId id, bool first) {
  Scenario result = scenario;
  std::stable_partition(result.operations.begin(), result.operations.end(),
                        [&](const model::Operation& operation) {
                          return (operation.function == id) == first;
                        });
  return result;
}

bool MergeFunctions(const Scenario& scenario, const Attempt& attempt) {
  const size_t count = scenario.topology.functions.size();
  for (size_t from = count; from-- > 0;) {
    for (size_t to = 0; to < count; ++to) {
      if (from == to) continue;
      const FunctionId a(static_cast<uint8_t>(from));
      const FunctionId b(static_cast<uint8_t>(to));
      // What two functions did at once, one can do only in turn.
      for (const Scenario& turns :
           {scenario, InTurn(scenario, a, true), InTurn(scenario, a, false)}) {
        if (attempt(Merged(turns, a, b))) return true;
      }
    }
  }
  return false;
}

}  // namespace

bool DropThings(const Scenario& scenario, const Attempt& attempt) {
  const Topology& t = scenario.topology;
  return DropEach<FunctionId>(scenario, t.functions.size(), 1, attempt) ||
         DropEach<DomainId>(scenario, t.domains.size(), 0, attempt) ||
         DropEach<SmmuId>(scenario, t.smmus.size(), 1, attempt);
}

bool MergeThings(const Scenario& scenario, const Attempt& attempt) {
  const Topology& t = scenario.topology;
  return MergeFunctions(scenario, attempt) ||
         MergeEach<DomainId>(scenario, t.domains.size(), attempt) ||
         MergeEach<SmmuId>(scenario, t.smmus.size(), attempt);
}

bool SwapThings(const Scenario& scenario, const Attempt& attempt) {
  const Topology& t = scenario.topology;
  return SwapEach<FunctionId>(scenario, t.functions.size(), attempt) ||
         SwapEach<DomainId>(scenario, t.domains.size(), attempt) ||
         SwapEach<SmmuId>(scenario, t.smmus.size(), attempt);
}

bool SimplifyAttributes(const Scenario& scenario, const Attempt& attempt) {
  const Topology& topology = scenario.topology;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    if (SimplifyFunction(scenario, FunctionId(static_cast<uint8_t>(i)),
                         attempt)) {
      return true;
    }
  }
  for (size_t i = 0; i < topology.smmus.size(); ++i) {
    if (SimplifySmmu(scenario, i, attempt)) return true;
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    if (SimplifyDomain(scenario, i, attempt)) return true;
  }
  return false;
}

bool SimplifyStreams(const Scenario& scenario, const Attempt& attempt) {
  for (size_t i = 0; i < scenario.topology.functions.size(); ++i) {
    if (SimplifyStreamsOf(scenario, FunctionId(static_cast<uint8_t>(i)),
                          attempt)) {
      return true;
    }
  }
  return RenameStreams(scenario, attempt);
}

}  // namespace atsfuzz::fuzz
