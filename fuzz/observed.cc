#include "fuzz/observed.h"

#include <algorithm>

#include "model/address.h"

namespace atsfuzz::fuzz {
namespace {

using model::Contract;
using model::DomainId;
using model::Fact;
using model::Topology;

bool IsLive(const Topology& topology, const model::DomainState& state,
            DomainId id, uint64_t iova, uint64_t physical) {
  const int shift = topology.at(topology.at(id).smmu).PageShift();
  if (iova < model::kIovaBase) return false;
  const uint64_t page = (iova - model::kIovaBase) >> shift;
  if (page >= ATSFUZZ_MAX_PAGES) return false;
  const model::Mapping* mapping = state.Find(static_cast<uint16_t>(page));
  if (mapping == nullptr) return false;
  const uint64_t start = model::kIovaBase + (uint64_t{mapping->page} << shift);
  return physical - mapping->physical == iova - start;
}

// Collects the state of one system.
class StateReader {
 public:
  StateReader(const Contract& contract, const TagOwners& owners,
              const atsfuzz_observation& seen, const Lacks& skip,
              Observations* out)
      : contract_(contract),
        topology_(contract.topology()),
        owners_(owners),
        seen_(seen),
        skip_(skip),
        out_(*out) {}

  void Read() {
    const auto functions = static_cast<uint8_t>(topology_.functions.size());
    for (uint8_t f = 0; f < functions; ++f) ReadFunction(f);
    for (uint8_t d = 0; d < topology_.domains.size(); ++d) ReadDomain(d);
    for (uint8_t f = 0; f < functions; ++f) {
      ReadDomain(static_cast<uint8_t>(ATSFUZZ_MAX_DOMAINS + f));
      ReadDomain(static_cast<uint8_t>(ATSFUZZ_FIRST_BLOCKING + f));
    }
    for (uint32_t i = 0; i < seen_.atc_count; ++i) ReadAtc(seen_.atc[i]);
    for (uint32_t i = 0; i < seen_.iotlb_count; ++i) ReadIotlb(seen_.iotlb[i]);
  }

 private:
  void Add(ObservedKind kind, std::array<uint64_t, 4> subject,
           std::array<uint64_t, 2> value, Fact fact = {}) {
    out_.push_back({kind, subject, value, fact, -1});
  }

  uint8_t OwnerOfTable(uint64_t table) const {
    for (uint8_t slot = 0; table != 0 && slot < ATSFUZZ_MAX_DOMAIN_SLOTS;
         ++slot) {
      const atsfuzz_domain& domain = seen_.domains[slot];
      if (domain.exists && domain.finalised && domain.table == table) {
        return slot;
      }
    }
    return TagOwners::kNobody;
  }

  void ReadFunction(uint8_t f) {
    const atsfuzz_function& function = seen_.functions[f];
    Add(ObservedKind::kProbed, {f}, {function.probed});
    Add(ObservedKind::kBelief, {f}, {function.belief}, {Fact::kBelief, f});
    Add(ObservedKind::kAts, {f}, {function.ats}, {Fact::kAts, f});
    Add(ObservedKind::kPasid, {f}, {function.pasid}, {Fact::kPasid, f});
    Add(ObservedKind::kStu, {f}, {function.stu});
    Add(ObservedKind::kGroupDomain, {f}, {function.group_domain});
    const model::Function& declared = topology_.functions[f];
    if (!declared.smmu.valid()) return;
    const uint8_t smmu = declared.smmu.value;
    for (uint8_t s = 0; s < declared.streams.size(); ++s) {
      ReadStream(f, s, smmu, function.streams[s]);
    }
    for (uint8_t i = 0; i < function.substream_count; ++i) {
      const atsfuzz_substream& substream = function.substreams[i];
      Add(ObservedKind::kSubstream, {f, substream.pasid},
          {owners_.Now(smmu, 1, substream.asid),
           OwnerOfTable(substream.table)});
    }
  }

  void ReadStream(uint8_t f, uint8_t s, uint8_t smmu,
                  const atsfuzz_stream& stream) {
    const Fact ste = {Fact::kSte,
                      static_cast<uint8_t>(f * ATSFUZZ_MAX_STREAMS + s)};
    const Fact tree = {Fact::kStream, ste.index};
    Add(ObservedKind::kRoute, {f, s}, {stream.route}, ste);
    Add(ObservedKind::kEats, {f, s}, {stream.eats}, ste);
    Add(ObservedKind::kCdValid, {f, s}, {stream.cd_valid}, ste);
    Add(ObservedKind::kMaster, {f, s}, {stream.master}, tree);
    Add(ObservedKind::kTable, {f, s}, {OwnerOfTable(stream.table)}, ste);
    uint8_t owner = TagOwners::kNobody;
    if (stream.cd_valid) {
      owner = owners_.Now(smmu, 1, stream.asid);
    } else if (stream.route == ATSFUZZ_ROUTE_STAGE2) {
      owner = owners_.Now(smmu, 2, stream.vmid);
    }
    Add(ObservedKind::kTag, {f, s}, {owner}, ste);
  }

