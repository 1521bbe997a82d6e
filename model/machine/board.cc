#include "model/machine/board.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace atsfuzz::machine {
namespace {

constexpr int kStreamTableBits = 8;  // STRTAB_SPLIT

}  // namespace

Board::Board(const model::Topology& topology, const Design& design)
    : smmu_count(static_cast<uint8_t>(topology.smmus.size())),
      function_count(static_cast<uint8_t>(topology.functions.size())),
      domain_count(static_cast<uint8_t>(topology.domains.size())),
      stream_count(0),
      smmus{},
      functions{},
      domains{},
      streams{} {
  for (size_t i = 0; i < smmu_count; ++i) {
    const model::Smmu& smmu = topology.smmus[i];
    smmus[i] = {smmu.stage1, smmu.stage2, smmu.ats,
                static_cast<uint8_t>(smmu.PageShift()),
                smmu.range_invalidation};
  }
  std::vector<std::pair<uint8_t, uint32_t>> ids;
  for (const model::Function& function : topology.functions) {
    for (uint32_t id : function.streams) {
      ids.emplace_back(function.smmu.value, id);
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const auto& [smmu, id] : ids) {
    const bool in_range = id < model::kSmmuStreamIds;
    uint8_t table = stream_count;
    if (table > 0 && streams[table - 1].smmu == smmu &&
        streams[table - 1].id >> kStreamTableBits == id >> kStreamTableBits) {
      table = streams[table - 1].table;
    }
    streams[stream_count++] = {smmu, id, in_range, table};
  }
  const auto index_of = [&](uint8_t smmu, uint32_t id) {
    const auto at = std::find(ids.begin(), ids.end(), std::pair(smmu, id));
    return static_cast<uint8_t>(at - ids.begin());
  };
  for (size_t i = 0; i < function_count; ++i) {
    const model::Function& from = topology.functions[i];
    Function& to = functions[i];
    const auto self = model::FunctionId(static_cast<uint8_t>(i));
    to.kind = from.kind;
    to.pf = from.kind == model::FunctionKind::kVf ? from.pf.value : self.value;
    to.smmu = from.smmu.value;
    to.leader = topology.LeaderOf(self).value;
    to.ats = from.ats;
    to.untrusted = from.untrusted;
    to.eager = from.eager;
    any_eager = any_eager || from.eager;
    to.requires_ats = from.requires_ats;
    to.default_identity =
        from.default_domain == model::DefaultDomain::kIdentity;
    to.pasid_bits = from.pasid_bits;
    to.ssid_bits = std::min<uint8_t>(16, topology.functions[to.pf].pasid_bits);
    to.streams = static_cast<uint8_t>(from.streams.size());
    for (size_t s = 0; s < from.streams.size(); ++s) {
      to.stream[s] = index_of(from.smmu.value, from.streams[s]);
    }
    to.driven = to.stream;
    if (design.attach == Attach::kArrays) {
      std::sort(to.driven.begin(), to.driven.begin() + to.streams);
    }
  }
  for (size_t i = 0; i < domain_count; ++i) {
    const model::Domain& from = topology.domains[i];
    domains[i] = {from.smmu.value, from.stage, from.parent.value, from.guest,
                  from.guest_ats};
  }
}

namespace {

model::Finalised FinalisedOf(Attach attach) {
  switch (attach) {
    case Attach::kOnePhase:
      return model::Finalised::kByAttach;
    case Attach::kTwoPhase:
      return model::Finalised::kStage2Late;
    case Attach::kArrays:
      break;
  }
  return model::Finalised::kByAllocation;
}

}  // namespace

model::Capabilities CapabilitiesOf(const Design& design) {
  const bool arrays = design.attach == Attach::kArrays;
  return {.pasids = design.attach != Attach::kOnePhase,
          .replace_pasid = arrays,
          .resets = arrays,
          .groups = true,
          .requires_ats = true,
          .nesting = arrays,
          .replace = design.attach != Attach::kOnePhase,
          .functions = kFunctions,
          .domains = kDeclared,
          .streams = kStreamsEach,
          .pages = kPages,
          .largest_pasid = kSsids - 1,
          .finalised = FinalisedOf(design.attach),
          .ats_asks_pf = design.support_asks_pf,
          .threads = true};
}

}  // namespace atsfuzz::machine
