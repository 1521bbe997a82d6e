#include "model/machine/smmu.h"

#include <algorithm>

#include "model/machine/function.h"
#include "model/observation.h"

namespace atsfuzz::machine {
namespace {

// Event ids of the specification, section 7.3.
enum Fault : int {
  kNoFault = 0,
  kBadStreamId = 0x02,
  kBadSte = 0x04,
  kBadAtsRequest = 0x05,
  kStreamDisabled = 0x06,
  kTranslatedForbidden = 0x07,
  kBadSubstreamId = 0x08,
  kBadCd = 0x0a,
  kTranslation = 0x10,
};

// IOTLB stages.
enum Stage : int { kStageS1, kStageS2, kStageGuest };

// What the SMMU does with traffic of a stream and PASID.
struct Regime {
  enum Kind : uint8_t { kAbort, kBypass, kTranslate } kind = kAbort;
  int fault = kNoFault;    // kAbort: recorded unless 0
  bool ste_fault = false;  // the STE itself cannot be used
  bool eats = false;
  bool guest = false;  // translated by a guest's table too
  int slot = 0;        // kTranslate: whose table and tag
};

void MemoryError(Context& c, const char* text) {
  if (c.log != nullptr) c.log->MemoryError(text, false);
}

bool HasTable(const Context& c, int stream) {
  const Board::Stream& fixed = c.board.streams[stream];
  return fixed.in_range && (c.state.stream_tables >> fixed.table & 1) != 0;
}

// The STE, through the cache.
Ste FetchSte(Context& c, int stream) {
  Ste& cached = c.state.cached_ste[stream];
  if (cached.config == Config::kNotCached) cached = c.state.ste[stream];
  return cached;
}

Cd FetchCd(Context& c, int stream, int ssid, int owner) {
  Cd& cached = c.state.cached_cd[stream][ssid];
  if (cached == kNoCd) {
    cached = c.state.functions[owner].cd[ssid];
    if (cached == kNoCd) cached = kCachedInvalid;
  }
  return cached;
}

// S1CDMAX.
int CdTableBits(const Context& c, int f) {
  const Function& function = c.state.functions[f];
  const int bits = function.has_pasids ? c.board.functions[f].ssid_bits : 0;
  return std::max<int>(bits, function.always_on);
}

bool HasTwoLevels(const Context& c, int f) {
  return c.state.functions[f].has_pasids &&
         c.board.functions[f].ssid_bits > kLinearBits;
}

Regime ResolveStage1(Context& c, int stream, int ssid, const Ste& ste) {
  Regime regime{.eats = ste.eats != 0};
  if (ste.target == kFreed) {
    MemoryError(c, "SMMU read a freed context descriptor table");
    return regime;
  }
  const bool substreams = HasSubstreams(c.state.functions[ste.target]);
  if (ssid >> CdTableBits(c, ste.target) != 0) {
    regime.fault = kBadSubstreamId;
    return regime;
  }
  if (ssid == 0 && substreams) {
    if (ste.s1dss == S1Dss::kTerminate) {
      regime.fault = kStreamDisabled;
      return regime;
    }
    if (ste.s1dss == S1Dss::kBypass) {
      regime.kind = Regime::kBypass;
      return regime;
    }
  }
  const Function& owner = c.state.functions[ste.target];
  if (HasTwoLevels(c, ste.target) && !owner.cd_leaf &&
      c.state.cached_cd[stream][ssid] == kNoCd) {
    // L1CD.V is 0 (specification, section 5.4.1).
    regime.fault = kBadSubstreamId;
    return regime;
  }
  const Cd cd = FetchCd(c, stream, ssid, ste.target);
  if (cd == kCachedInvalid) {
    regime.fault = kBadCd;
  } else if (cd == kFreedCd) {
    MemoryError(c, "SMMU walked freed table memory, stage 1");
  } else {
    regime.kind = Regime::kTranslate;
    regime.slot = cd - 1;
  }
  return regime;
}

Regime Resolve(Context& c, int stream, int ssid) {
  if (!HasTable(c, stream)) return {.fault = kBadStreamId, .ste_fault = true};
  const Ste ste = FetchSte(c, stream);
  switch (ste.config) {
    case Config::kNotCached:
    case Config::kInvalid:
      return {.fault = kBadSte, .ste_fault = true};
    case Config::kAbort:
      return {};
    case Config::kBypass:
      if (ssid != 0) return {.fault = kBadSubstreamId};
      return {.kind = Regime::kBypass};
    case Config::kStage1:
      return ResolveStage1(c, stream, ssid, ste);
    case Config::kStage2:
    case Config::kNested:
      break;
  }
  Regime regime{.eats = ste.eats != 0};
  if (ste.target == kFreed) {
    MemoryError(c, "SMMU walked freed table memory, stage 2");
    return regime;
  }
  if (ssid != 0) {
    regime.fault = kBadSubstreamId;
    return regime;
  }
  regime.kind = Regime::kTranslate;
  regime.guest = ste.config == Config::kNested;
  regime.slot = c.board.CountedBy(ste.target);
  return regime;
}

void SetIotlb(State& state, int smmu, int stage, int tag, int page,
              IotlbEntry entry) {
  if (tag > kTags) return;
  uint8_t& line = state.iotlb[smmu][stage][tag - 1];
  line = static_cast<uint8_t>((line & ~(3u << 2 * page)) |
                              static_cast<unsigned>(entry) << 2 * page);
}

// What a page of a regime translates to, filling the IOTLB; kAtcEmpty: nothing.
AtcEntry Translate(Context& c, const Regime& regime, int page) {
  if (regime.slot >= kSlots) return kAtcEmpty;  // a blocking domain
  const Domain& domain = c.state.domains[regime.slot];
  const int tag = domain.tag;
  const int stage = regime.guest    ? kStageGuest
                    : domain.stage2 ? kStageS2
                                    : kStageS1;
  IotlbEntry entry = IotlbAt(c.state, domain.smmu, stage, tag, page);
  if (entry == kTlbEmpty && regime.guest) {
    // The walk of the second stage, for which there may be an entry.
    entry = IotlbAt(c.state, domain.smmu, kStageS2, tag, page);
  }
  if (entry == kTlbEmpty) {
    if ((domain.mapped >> page & 1) == 0) return kAtcEmpty;
    entry = kTlbFresh;
  }
  if (regime.guest) {
    SetIotlb(c.state, domain.smmu, kStageS2, tag, page, entry);
  }
  SetIotlb(c.state, domain.smmu, stage, tag, page, entry);
  return entry == kTlbStale ? StaleFrom(regime.slot)
                            : static_cast<AtcEntry>(kAtcFromSlot + regime.slot);
}

struct Requester {
  int f, s, ssid, stream;
};

void RecordFault(Context& c, const Requester& who, int fault, int page) {
  if (c.log != nullptr)
    c.log->SmmuFault(who.f, who.stream, who.ssid, fault, page);
}

AtcEntry AccessUntranslated(Context& c, const Requester& who, int page) {
  const Regime regime = Resolve(c, who.stream, who.ssid);
  if (regime.kind == Regime::kBypass) return kAtcIdentity;
  int fault = regime.fault;
  if (regime.kind == Regime::kTranslate) {
    const AtcEntry reached = Translate(c, regime, page);
    if (reached != kAtcEmpty) return reached;
    fault = kTranslation;
  }
  if (fault != kNoFault) RecordFault(c, who, fault, page);
  return kAtcEmpty;
}

// Whether the SMMU lets an access pass that the ATC has translated.
bool AccessTranslated(Context& c, const Requester& who, int page) {
  const Board::Smmu& smmu = c.board.smmus[c.board.functions[who.f].smmu];
  if (!smmu.ats) return true;  // CR0.ATSCHK is set only with ATS
  const Regime regime = Resolve(c, who.stream, who.ssid);
  if (regime.eats) return true;
  RecordFault(c, who, regime.ste_fault ? regime.fault : kTranslatedForbidden,
              page);
  return false;
}

// A translation request; the answer goes to the ATC. The SMMU records what it
// refuses unless `quiet`; "no access" is a regular answer (section 3.9.1).
bool RequestTranslation(Context& c, const Requester& who, int page,
                        bool quiet) {
  const Regime regime = Resolve(c, who.stream, who.ssid);
  int fault = kNoFault;
  if (!regime.eats) {
    fault = regime.ste_fault ? regime.fault : kBadAtsRequest;
  } else if (regime.kind == Regime::kAbort) {
    fault = regime.fault;
  }
  if (fault != kNoFault) {
    if (!quiet) RecordFault(c, who, fault, page);
    return false;
  }
  AtcEntry entry = kAtcEmpty;
  if (regime.kind == Regime::kBypass) {
    entry = kAtcIdentity;
  } else if (regime.kind == Regime::kTranslate) {
    entry = Translate(c, regime, page);
  }
  if (entry == kAtcEmpty) return false;
  SetAtc(c.state, who.f, who.s, who.ssid, page, entry,
         c.state.functions[c.board.functions[who.f].pf].stu);
  if (c.log != nullptr) {
    c.log->AtcFill(who.f, who.stream, who.ssid, page, entry);
  }
  return true;
}

void RefillAll(Context& c) {
  if (!c.board.any_eager) return;
  for (int f = 0; f < c.board.function_count; ++f) Refill(c, f);
}

// ---- What commands do once the SMMU takes them.

void DropSte(Context& c, int stream) {
  c.state.cached_ste[stream] = {};
  std::fill_n(c.state.cached_cd[stream], kSsids, kNoCd);
  RefillAll(c);
}

void DropCd(Context& c, int stream, int ssid) {
  c.state.cached_cd[stream][ssid] = kNoCd;
  RefillAll(c);
}

constexpr unsigned kStage2Tag = 0x80;

uint8_t WhatOf(const Space& domain) {
  return static_cast<uint8_t>(domain.tag | (domain.stage2 ? kStage2Tag : 0));
}

void DropTlb(Context& c, int smmu, unsigned what, unsigned pages, bool whole) {
  const bool stage2 = (what & kStage2Tag) != 0;
  const int tag = static_cast<int>(what & ~kStage2Tag);
  if (tag == 0 || tag > kTags) {  // nothing is cached of it
    RefillAll(c);
    return;
  }
  for (int page = 0; page < kPages; ++page) {
    if (!whole && (pages >> page & 1) == 0) continue;
    SetIotlb(c.state, smmu, stage2 ? kStageS2 : kStageS1, tag, page, kTlbEmpty);
    // Each page is a command of its own: between two of them an ATC may refill
    // from an entry that the second one takes.
    if (!whole && !c.board.smmus[smmu].range_invalidation) RefillAll(c);
  }
  // TLBI_S12_VMALL takes a guest's entries too.
  if (whole && stage2) c.state.iotlb[smmu][kStageGuest][tag - 1] = 0;
  RefillAll(c);
}

void DropGuest(Context& c, int smmu, unsigned what) {
  c.state.iotlb[smmu][kStageGuest][(what & ~kStage2Tag) - 1] = 0;
  RefillAll(c);
}

void DropAtc(Context& c, int stream, int ssid, unsigned pages,
             bool unanswered) {
  if (!unanswered) InvalidateAtc(c, stream, ssid, pages);
  RefillAll(c);
}

// ---- Stalls.

// The batch of `smmu` that is held, if the one begun is; else null.
Held* Holding(Context& c, int smmu, Held::Kind kind) {
  if (!c.thread.holding) return nullptr;
  Held& held = c.state.held[smmu];
  held.kind = kind;
  return &held;
}

void TakeOfStream(Context& c, const Held& held, int stream, int ssid) {
  switch (held.kind) {
    case Held::kCfgiSte:
      DropSte(c, stream);
      return;
    case Held::kCfgiCd:
      DropCd(c, stream, held.what);
      return;
    case Held::kTlbiGuest:
      DropCd(c, stream, 0);
      return;
    default:
      DropAtc(c, stream, ssid, held.pages, held.unanswered);
  }
}

void Take(Context& c, int smmu, const Held& held) {
  for (int stream = 0; stream < kStreams; ++stream) {
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      if ((held.streams[ssid] >> stream & 1) != 0) {
        TakeOfStream(c, held, stream, ssid);
      }
    }
  }
  if (held.kind == Held::kTlbi) {
    DropTlb(c, smmu, held.what, held.pages, held.whole);
  } else if (held.kind == Held::kTlbiGuest) {
    DropGuest(c, smmu, held.what);
  }
}

void Resume(Context& c, int smmu) {
  const Held held = c.state.held[smmu];
  if (held.kind == Held::kNothing) return;
  c.state.held[smmu] = {};
  if (c.log != nullptr) c.log->Resume(smmu, held.unanswered);
  Take(c, smmu, held);
}

bool IsNumbered(unsigned numbers, unsigned number) {
  return number >= 1 && number <= 8 && (numbers >> (number - 1) & 1) != 0;
}

uint8_t Bit(int stream) { return static_cast<uint8_t>(1u << stream); }

}  // namespace

