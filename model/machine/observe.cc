#include <algorithm>
#include <cstring>

#include "model/machine/array.h"
#include "model/machine/recorder.h"

// The observation of a state.
namespace atsfuzz::machine {
namespace {

uint8_t RouteOf(const State& state, const Ste& ste) {
  switch (ste.config) {
    case Config::kNotCached:
      return ATSFUZZ_ROUTE_NO_TABLE;
    case Config::kInvalid:
      return ATSFUZZ_ROUTE_INVALID;
    case Config::kAbort:
      return ATSFUZZ_ROUTE_ABORT;
    case Config::kBypass:
      return ATSFUZZ_ROUTE_BYPASS;
    case Config::kStage2:
      return ATSFUZZ_ROUTE_STAGE2;
    case Config::kNested:
      return ATSFUZZ_ROUTE_NESTED;
    case Config::kStage1:
      break;
  }
  // S1DSS means something only where there are substreams.
  if (ste.target != kFreed && HasSubstreams(state.functions[ste.target])) {
    if (ste.s1dss == S1Dss::kTerminate) return ATSFUZZ_ROUTE_S1DSS_TERMINATE;
    if (ste.s1dss == S1Dss::kBypass) return ATSFUZZ_ROUTE_S1DSS_BYPASS;
  }
  return ATSFUZZ_ROUTE_STAGE1;
}

// A slot of the state as the observation numbers it.
uint8_t ObservedSlot(int slot) {
  if (slot < kDeclared) return static_cast<uint8_t>(slot);
  const int first =
      slot < kSlots ? ATSFUZZ_MAX_DOMAINS : ATSFUZZ_FIRST_BLOCKING;
  return static_cast<uint8_t>(first + (slot - kDeclared) % kFunctions);
}

// Attachments of a function and a PASID to the domain of a slot.
unsigned ListedAt(const Board& board, const State& state, int slot, int f,
                  int ssid) {
  if (slot < kSlots) return board.ListOf(state, slot, ssid) >> 2 * f & 3;
  return ssid == 0 ? state.groups[slot - kSlots].blocking_list >> f & 1 : 0;
}

}  // namespace

const atsfuzz_observation& Recorder::Observe() {
  const Board& board = machine_.board();
  invs_.clear();
  for (int f = 0; f < board.function_count; ++f) ObserveFunction(f);
  for (int slot = 0; slot < kAllSlots; ++slot) ObserveDomain(slot);
  ObserveAtc();
  ObserveIotlb();
  observation_.invs = invs_.data();
  observation_.inv_count = static_cast<uint32_t>(invs_.size());
  observation_.allocations = state_.leaked;
  observation_.stream_nodes = static_cast<uint32_t>(
      std::count_if(std::begin(state_.tree), std::end(state_.tree),
                    [](uint8_t node) { return node != 0; }));
  return observation_;
}

void Recorder::ObserveFunction(int f) {
  const Board& board = machine_.board();
  const Function& function = state_.functions[f];
  const Board::Function& fixed = board.functions[f];
  atsfuzz_function& out = observation_.functions[f];
  out = {};
  out.probed = function.has_master;
  out.belief = function.belief;
  out.ats = function.ats;
  out.pasid = function.pasid;
  const Function& owner = state_.functions[fixed.pf];
  if (owner.stu_written) {
    out.stu = owner.stu != 0 ? owner.stu : 12;
  }
  out.stream_count = fixed.streams;
  const Group& group = state_.groups[fixed.leader];
  out.group_domain = ATSFUZZ_NONE;
  if (function.is_probed && IsPaging(group.domain)) {
    out.group_domain = ObservedSlot(SlotOf(group.domain));
  } else if (function.is_probed && group.domain == kBlocked &&
             group.blocking.exists) {
    out.group_domain = ObservedSlot(BlockingSlot(fixed.leader));
  }
  for (int s = 0; s < fixed.streams; ++s) ObserveStream(f, s);
  for (int ssid = 1; ssid < kSsids; ++ssid) {
    const Cd cd = function.cd[ssid];
    if (cd == kNoCd) continue;
    atsfuzz_substream& substream = out.substreams[out.substream_count++];
    substream.pasid = static_cast<uint32_t>(ssid);
    substream.asid = static_cast<uint16_t>(cd_[f][ssid][0] >> 48);
    substream.table = cd_[f][ssid][1];
  }
}

void Recorder::ObserveStream(int f, int s) {
  const Board& board = machine_.board();
  const int index = board.functions[f].stream[s];
  const Board::Stream& fixed = board.streams[index];
  const Ste& ste = state_.ste[index];
  atsfuzz_stream& out = observation_.functions[f].streams[s];
  out.id = fixed.id;
  const uint8_t node = state_.tree[index];
  out.master = node == 0 || node == kLostMaster
                   ? ATSFUZZ_NONE
                   : static_cast<uint8_t>(node - 1);
  out.route = RouteOf(state_, ste);
  if (ste.config == Config::kNotCached) return;
  ReadFirstEntry(index);
  std::copy(ste_[index].begin(), ste_[index].end(), out.ste);
  out.vmid = static_cast<uint16_t>(out.ste[2]);
  out.eats = ste.config >= Config::kStage1 && ste.eats;
  if (ste.config == Config::kStage1 && ste.target != kFreed) {
    // 6.1 writes it before anybody can see it, and not again.
    const Words cd = machine_.design().attach == Attach::kOnePhase
                         ? EncodeCd(state_, state_.functions[ste.target].cd[0])
                         : cd_[ste.target][0];
    std::copy(cd.begin(), cd.end(), out.cd);
    out.cd_valid = state_.functions[ste.target].cd[0] != kNoCd;
    if (out.cd_valid) out.asid = static_cast<uint16_t>(cd[0] >> 48);
    if (out.cd_valid && out.route == ATSFUZZ_ROUTE_STAGE1) out.table = cd[1];
  }
  if (ste.config == Config::kStage2 || ste.config == Config::kNested) {
    out.table = out.ste[3];
  }
}

void Recorder::ObserveDomain(int slot) {
  const Board& board = machine_.board();
  const Space& domain = SpaceAt(state_, slot);
  atsfuzz_domain& out = observation_.domains[ObservedSlot(slot)];
  out = {};
  if (!domain.exists) return;
  out.exists = 1;
  if (slot < kDeclared && board.IsNested(slot)) return;
  out.has_counter = 1;
  out.nr_ats_masters = domain.nr_ats_masters;
  for (int f = 0; f < board.function_count; ++f) {
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const unsigned count = ListedAt(board, state_, slot, f, ssid);
      uint8_t& seen = ssid == 0 ? out.attachments[f] : out.pasid_attachments[f];
      seen = static_cast<uint8_t>(seen + count);
    }
  }
  if (!domain.finalised) return;
  out.finalised = 1;
  out.stage = domain.stage2 ? 2 : 1;
  out.smmu = domain.smmu;
  out.tag = domain.tag;
  out.table = TableOf(slot);
  if (machine_.design().attach == Attach::kArrays) ObserveArray(slot, out);
}

