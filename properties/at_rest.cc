#include "properties/at_rest.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "model/machine/array.h"

namespace atsfuzz::properties {
namespace {

using machine::Array;
using machine::Board;
using machine::Config;
using machine::Dom;
using machine::Domain;
using machine::Function;
using machine::kBlocked;
using machine::kDeclared;
using machine::kFunctions;
using machine::kIdentity;
using machine::kNoCd;
using machine::kNoDomain;
using machine::kSlots;
using machine::kSsids;
using machine::kStreams;
using machine::kTrash;
using machine::Ste;

constexpr uint64_t kEveryByte = 0x0101010101010101;

bool IsLive(unsigned users) { return users != 0 && users != kTrash; }

// Entries of an IOTLB by tag, a byte each.
uint64_t Line(const uint8_t (&line)[machine::kTags]) {
  uint64_t bytes;
  std::memcpy(&bytes, line, sizeof(bytes));
  return bytes;
}
uint64_t ByteOf(int tag) { return uint64_t{0xff} << 8 * (tag - 1); }

class Judgement {
 public:
  Judgement(const machine::Machine& machine, const machine::State& state,
            const machine::Promises& promises)
      : board_(machine.board()),
        state_(state),
        promises_(promises),
        has_arrays_(machine.design().attach == machine::Attach::kArrays) {}

  InvariantSet Judge() {
    for (int f = 0; f < board_.function_count; ++f) JudgeFunction(f);
    JudgeStreams();
    JudgeDomains();
    JudgeIotlb();
    return violated_;
  }

 private:
  // What the attachments of a slot need: users of each entry, the entries of a
  // stream id listed twice together.
  struct Needed {
    uint8_t attachments = 0;
    std::array<uint16_t, kStreams> ats{};
  };

  void Violate(Invariant invariant) { violated_ |= Only(invariant); }
  void Check(bool holds, Invariant invariant) {
    if (!holds) Violate(invariant);
  }

  void JudgeFunction(int f);
  void JudgeEntry(int f, Dom promised, const Ste& ste);
  void JudgeServed(const Ste& ste, const machine::Space& domain, int slot);
  void JudgePasids(int f);
  void JudgeAtc(int f, int ssid, Dom promised);
  void Need(int f, int ssid, Dom promised);
  void JudgeStreams();
  void JudgeDomains();
  void JudgeDomain(int slot);
  void JudgeArray(int slot, int listed);
  void JudgeEntries(int slot);
  int Covered(const Array& array) const;
  void JudgeIotlb();
  bool IsSelected(int smmu, int stage, int tag) const;

  // An STE that looks the PASID-less traffic up in CD 0.
  bool UsesCd0(const Ste& ste) const {
    return ste.config == Config::kStage1 && ste.target < kFunctions &&
           (!HasSubstreams(state_.functions[ste.target]) ||
            ste.s1dss == machine::S1Dss::kSsid0);
  }
  // The slot whose table and array serve traffic of `promised`; -1: none.
  int ServedBy(Dom promised) const {
    return machine::IsPaging(promised)
               ? board_.CountedBy(machine::SlotOf(promised))
               : -1;
  }