void BeginBatch(Context& c, int smmu, uint32_t mark) {
  Thread& t = c.thread;
  const auto kind = static_cast<BatchKind>(mark >> 24);
  const bool has_atc = kind == BatchKind::kAtc || kind == BatchKind::kMaster;
  if (mark != t.last_batch) {
    Resume(c, smmu);
    t.last_batch = mark;
    if (t.syncs < 0xff) ++t.syncs;
    if (has_atc && t.atc_syncs < 0xff) ++t.atc_syncs;
  }
  t.in_batch = 1;
  t.holding = IsNumbered(t.request.cmd_syncs, t.syncs);
  t.unanswered = has_atc && IsNumbered(t.request.atc_timeouts, t.atc_syncs);
  if (c.log != nullptr) c.log->Hold(t.holding);
}

void EndBatch(Context& c) {
  c.thread.in_batch = c.thread.holding = c.thread.unanswered = 0;
  if (c.log != nullptr) c.log->Hold(false);
}

void CfgiSte(Context& c, int stream) {
  const int smmu = c.board.streams[stream].smmu;
  if (Held* held = Holding(c, smmu, Held::kCfgiSte)) {
    held->streams[0] |= Bit(stream);
    return;
  }
  DropSte(c, stream);
}

void CfgiCd(Context& c, int stream, int ssid) {
  const int smmu = c.board.streams[stream].smmu;
  if (Held* held = Holding(c, smmu, Held::kCfgiCd)) {
    held->what = static_cast<uint8_t>(ssid);
    held->streams[0] |= Bit(stream);
    return;
  }
  DropCd(c, stream, ssid);
}