void Recorder::ObserveArray(int slot, atsfuzz_domain& out) {
  const Board& board = machine_.board();
  const Domain& domain = state_.domains[slot];
  const Array& invs = domain.invs;
  out.has_array = 1;
  out.has_ats = invs.has_ats;
  out.num_trashes = invs.num_trashes;
  out.inv_first = static_cast<uint32_t>(invs_.size());
  const auto add = [&](uint8_t type, uint32_t id, uint32_t ssid,
                       unsigned users) {
    if (users == 0) return;
    atsfuzz_inv entry = {};
    entry.smmu = domain.smmu;
    entry.rank = domain.smmu;
    entry.type = type;
    entry.id = id;
    entry.ssid = ssid;
    entry.users = users == kTrash ? 0 : static_cast<int32_t>(users);
    invs_.push_back(entry);
  };
  add(domain.stage2 ? ATSFUZZ_INV_S2_VMID : ATSFUZZ_INV_S1_ASID, domain.tag, 0,
      invs.tag);
  add(ATSFUZZ_INV_S2_VMID_S1_CLEAR, domain.tag, 0, invs.clear);
  const unsigned repeated = board.Repeated(state_);
  const bool parent = domain.stage2 && board.smmus[domain.smmu].stage1;
  for (int stream = 0; stream < board.stream_count; ++stream) {
    const int copies = repeated >> stream & 1 ? 2 : 1;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      for (int i = 0; i < copies; ++i) {
        add(parent ? ATSFUZZ_INV_ATS_FULL : ATSFUZZ_INV_ATS,
            board.streams[stream].id, static_cast<uint32_t>(ssid),
            AtsUsers(invs, stream, ssid));
      }
    }
  }
  out.num_invs = static_cast<uint32_t>(invs_.size()) - out.inv_first;
  out.max_invs = out.num_invs;
}