  const Board& board_;
  const machine::State& state_;
  const machine::Promises& promises_;
  const bool has_arrays_;
  InvariantSet violated_ = 0;
  std::array<Needed, kSlots> needed_{};
  // The first probed function of a stream, + 1.
  std::array<uint8_t, kStreams> owner_{};
  // Bits 2 f, for the lists.
  uint8_t ats_on_ = 0;
};

void Judgement::JudgeFunction(int f) {
  const Board::Function& fixed = board_.functions[f];
  const Function& function = state_.functions[f];
  if (function.has_master) {
    Check(function.belief == function.ats, Invariant::kBeliefMatchesDevice);
  }
  if (fixed.smmu == ATSFUZZ_NONE) return;
  const bool probed = (promises_.probed >> f & 1) != 0;
  const Dom promised = RidPromised(board_, promises_, f);
  if (function.ats) {
    ats_on_ |= static_cast<uint8_t>(1u << 2 * f);
    const Function& pf = state_.functions[fixed.pf];
    const int stu = !pf.stu_written ? 0 : pf.stu != 0 ? pf.stu : 12;
    Check(stu == board_.smmus[fixed.smmu].page_shift,
          Invariant::kStuMatchesGranule);
  }
  for (int s = 0; s < fixed.streams; ++s) {
    const int stream = fixed.stream[s];
    const Ste& ste = state_.ste[stream];
    if (function.ats) {
      Check(ste.config >= Config::kStage1 && ste.eats != 0,
            Invariant::kTranslationBeforeAts);
    }
    if (!probed) continue;
    JudgeEntry(f, promised, ste);
    if (owner_[stream] == 0) owner_[stream] = static_cast<uint8_t>(f + 1);
  }
  if (probed) Need(f, 0, promised);
  JudgeAtc(f, 0, promised);
  JudgePasids(f);
}

void Judgement::JudgeEntry(int f, Dom promised, const Ste& ste) {
  constexpr Invariant kInvariant = Invariant::kAttachmentAsReturned;
  const bool table = ste.config == Config::kStage1 && ste.target < kFunctions &&
                     HasSubstreams(state_.functions[ste.target]);
  const int leader = board_.functions[f].leader;
  if (promised == kBlocked && state_.groups[leader].blocking.exists) {
    const int slot = machine::BlockingSlot(leader);
    JudgeServed(ste, state_.groups[leader].blocking, slot);
    return;
  }
  if (promised == kBlocked) {
    Check(ste.config == Config::kAbort ||
              (table && ste.s1dss == machine::S1Dss::kTerminate),
          kInvariant);
    return;
  }
  if (promised == kIdentity) {
    Check(ste.config == Config::kBypass ||
              (table && ste.s1dss == machine::S1Dss::kBypass),
          kInvariant);
    return;
  }
  const int slot = machine::SlotOf(promised);
  if (slot >= kDeclared) {
    const machine::Group& group = state_.groups[leader];
    Check(state_.functions[f].is_probed && group.domain == promised,
          kInvariant);
  }
  bool guest = false;
  if (slot < kDeclared && board_.IsNested(slot)) {
    const model::GuestEntry entry = board_.domains[slot].guest;
    if (entry == model::GuestEntry::kAbort) {
      Check(ste.config == Config::kAbort, kInvariant);
      return;
    }
    guest = entry == model::GuestEntry::kStage1;
  }
  const int served = board_.CountedBy(slot);
  const Domain& domain = state_.domains[served];
  if (guest && domain.exists && domain.finalised) {
    Check(ste.config == Config::kNested && ste.target < kSlots &&
              board_.CountedBy(ste.target) == served,
          kInvariant);
    return;
  }
  JudgeServed(ste, domain, served);
}

// The entry leads through the page table of `slot`.
void Judgement::JudgeServed(const Ste& ste, const machine::Space& domain,
                            int slot) {
  constexpr Invariant kInvariant = Invariant::kAttachmentAsReturned;
  if (!domain.exists || !domain.finalised) {
    Violate(kInvariant);
  } else if (domain.stage2) {
    Check(ste.config == Config::kStage2 && ste.target == slot, kInvariant);
  } else {
    Check(UsesCd0(ste) && state_.functions[ste.target].cd[0] == slot + 1,
          kInvariant);
  }
}

void Judgement::JudgePasids(int f) {
  const Board::Function& fixed = board_.functions[f];
  const Function& function = state_.functions[f];
  for (int ssid = 1; ssid < kSsids; ++ssid) {
    const Dom promised = PasidPromised(board_, promises_, f, ssid);
    JudgeAtc(f, ssid, promised);
    if (promised == kNoDomain) {
      Check(function.cd[ssid] == kNoCd, Invariant::kAttachmentAsReturned);
      continue;
    }
    const int slot = machine::SlotOf(promised);
    bool leads =
        state_.domains[slot].finalised && function.cd[ssid] == slot + 1;
    for (int s = 0; s < fixed.streams; ++s) {
      leads = leads && state_.ste[fixed.stream[s]].config == Config::kStage1;
    }
    Check(leads, Invariant::kAttachmentAsReturned);
    Need(f, ssid, promised);
  }
}

// An entry names where it was filled from, or that this is stale.
void Judgement::JudgeAtc(int f, int ssid, Dom promised) {
  const Board::Function& fixed = board_.functions[f];
  for (int s = 0; s < fixed.streams; ++s) {
    const unsigned line = state_.functions[f].atc[s][ssid];
    if (line == 0) continue;
    unsigned right = machine::kAtcEmpty;
    if (promised == kNoDomain || !machine::IsPaging(promised)) {
      // Traffic of a PASID that leads nowhere goes nowhere, but for identity.
      if (RidPromised(board_, promises_, f) == kIdentity) {
        right = machine::kAtcIdentity;
      }
    } else {
      const int slot = machine::SlotOf(promised);
      const bool aborts =
          slot < kDeclared && board_.IsNested(slot) &&
          board_.domains[slot].guest == model::GuestEntry::kAbort;
      const int served = board_.CountedBy(slot);
      if (!aborts) {
        right = machine::kAtcFromSlot + static_cast<unsigned>(served);
      }
    }
    const unsigned held = (line | line >> 1 | line >> 2 | line >> 3) & 0x1111u;
    Check(line == held * right, Invariant::kNoStaleAtc);
  }
}

void Judgement::Need(int f, int ssid, Dom promised) {
  const int slot = ServedBy(promised);
  if (slot < 0) return;
  Needed& needed = needed_[slot];
  ++needed.attachments;
  if (!state_.functions[f].ats) return;
  const Board::Function& fixed = board_.functions[f];
  for (int s = 0; s < fixed.streams; ++s) {
    uint16_t& users = needed.ats[fixed.stream[s]];
    users = static_cast<uint16_t>(users + (1u << 4 * ssid));
  }
}

void Judgement::JudgeStreams() {
  for (int stream = 0; stream < board_.stream_count; ++stream) {
    const uint8_t node = state_.tree[stream];
    const uint8_t found = node == machine::kLostMaster ? 0 : node;
    Check(found == owner_[stream], Invariant::kStreamsResolve);
    if (owner_[stream] != 0) continue;
    const Config config = state_.ste[stream].config;
    Check(config == Config::kAbort || config == Config::kNotCached,
          Invariant::kAttachmentAsReturned);
  }
}

void Judgement::JudgeDomains() {
  unsigned asids = 0, vmids[machine::kSmmus] = {};
  const auto take_tag = [&](const machine::Space& domain) {
    if (!domain.finalised) return;
    unsigned& tags = domain.stage2 ? vmids[domain.smmu] : asids;
    Check((tags >> domain.tag & 1) == 0, Invariant::kTagsUnique);
    tags |= 1u << domain.tag;
  };
  for (int slot = 0; slot < kSlots; ++slot) {
    const Domain& domain = state_.domains[slot];
    if (!domain.exists || board_.IsNested(slot)) continue;
    take_tag(domain);
    JudgeDomain(slot);
  }
  for (const machine::Group& group : state_.groups) {
    if (!group.blocking.exists) continue;
    take_tag(group.blocking);
    int listed = 0;
    for (int f = 0; f < kFunctions; ++f) {
      const bool on_list = (group.blocking_list >> f & 1) != 0;
      const bool on = (ats_on_ >> 2 * f & 1) != 0;
      if (on_list && on) ++listed;
    }
    Check(group.blocking.nr_ats_masters == listed,
          Invariant::kCountMatchesDevices);
  }
}

void Judgement::JudgeDomain(int slot) {
  const Domain& domain = state_.domains[slot];
  int listed = 0;
  for (int ssid = 0; ssid < machine::kSsids; ++ssid) {
    const unsigned list = board_.ListOf(state_, slot, ssid);
    listed +=
        std::popcount(list & ats_on_) + 2 * std::popcount(list >> 1 & ats_on_);
  }
  Check(domain.nr_ats_masters == listed, Invariant::kCountMatchesDevices);
  if (has_arrays_ && domain.finalised) JudgeArray(slot, listed);
}

void Judgement::JudgeArray(int slot, int listed) {
  const Domain& domain = state_.domains[slot];
  const Array& array = domain.invs;
  const unsigned needed = needed_[slot].attachments;
  const bool parent = domain.stage2 && board_.smmus[domain.smmu].stage1;
  Check((IsLive(array.tag) ? array.tag : 0u) == needed &&
            (IsLive(array.clear) ? array.clear : 0u) == (parent ? needed : 0u),
        Invariant::kArrayCoversAttachments);
  JudgeEntries(slot);
  if (promises_.contested) return;
  const int covered = Covered(array);
  Check(domain.nr_ats_masters == covered && covered == listed,
        Invariant::kRepresentationsAgree);
}

void Judgement::JudgeEntries(int slot) {
  const Array& array = state_.domains[slot].invs;
  const unsigned repeated = board_.Repeated(state_);
  int trash = (array.tag == kTrash) + (array.clear == kTrash);
  bool live = false;
  for (int stream = 0; stream < board_.stream_count; ++stream) {
    const uint16_t needed = needed_[slot].ats[stream];
    if (array.ats[stream] == 0 && needed == 0) continue;
    const unsigned copies = repeated >> stream & 1 ? 2 : 1;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const unsigned users = AtsUsers(array, stream, ssid);
      if (users == kTrash) trash += static_cast<int>(copies);
      live = live || IsLive(users);
      const unsigned wanted = needed >> 4 * ssid & 0xf;
      Check((IsLive(users) ? users * copies : 0) == wanted,
            Invariant::kArrayCoversAttachments);
    }
  }
  Check((!live || array.has_ats) && array.num_trashes == trash,
        Invariant::kArrayWellFormed);
}

// Distinct (master, PASID) with a live ATS entry.
int Judgement::Covered(const Array& array) const {
  unsigned seen[kSsids] = {};
  for (int stream = 0; stream < board_.stream_count; ++stream) {
    if (array.ats[stream] == 0) continue;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      if (IsLive(AtsUsers(array, stream, ssid))) {
        seen[ssid] |= 1u << owner_[stream];
      }
    }
  }
  int count = 0;
  for (const unsigned masters : seen) count += std::popcount(masters);
  return count;
}