void Prefetch(Context& c, int stream) {
  Resume(c, c.board.streams[stream].smmu);
  c.thread.last_batch = 0;
  if (c.log != nullptr) c.log->Prefetch(stream);
  RefillAll(c);
}

void Tlbi(Context& c, int slot, unsigned pages, bool whole) {
  const Space& domain = SpaceAt(c.state, slot);
  const int smmu = domain.smmu;
  const uint8_t what = WhatOf(domain);
  const unsigned reach = whole ? 0x1f : pages;
  BeginBatch(
      c, smmu,
      BatchMark(BatchKind::kTlbi, what, static_cast<unsigned>(smmu), reach));
  if (c.log != nullptr) c.log->Tlbi(slot, pages, whole);
  if (Held* held = Holding(c, smmu, Held::kTlbi)) {
    held->what = what;
    held->pages = static_cast<uint8_t>(pages);
    held->whole = whole;
    return;
  }
  DropTlb(c, smmu, what, pages, whole);
}

void BeginGuestBatch(Context& c, int slot) {
  const Domain& domain = c.state.domains[slot];
  BeginBatch(c, domain.smmu,
             BatchMark(BatchKind::kGuest, WhatOf(domain), domain.smmu));
}

void TlbiGuest(Context& c, int slot) {
  const Domain& domain = c.state.domains[slot];
  const int smmu = domain.smmu;
  const uint8_t what = WhatOf(domain);
  BeginGuestBatch(c, slot);
  if (c.log != nullptr) c.log->TlbiGuest(slot);
  if (Held* held = Holding(c, smmu, Held::kTlbiGuest)) {
    held->what = what;
    return;
  }
  DropGuest(c, smmu, what);
}