  void ReadDomain(uint8_t slot) {
    const atsfuzz_domain& domain = seen_.domains[slot];
    Add(ObservedKind::kExists, {slot}, {domain.exists});
    if (!domain.exists) return;
    Add(ObservedKind::kFinalised, {slot}, {domain.finalised});
    if (domain.finalised) {
      Add(ObservedKind::kStage, {slot}, {domain.stage});
      Add(ObservedKind::kSmmu, {slot}, {domain.smmu});
    }
    if (!skip_.counters) {
      Add(ObservedKind::kCounter, {slot},
          {static_cast<uint64_t>(int64_t{domain.nr_ats_masters})},
          {Fact::kCounter, slot});
    }
    for (uint8_t f = 0; f < topology_.functions.size(); ++f) {
      Add(ObservedKind::kAttachments, {slot, f}, {domain.attachments[f]});
      Add(ObservedKind::kPasidAttachments, {slot, f},
          {domain.pasid_attachments[f]});
    }
    if (!skip_.arrays) ReadArray(slot, domain);
  }

  void ReadArray(uint8_t slot, const atsfuzz_domain& domain) {
    for (uint32_t i = 0; i < domain.num_invs; ++i) {
      const atsfuzz_inv& inv = seen_.invs[domain.inv_first + i];
      if (inv.users <= 0) continue;
      const bool is_ats =
          inv.type == ATSFUZZ_INV_ATS || inv.type == ATSFUZZ_INV_ATS_FULL;
      const uint8_t stage = inv.type == ATSFUZZ_INV_S1_ASID ? 1 : 2;
      const uint64_t id =
          is_ats ? inv.id
                 : owners_.Now(inv.smmu, stage, static_cast<uint16_t>(inv.id));
      Add(ObservedKind::kArrayEntry,
          {slot, uint64_t{inv.smmu} << 8 | inv.type, id, inv.ssid},
          {static_cast<uint64_t>(inv.users)}, {Fact::kArray, slot});
    }
  }

  void ReadAtc(const atsfuzz_atc_entry& entry) {
    Add(ObservedKind::kAtc,
        {uint64_t{entry.function} << 8 | entry.stream, entry.pasid, entry.iova,
         entry.size},
        TargetOf(contract_, TagOwners::kNobody, entry.iova, entry.physical));
  }

  void ReadIotlb(const atsfuzz_iotlb_entry& entry) {
    const uint8_t owner = owners_.Now(entry.smmu, entry.stage, entry.tag);
    std::array<uint64_t, 2> target = {uint64_t(Target::kStale)};
    if (owner < topology_.domains.size()) {
      target = TargetOf(contract_, owner, entry.iova, entry.physical);
    }
    Add(ObservedKind::kIotlb,
        {uint64_t{entry.smmu} << 8 | entry.stage, owner, entry.iova}, target);
  }

  const Contract& contract_;
  const Topology& topology_;
  const TagOwners& owners_;
  const atsfuzz_observation& seen_;
  const Lacks& skip_;
  Observations& out_;
};

}  // namespace

void TagOwners::Advance(const atsfuzz_observation& observation) {
  before_ = now_;
  for (size_t slot = 0; slot < now_.size(); ++slot) {
    const atsfuzz_domain& domain = observation.domains[slot];
    now_[slot] = {domain.exists && domain.finalised, domain.smmu, domain.stage,
                  domain.tag};
  }
}

uint8_t TagOwners::Find(const Tags& tags, uint8_t smmu, uint8_t stage,
                        uint16_t tag) {
  for (size_t slot = 0; slot < tags.size(); ++slot) {
    if (tags[slot].is_used && tags[slot].smmu == smmu &&
        tags[slot].stage == stage && tags[slot].tag == tag) {
      return static_cast<uint8_t>(slot);
    }
  }
  return kNobody;
}

uint8_t TagOwners::Now(uint8_t smmu, uint8_t stage, uint16_t tag) const {
  return Find(now_, smmu, stage, tag);
}

uint8_t TagOwners::Meanwhile(uint8_t smmu, uint8_t stage, uint16_t tag) const {
  const uint8_t before = Find(before_, smmu, stage, tag);
  return before != kNobody ? before : Now(smmu, stage, tag);
}

std::array<uint64_t, 2> TargetOf(const Contract& contract, uint8_t only,
                                 uint64_t iova, uint64_t physical) {
  if (physical == ~uint64_t{0}) return {uint64_t(Target::kNowhere)};
  if (physical == iova) return {uint64_t(Target::kIdentity)};
  const Topology& topology = contract.topology();
  for (uint8_t d = 0; d < topology.domains.size(); ++d) {
    if (only != TagOwners::kNobody && only != d) continue;
    const DomainId id(d);
    if (IsLive(topology, contract.domain(id), id, iova, physical)) {
      return {uint64_t(Target::kLive), d};
    }
  }
  return {uint64_t(Target::kStale)};
}

Lacks LacksOf(const atsfuzz_observation& observation) {
  Lacks lacks;
  for (size_t slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    const atsfuzz_domain& domain = observation.domains[slot];
    if (!domain.exists) continue;
    if (!domain.has_counter) lacks.counters = true;
    if (!domain.has_array) lacks.arrays = true;
  }
  return lacks;
}

void AppendState(const Contract& contract, const TagOwners& owners,
                 const atsfuzz_observation& observation, const Lacks& skip,
                 Observations* out) {
  StateReader(contract, owners, observation, skip, out).Read();
  std::sort(out->begin(), out->end());
  // A system may keep one translation twice; that is no news.
  const auto is_again = [](const Observed& a, const Observed& b) {
    return (a.kind == ObservedKind::kAtc || a.kind == ObservedKind::kIotlb) &&
           a == b;
  };
  out->erase(std::unique(out->begin(), out->end(), is_again), out->end());
}

}  // namespace atsfuzz::fuzz