void Judgement::JudgeIotlb() {
  for (int smmu = 0; smmu < board_.smmu_count; ++smmu) {
    for (int stage = 0; stage < 3; ++stage) {
      const uint64_t held = Line(state_.iotlb[smmu][stage]);
      if (held == 0) continue;
      // Tags that a sync will name.
      uint64_t named = 0;
      for (const Domain& domain : state_.domains) {
        if (domain.finalised && domain.smmu == smmu &&
            (domain.stage2 != 0) == (stage != 0) &&
            (!has_arrays_ || IsLive(domain.invs.tag))) {
          named |= ByteOf(domain.tag);
        }
      }
      for (const machine::Group& group : state_.groups) {
        const machine::Space& blocking = group.blocking;
        if (blocking.finalised && blocking.smmu == smmu &&
            (blocking.stage2 != 0) == (stage != 0)) {
          named |= ByteOf(blocking.tag);
        }
      }
      Check((held & ~named) == 0, Invariant::kNoStaleIotlb);
      // kTlbStale is the upper bit of a page.
      uint64_t stale = held & (kEveryByte * 0xaa);
      while (stale != 0) {
        const int tag = std::countr_zero(stale) / 8 + 1;
        Check(!IsSelected(smmu, stage, tag), Invariant::kNoStaleIotlb);
        stale &= ~ByteOf(tag);
      }
    }
  }
}