void AtcInv(Context& c, int stream, int ssid, unsigned pages, bool whole) {
  if (c.log != nullptr) c.log->AtcInv(stream, ssid, pages, whole);
  // The command names the smallest aligned power of two that covers the pages.
  unsigned reach = whole ? 0xf : pages;
  if (!whole && (pages & (pages - 1)) != 0) {
    reach = (pages & 3) != 0 && (pages & 12) != 0 ? 0xf
            : (pages & 3) != 0                    ? 3
                                                  : 12;
  }
  if (Held* held = Holding(c, c.board.streams[stream].smmu, Held::kAtc)) {
    held->pages = static_cast<uint8_t>(reach);
    held->streams[ssid] |= Bit(stream);
    held->unanswered = c.thread.unanswered;
    return;
  }
  DropAtc(c, stream, ssid, reach, c.thread.unanswered);
}

void Sync(Context& c, int smmu) {
  // One that completes nothing.
  if (!c.thread.in_batch) {
    Resume(c, smmu);
    c.thread.last_batch = 0;
  }
  const bool holding = c.thread.holding;
  if (c.log != nullptr) {
    if (c.thread.unanswered && !holding) c.log->AtcTimeout(smmu);
    c.log->Sync(smmu);
  }
  EndBatch(c);
  if (!holding) RefillAll(c);
}

