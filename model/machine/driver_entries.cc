#include <cerrno>

#include "model/machine/driver_parts.h"
#include "model/machine/entry.h"
#include "model/machine/function.h"

namespace atsfuzz::machine::driver {
namespace {

uint32_t CdMark(int f, int ssid, bool leaf) {
  return BatchMark(BatchKind::kCd, static_cast<unsigned>(f),
                   static_cast<unsigned>(ssid), leaf ? 1 : 0);
}

// Writes one CD of the function's table; true if it must go through V = 0
// first, which is done.
bool WriteCd(Context& c, int f, int ssid, Cd value) {
  Cd& cd = c.state.functions[f].cd[ssid];
  if (cd == value) return false;
  const bool breaks = cd != kNoCd && value != kNoCd;
  const Cd next = breaks ? kNoCd : value;
  // The store that takes an entry away comes before the first CMD_SYNC, one
  // that makes it valid after it: what a stall has held back is taken then.
  if (next == kNoCd) cd = next;
  BeginBatch(c, c.board.functions[f].smmu, CdMark(f, ssid, true));
  if (c.log != nullptr) c.log->CdUpdate(f, ssid, cd, next);
  cd = next;
  const Board::Function& function = c.board.functions[f];
  for (int s = 0; s < function.streams; ++s) {
    CfgiCd(c, function.driven[s], ssid);
  }
  EndBatch(c);
  return breaks;
}

// The STE of what is being attached: arm_smmu_make_*_ste.
Ste TargetSte(const Context& c) {
  const Thread& t = c.thread;
  const uint8_t want = t.want;
  const auto f = static_cast<uint8_t>(t.function);
  const Ste table{Config::kStage1, want, S1Dss::kSsid0, f};
  if (t.program == Program::kSetPasid) {
    Ste ste = table;
    ste.s1dss =
        RidDomain(c, f) == kIdentity ? S1Dss::kBypass : S1Dss::kTerminate;
    return ste;
  }
  if (!IsPaging(t.new_domain)) {
    const bool identity = t.new_domain == kIdentity;
    if (!t.cd_needs_ats) {
      return {identity ? Config::kBypass : Config::kAbort, 0, S1Dss::kTerminate,
              0};
    }
    Ste ste = table;
    ste.s1dss = identity ? S1Dss::kBypass : S1Dss::kTerminate;
    return ste;
  }
  const int slot = SlotOf(t.new_domain);
  const auto target = static_cast<uint8_t>(slot);
  if (c.board.IsNested(slot)) {
    switch (c.board.domains[slot].guest) {
      case model::GuestEntry::kStage1:
        return {Config::kNested, want, S1Dss::kSsid0, target};
      case model::GuestEntry::kBypass:
        return {Config::kStage2, want, S1Dss::kTerminate,
                static_cast<uint8_t>(c.board.CountedBy(slot))};
      case model::GuestEntry::kAbort:
        return {Config::kAbort, 0, S1Dss::kTerminate, 0};
    }
  }
  if (c.state.domains[slot].stage2) {
    return {Config::kStage2, want, S1Dss::kTerminate, target};
  }
  return table;
}

// The next listed stream that is not a repetition, from thread.stream on.
int NextStream(const Context& c) {
  const Board::Function& function = c.board.functions[c.thread.function];
  int s = c.thread.stream;
  while (s < function.streams && s > 0 &&
         function.driven[s] == function.driven[s - 1]) {
    ++s;
  }
  return s;
}

void WriteSte(Context& c, int stream, const Ste& next) {
  Ste& ste = c.state.ste[stream];
  const int smmu = c.board.streams[stream].smmu;
  const Ste before = ste;
  // What a stall has held back is taken at the first CMD_SYNC of the update.
  if (c.state.held[smmu].kind != Held::kNothing &&
      IsInForceAtFirstSync({.used = SteBitsUsed,
                            .safe_eats = c.Is(Attach::kArrays),
                            .write = {},
                            .sync = {}},
                           EncodeSte(c.board, c.state, before),
                           EncodeSte(c.board, c.state, next))) {
    ste = next;
  }
  BeginBatch(c, smmu,
             BatchMark(BatchKind::kSte, static_cast<unsigned>(stream)));
  ste = before;
  if (c.log != nullptr) c.log->SteUpdate(stream, ste, next);
  ste = next;
  CfgiSte(c, stream);
  EndBatch(c);
}

// Before the word that switches an entry, arm_smmu_write_entry writes what is
// unused as yet, and EATS, with a CFGI of its own: a command after which all
// still goes the old way. Between stage 2 alone and a guest's stage 1 before it
// there always is such a bit.
void PrepareSte(Context& c, int stream, const Ste& next) {
  Ste prepared = c.state.ste[stream];
  const Config from = prepared.config, to = next.config;
  if (from < Config::kStage1 || to < Config::kStage1) return;
  const bool guest_changes =
      from != to && (from == Config::kNested || to == Config::kNested);
  const bool eats_differ = prepared.eats != next.eats;
  prepared.eats = next.eats;
  if (prepared == next || (!guest_changes && !eats_differ)) return;
  WriteSte(c, stream, prepared);
}

}  // namespace

Outcome AllocCdTable(Context& c) {
  const Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  if (c.state.domains[SlotOf(t.new_domain)].stage2) {
    if (UsesPasids(c.state, t.function)) return Fail(c, -EBUSY);
    return Outcome::kNext;
  }
  if (!function.cd_table) {
    if (!Allocate(c, AllocSite::kCdTable)) return Fail(c, -ENOMEM);
    function.cd_table = 1;
  }
  const Board::Function& fixed = c.board.functions[t.function];
  const bool two_level = function.has_pasids && fixed.ssid_bits > kLinearBits;
  if (two_level && !function.cd_leaf) {
    if (!Allocate(c, AllocSite::kCdLeaf)) return Fail(c, -ENOMEM);
    function.cd_leaf = 1;
    BeginBatch(c, fixed.smmu, CdMark(t.function, t.ssid, false));
    for (int s = 0; s < fixed.streams; ++s) {
      if (c.log != nullptr) c.log->CfgiCd(fixed.driven[s], t.ssid, false);
      CfgiCd(c, fixed.driven[s], t.ssid);
    }
    Sync(c);
  }
  if (t.ssid != 0 && (!function.has_pasids || t.ssid >> fixed.ssid_bits != 0)) {
    if (c.log != nullptr) {
      c.log->MemoryError("context descriptor beyond its table", false);
    }
    return Fail(c, -EINVAL);
  }
  return Outcome::kNext;
}

Outcome InstallCd(Context& c) {
  Thread& t = c.thread;
  const int slot = SlotOf(t.new_domain);
  if (c.state.domains[slot].stage2) return Outcome::kNext;
  return WriteCd(c, t.function, t.ssid, static_cast<Cd>(slot + 1))
             ? Outcome::kRepeat
             : Outcome::kNext;
}

Outcome InstallSte(Context& c) {
  Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  if (t.stream == 0 && !t.installing) {
    if (t.program == Program::kSetPasid && function.in_ste &&
        function.ste_ats == t.want) {
      return Outcome::kNext;
    }
    t.ste = TargetSte(c);
    function.in_ste = t.ste.config == Config::kStage1;
    function.ste_ats = t.ste.eats;
  }
  const int s = NextStream(c);
  const Board::Function& fixed = c.board.functions[t.function];
  if (s >= fixed.streams) {
    t.stream = 0;
    return Outcome::kNext;
  }
  const int stream = fixed.driven[s];
  const Ste& now = c.state.ste[stream];
  if (!t.installing && CriticalWords(c, now, t.ste) > 1) {
    WriteSte(c, stream, {Config::kInvalid, 0, S1Dss::kTerminate, 0});
    t.installing = 1;
    return Outcome::kRepeat;
  }
  PrepareSte(c, stream, t.ste);
  if (now != t.ste) WriteSte(c, stream, t.ste);
  Prefetch(c, stream);
  t.installing = 0;
  t.stream = static_cast<uint8_t>(s + 1);
  return Outcome::kRepeat;
}

Outcome ClearCd(Context& c) {
  const Thread& t = c.thread;
  const Function& function = c.state.functions[t.function];
  if (t.program == Program::kAttachPaging &&
      !c.state.domains[SlotOf(t.new_domain)].stage2) {
    return Outcome::kNext;
  }
  if (!function.cd_table) return Outcome::kNext;
  if (function.has_pasids &&
      c.board.functions[t.function].ssid_bits > kLinearBits &&
      !function.cd_leaf) {
    // Only a function with ATS always on may lack the leaf of its CD 0.
    if ((!function.always_on || t.ssid != 0) && c.log != nullptr) {
      c.log->Warn("arm_smmu_clear_cd", "!cdptr");
    }
    return Outcome::kNext;
  }
  WriteCd(c, t.function, t.ssid, kNoCd);
  return Outcome::kNext;
}

}  // namespace atsfuzz::machine::driver