void Recorder::ObserveAtc() {
  const Board& board = machine_.board();
  atc_.clear();
  for (int f = 0; f < board.function_count; ++f) {
    const Board::Function& fixed = board.functions[f];
    for (int s = 0; s < fixed.streams; ++s) {
      for (int ssid = 0; ssid < kSsids; ++ssid) {
        for (int page = 0; page < kPages; ++page) {
          const uint16_t line = state_.functions[f].atc[s][ssid];
          const auto entry = static_cast<uint8_t>(line >> 4 * page & 0xf);
          if (entry == kAtcEmpty) continue;
          atsfuzz_atc_entry out = {};
          out.function = static_cast<uint8_t>(f);
          out.stream = static_cast<uint8_t>(s);
          out.pasid = static_cast<uint32_t>(ssid);
          out.iova = Iova(fixed.smmu, page);
          out.physical = Target(fixed.smmu, page, entry);
          out.size = AtcUnit(
              f,
              state_.functions[f].atc_small[ssid] >> (s * kPages + page) & 1);
          out.writable = 1;
          atc_.push_back(out);
        }
      }
    }
  }
  observation_.atc = atc_.data();
  observation_.atc_count = static_cast<uint32_t>(atc_.size());
}

void Recorder::ObserveIotlb() {
  const Board& board = machine_.board();
  iotlb_.clear();
  for (int smmu = 0; smmu < board.smmu_count; ++smmu) {
    for (int stage = 0; stage < 3; ++stage) {
      for (int tag = 1; tag <= kTags; ++tag) {
        const uint8_t line = state_.iotlb[smmu][stage][tag - 1];
        for (int page = 0; line != 0 && page < kPages; ++page) {
          const int held = line >> 2 * page & 3;
          if (held == kTlbEmpty) continue;
          int owner = -1;
          for (int slot = 0; slot < kSlots; ++slot) {
            const Domain& domain = state_.domains[slot];
            if (domain.finalised && domain.smmu == smmu && domain.tag == tag &&
                (domain.stage2 != 0) == (stage != 0)) {
              owner = slot;
            }
          }
          atsfuzz_iotlb_entry out = {};
          out.smmu = static_cast<uint8_t>(smmu);
          out.stage = stage == 1 ? 2 : 1;
          out.tag = static_cast<uint16_t>(stage == 2 ? 0 : tag);
          out.vmid = static_cast<uint16_t>(stage == 2 ? tag : 0);
          out.level = 3;
          out.iova = Iova(smmu, page);
          AtcEntry entry = kAtcStale;
          if (owner >= 0) {
            entry = held == kTlbFresh
                        ? static_cast<AtcEntry>(kAtcFromSlot + owner)
                        : StaleFrom(owner);
          }
          out.physical = Target(smmu, page, entry);
          out.size = uint64_t{1} << board.smmus[smmu].page_shift;
          iotlb_.push_back(out);
        }
      }
    }
  }
  observation_.iotlb = iotlb_.data();
  observation_.iotlb_count = static_cast<uint32_t>(iotlb_.size());
}

}  // namespace atsfuzz::machine