bool Access(Context& c, int f, int s, int ssid, int page) {
  const Board::Function& fixed = c.board.functions[f];
  Function& function = c.state.functions[f];
  const Requester who{f, s, ssid, fixed.stream[s]};
  if (fixed.eager && ssid == 0) {
    function.wanted |= static_cast<uint8_t>(1u << (s * kPages + page));
  }
  int result = ATSFUZZ_DMA_UNTRANSLATED;
  AtcEntry reached = kAtcEmpty;
  if (function.ats) {
    reached = AtcAt(c.state, f, s, ssid, page);
    result = ATSFUZZ_DMA_ATC_HIT;
    if (reached == kAtcEmpty) {
      result = RequestTranslation(c, who, page, false) ? ATSFUZZ_DMA_ATC_MISS
                                                       : ATSFUZZ_DMA_BLOCKED;
      reached = AtcAt(c.state, f, s, ssid, page);
    }
    if (reached != kAtcEmpty && !AccessTranslated(c, who, page)) {
      result = ATSFUZZ_DMA_REFUSED;
      reached = kAtcEmpty;
    }
  } else {
    reached = AccessUntranslated(c, who, page);
    if (reached == kAtcEmpty) result = ATSFUZZ_DMA_BLOCKED;
  }
  if (c.log != nullptr) {
    c.log->Access(f, who.stream, ssid, page, result, reached);
  }
  return reached != kAtcEmpty;
}

