#include "properties/outages.h"

#include <algorithm>

namespace atsfuzz::properties {
namespace {

bool Overlap(const Range& range, uint64_t start, uint64_t size) {
  return range.start < start + size && start < range.end;
}

bool Same(const atsfuzz_atc_entry& a, const atsfuzz_atc_entry& b) {
  return a.function == b.function && a.stream == b.stream &&
         a.pasid == b.pasid && a.iova == b.iova && a.physical == b.physical &&
         a.size == b.size;
}

bool Names(const AtcInvalidation& inv, uint32_t stream,
           const atsfuzz_atc_entry& entry) {
  return inv.stream == stream &&
         (!inv.with_pasid || inv.pasid == entry.pasid) &&
         (inv.whole || Overlap(inv.range, entry.iova, entry.size));
}

bool Names(const TlbInvalidation& tlbi, const atsfuzz_iotlb_entry& entry) {
  const bool is_guests = entry.stage == 1 && entry.vmid != 0;
  const bool tag = is_guests ? tlbi.ClearsGuest(entry.vmid) ||
                                   (tlbi.Selects(2, entry.vmid) && tlbi.whole)
                             : tlbi.Selects(entry.stage, entry.tag);
  if (!tag) return false;
  // One address, whatever the size of its entry.
  const bool address =
      tlbi.range.empty() && tlbi.range.start - entry.iova < entry.size;
  return tlbi.whole || address || Overlap(tlbi.range, entry.iova, entry.size);
}

bool Translates(const atsfuzz_atc_entry& entry, const atsfuzz_event& dma) {
  return entry.function == dma.function && entry.pasid == dma.pasid &&
         dma.a - entry.iova < entry.size &&
         entry.physical + (dma.a - entry.iova) == dma.b;
}

bool Contains(const std::vector<atsfuzz_atc_entry>& entries,
              const atsfuzz_atc_entry& entry) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& other) { return Same(other, entry); });
}

// Where the entry came into the ATC; -1: before these events.
int FillEvent(std::span<const atsfuzz_event> events,
              const atsfuzz_atc_entry& entry) {
  for (int i = static_cast<int>(events.size()) - 1; i >= 0; --i) {
    const atsfuzz_event& event = events[i];
    if (event.kind == ATSFUZZ_EVENT_ATC_FILL &&
        event.function == entry.function && event.a == entry.iova &&
        event.b == entry.physical && event.pasid == entry.pasid) {
      return i;
    }
  }
  return -1;
}

}  // namespace

void Outages::BeginStep() {
  unanswered_.clear();
  named_.clear();
}

bool Outages::OnEvent(const atsfuzz_event& event, int index) {
  if (event.smmu >= ATSFUZZ_MAX_SMMUS) return false;
  const int smmu = event.smmu;
  switch (event.kind) {
    case ATSFUZZ_EVENT_COMMAND_HELD:
      held_[smmu].push_back({event.a, event.b});
      return false;
    case ATSFUZZ_EVENT_QUEUE_RESUMED:
      late_[smmu] = event.a;
      return false;
    case ATSFUZZ_EVENT_ATC_TIMEOUT:
      for (const AtcInvalidation& inv : outstanding_[smmu]) {
        unanswered_.push_back({smmu, index, inv});
      }
      return false;
    case ATSFUZZ_EVENT_COMMAND:
    case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
      break;
    default:
      return false;
  }
  if (OpcodeOf(event.a) == kAtcInv) {
    outstanding_[smmu].push_back(DecodeAtcInvalidation(event.a, event.b));
  } else if (OpcodeOf(event.a) == kCmdSync) {
    outstanding_[smmu].clear();
  }
  if (late_[smmu] == 0) return false;
  --late_[smmu];
  if (!held_[smmu].empty()) held_[smmu].pop_front();
  return true;
}

bool Outages::IsUnanswered(std::span<const atsfuzz_event> events,
                           const Machine& machine,
                           const atsfuzz_atc_entry& entry) const {
  const uint32_t stream =
      machine.StreamId(SlotOf(entry.function, entry.stream));
  const int filled = FillEvent(events, entry);
  return std::any_of(
      unanswered_.begin(), unanswered_.end(), [&](const Unanswered& lost) {
        return lost.smmu == machine.SmmuOf(entry.function) &&
               filled < lost.event && Names(lost.inv, stream, entry);
      });
}

void Outages::EndStep(std::span<const atsfuzz_event> events,
                      const atsfuzz_observation& after,
                      const Machine& machine) {
  if (kept_.empty() && unanswered_.empty()) return;
  const std::span atc(after.atc, after.atc_count);
  std::erase_if(kept_, [&](const atsfuzz_atc_entry& kept) {
    return std::none_of(atc.begin(), atc.end(),
                        [&](const auto& entry) { return Same(kept, entry); });
  });
  for (const atsfuzz_atc_entry& entry : atc) {
    if (!IsUnanswered(events, machine, entry)) continue;
    const bool reachable = after.functions[entry.function].ats != 0;
    (reachable ? named_ : kept_).push_back(entry);
  }
}

bool Outages::HoldsTlbi(const atsfuzz_iotlb_entry& entry) const {
  return std::any_of(
      held_[entry.smmu].begin(), held_[entry.smmu].end(),
      [&](const Command& command) {
        return IsTlbi(OpcodeOf(command.word0)) &&
               Names(DecodeTlbInvalidation(command.word0, command.word1),
                     entry);
      });
}

bool Outages::HoldsConfig(int smmu, uint32_t stream, uint32_t pasid) const {
  return std::any_of(
      held_[smmu].begin(), held_[smmu].end(), [&](const Command& command) {
        const uint8_t opcode = OpcodeOf(command.word0);
        if (opcode < kCfgiSte || opcode > kCfgiCdAll) return false;
        const ConfigInvalidation cfgi =
            DecodeConfigInvalidation(command.word0, command.word1);
        return cfgi.Covers(stream) &&
               (cfgi.ste || cfgi.every_ssid || cfgi.ssid == pasid);
      });
}

bool Outages::HoldsAtcInv(int smmu, uint32_t stream,
                          const atsfuzz_atc_entry& entry) const {
  return std::any_of(
      held_[smmu].begin(), held_[smmu].end(), [&](const Command& command) {
        return OpcodeOf(command.word0) == kAtcInv &&
               Names(DecodeAtcInvalidation(command.word0, command.word1),
                     stream, entry);
      });
}

bool Outages::ExcusesAtc(int smmu, uint32_t stream,
                         const atsfuzz_atc_entry& entry) {
  if (HoldsAtcInv(smmu, stream, entry) || Contains(kept_, entry)) return true;
  const bool named = Contains(named_, entry);
  if (named) kept_.push_back(entry);
  return named;
}

bool Outages::ExcusesHit(const atsfuzz_event& dma, int smmu,
                         std::span<const atsfuzz_atc_entry> atc,
                         const Machine& machine) const {
  return std::any_of(atc.begin(), atc.end(), [&](const auto& entry) {
    const uint32_t stream =
        machine.StreamId(SlotOf(entry.function, entry.stream));
    return Translates(entry, dma) && stream == dma.stream &&
           (Contains(kept_, entry) || HoldsAtcInv(smmu, stream, entry));
  });
}

}  // namespace atsfuzz::properties