// Some STE or CD of the SMMU's functions names the tag.
bool Judgement::IsSelected(int smmu, int stage, int tag) const {
  const auto is = [&](int slot) {
    return slot < kSlots + kFunctions && SpaceAt(state_, slot).tag == tag;
  };
  for (int f = 0; f < board_.function_count; ++f) {
    const Board::Function& fixed = board_.functions[f];
    if (fixed.smmu != smmu) continue;
    for (int ssid = 1; stage == 0 && ssid < kSsids; ++ssid) {
      const machine::Cd cd = state_.functions[f].cd[ssid];
      if (cd != kNoCd && is(cd - 1)) return true;
    }
    for (int s = 0; s < fixed.streams; ++s) {
      const Ste& ste = state_.ste[fixed.stream[s]];
      if (stage == 0) {
        if (!UsesCd0(ste)) continue;
        const machine::Cd cd = state_.functions[ste.target].cd[0];
        if (cd != kNoCd && is(cd - 1)) return true;
        continue;
      }
      const bool selects = ste.config == Config::kNested ||
                           (stage == 1 && ste.config == Config::kStage2);
      if (selects && is(board_.CountedBy(ste.target))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

InvariantSet JudgeAtRest(const machine::Machine& machine,
                         const machine::State& state,
                         const machine::Promises& promises) {
  return Judgement(machine, state, promises).Judge();
}

}  // namespace atsfuzz::properties