void Refill(Context& c, int f) {
  const Board::Function& fixed = c.board.functions[f];
  const Function& function = c.state.functions[f];
  if (!fixed.eager || !function.ats || fixed.smmu == ATSFUZZ_NONE) return;
  for (unsigned left = function.wanted; left != 0; left &= left - 1) {
    const int bit = __builtin_ctz(left);
    const int s = bit / kPages, page = bit % kPages;
    if (AtcAt(c.state, f, s, 0, page) != kAtcEmpty) continue;
    RequestTranslation(c, {f, s, 0, fixed.stream[s]}, page, true);
  }
}

int CriticalWords(const Context& c, const Ste& from, const Ste& to) {
  const auto uses_eats = [](const Ste& ste) {
    return ste.config >= Config::kStage1;
  };
  const auto is_stage1 = [](const Ste& ste) {
    return ste.config == Config::kStage1 || ste.config == Config::kNested;
  };
  const auto has_table2 = [](const Ste& ste) {
    return ste.config == Config::kStage2 || ste.config == Config::kNested;
  };
  const auto slot2 = [&](const Ste& ste) {
    return c.board.CountedBy(ste.target);
  };
  if (from.config == Config::kInvalid || to.config == Config::kInvalid)
    return 1;
  int words = 0;
  // Word 0: Config, the CD table.
  if (from.config != to.config ||
      (is_stage1(from) && from.target != to.target)) {
    ++words;
  }
  // Word 1: EATS, S1DSS.
  const bool eats_is_safe = c.Is(Attach::kArrays);
  const bool eats_differ = uses_eats(from) && uses_eats(to) &&
                           from.eats != to.eats &&
                           (words == 0 || !eats_is_safe);
  if (eats_differ ||
      (is_stage1(from) && is_stage1(to) && from.s1dss != to.s1dss)) {
    ++words;
  }
  // Word 2: VMID, 0 for stage 1 alone; VTCR. Word 3: the stage 2 table.
  if (uses_eats(from) && uses_eats(to)) {
    if (has_table2(from) != has_table2(to)) {
      ++words;
    } else if (has_table2(from) && slot2(from) != slot2(to)) {
      words += 2;
    }
  }
  return words;
}

void MakeStale(State& state, int slot, unsigned pages) {
  const Domain& domain = state.domains[slot];
  MakeAtcStale(state, slot, pages);
  if (!domain.finalised) return;
  for (int stage : {domain.stage2 ? kStageS2 : kStageS1, kStageGuest}) {
    if (stage == kStageGuest && !domain.stage2) continue;
    if (domain.tag > kTags) continue;
    const uint8_t line = state.iotlb[domain.smmu][stage][domain.tag - 1];
    for (int page = 0; line != 0 && page < kPages; ++page) {
      if ((pages >> page & 1) != 0 && (line >> 2 * page & 3) != 0) {
        SetIotlb(state, domain.smmu, stage, domain.tag, page, kTlbStale);
      }
    }
  }
}

void Dangle(Context& c, int slot) {
  State& state = c.state;
  const auto cd = static_cast<Cd>(slot + 1);
  for (int f = 0; f < c.board.function_count; ++f) {
    for (Cd& entry : state.functions[f].cd) {
      if (entry == cd) entry = kFreedCd;
    }
  }
  const auto names = [&](const Ste& ste) {
    return (ste.config == Config::kStage2 || ste.config == Config::kNested) &&
           ste.target != kFreed &&
           (ste.target == slot || c.board.CountedBy(ste.target) == slot);
  };
  for (int stream = 0; stream < c.board.stream_count; ++stream) {
    if (names(state.ste[stream])) state.ste[stream].target = kFreed;
    if (names(state.cached_ste[stream])) {
      state.cached_ste[stream].target = kFreed;
    }
    for (Cd& entry : state.cached_cd[stream]) {
      if (entry == cd) entry = kFreedCd;
    }
  }
}

IotlbEntry IotlbAt(const State& state, int smmu, int stage, int tag, int page) {
  if (tag > kTags) return kTlbEmpty;
  return static_cast<IotlbEntry>(state.iotlb[smmu][stage][tag - 1] >> 2 * page &
                                 3);
}

}  // namespace atsfuzz::machine
