#include "model/machine/driver.h"

#include <cerrno>

#include "model/machine/array.h"
#include "model/machine/entry.h"
#include "model/machine/function.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine {
namespace {

using model::AllocSite;

// arm_smmu_ats_supported.
bool AtsSupported(const Context& c, int f) {
  const Board::Function& function = c.board.functions[f];
  return c.board.smmus[function.smmu].ats && PciAtsSupported(c, f);
}

bool IsListed(Dom dom) { return IsPaging(dom); }

// The slot whose list and array an attachment to `dom` is on.
int CountedSlot(const Context& c, Dom dom) {
  return c.board.CountedBy(SlotOf(dom));
}

unsigned ListCount(const State& state, int slot, int f, int ssid) {
  return state.domains[slot].list[ssid] >> (2 * f) & 3u;
}

void SetListCount(State& state, int slot, int f, int ssid, unsigned count) {
  uint8_t& list = state.domains[slot].list[ssid];
  list = static_cast<uint8_t>((list & ~(3u << 2 * f)) | count << 2 * f);
}

// The group's domain as the driver asks for it: blocked while parked.
Dom RidDomain(const Context& c, int f) {
  if (c.state.functions[f].parked) return kBlocked;
  return c.state.groups[c.board.functions[f].leader].domain;
}

void Sync(Context& c) { Sync(c, c.board.functions[c.thread.function].smmu); }

// One ATC_INV for each listed stream of the function, and a SYNC.
void InvalidateMaster(Context& c, int f, int ssid) {
  const Board::Function& function = c.board.functions[f];
  BeginBatch(c, function.smmu,
             BatchMark(BatchKind::kMaster, static_cast<unsigned>(f),
                       static_cast<unsigned>(ssid)));
  for (int s = 0; s < function.streams; ++s) {
    AtcInv(c, function.driven[s], ssid, 0, true);
  }
  Sync(c, function.smmu);
}

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

Outcome Fail(Context& c, int error) {
  c.thread.result = static_cast<int16_t>(error);
  return Outcome::kFail;
}

Outcome CheckDomain(Context& c) {
  const Thread& t = c.thread;
  const int slot = SlotOf(t.new_domain);
  const int counted = c.board.CountedBy(slot);
  const int smmu = c.board.functions[t.function].smmu;
  const Domain& domain = c.state.domains[counted];
  if (!domain.finalised) {
    const int error = FinaliseDomain(c, counted, smmu, 2);
    if (error != 0) return Fail(c, error);
  } else if (domain.smmu != smmu) {
    return Fail(c, -EINVAL);
  }
  if (c.board.IsNested(slot)) {
    if (t.program == Program::kSetPasid) return Fail(c, -EOPNOTSUPP);
    return UsesPasids(c.state, t.function) ? Fail(c, -EBUSY) : Outcome::kNext;
  }
  if (t.program != Program::kSetPasid) return Outcome::kNext;
  if (domain.stage2) return Fail(c, -EINVAL);
  const Dom rid = RidDomain(c, t.function);
  if (!c.state.functions[t.function].in_ste && rid != kIdentity &&
      rid != kBlocked) {
    return Fail(c, -EINVAL);
  }
  return Outcome::kNext;
}

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

Outcome LockAsid(Context& c) {
  if (c.state.asid_lock != 0) return Outcome::kWait;
  c.state.asid_lock = static_cast<uint8_t>(c.thread.id + 1);
  return Outcome::kNext;
}

Outcome Predict(Context& c) {
  Thread& t = c.thread;
  const Function& function = c.state.functions[t.function];
  if (t.program == Program::kAttachStatic) {
    const bool always_on = function.always_on && t.new_domain != kBlocked;
    t.cd_needs_ats = always_on || UsesPasids(c.state, t.function);
  }
  const bool disabled = t.program == Program::kAttachNested &&
                        c.board.domains[SlotOf(t.new_domain)].guest ==
                            model::GuestEntry::kStage1 &&
                        !c.board.domains[SlotOf(t.new_domain)].guest_ats;
  t.want = (IsListed(t.new_domain) || t.cd_needs_ats) && !disabled &&
           !function.gave_up && AtsSupported(c, t.function);
  t.unref_ats = function.belief;
  return Outcome::kNext;
}

Outcome Merge(Context& c) {
  Thread& t = c.thread;
  if (!Allocate(c, AllocSite::kMerge)) {
    c.state.asid_lock = 0;
    return Fail(c, -ENOMEM);
  }
  const int slot = CountedSlot(c, t.new_domain);
  Needs needs = NeedsOf(c, t.function, t.ssid, slot, t.want);
  if (!c.design.merges_before_scratch_reuse && IsListed(t.old_domain)) {
    needs = NeedsOf(c, t.function, t.ssid, CountedSlot(c, t.old_domain),
                    t.unref_ats);
  }
  t.merged = machine::Merge(c.state.domains[slot].invs, needs);
  return Outcome::kNext;
}

// arm_smmu_attach_prepare_vmaster: an attachment to a nested domain has a
// vmaster if the function has a vDEVICE, and must have one to be translated by
// the guest.
int AllocVmaster(Context& c) {
  const Thread& t = c.thread;
  const int slot = SlotOf(t.new_domain);
  if (c.state.functions[t.function].vsmmu == c.board.CountedBy(slot) + 1) {
    return Allocate(c, AllocSite::kAttachment) ? 0 : -ENOMEM;
  }
  const bool stage1 = c.board.domains[slot].guest == model::GuestEntry::kStage1;
  return stage1 ? -ENOENT : 0;
}

Outcome AllocAttachment(Context& c) {
  int error = c.thread.program == Program::kAttachNested ? AllocVmaster(c) : 0;
  if (error == 0 && !Allocate(c, AllocSite::kAttachment)) error = -ENOMEM;
  if (error == 0) return Outcome::kNext;
  c.state.asid_lock = 0;
  return Fail(c, error);
}

Outcome Count(Context& c) {
  const Thread& t = c.thread;
  if (!IsListed(t.new_domain)) return Outcome::kNext;
  if (t.want) {
    ++c.state.domains[CountedSlot(c, t.new_domain)].nr_ats_masters;
  }
  return Outcome::kNext;
}

Outcome List(Context& c) {
  const Thread& t = c.thread;
  if (!IsListed(t.new_domain)) return Outcome::kNext;
  const int slot = SlotOf(t.new_domain);
  SetListCount(c.state, slot, t.function, t.ssid,
               ListCount(c.state, slot, t.function, t.ssid) + 1);
  return Outcome::kNext;
}

Outcome Publish(Context& c) {
  c.state.domains[CountedSlot(c, c.thread.new_domain)].invs = c.thread.merged;
  return Outcome::kNext;
}

Outcome DisableAts(Context& c) {
  const Thread& t = c.thread;
  const bool believes = c.state.functions[t.function].belief;
  if (!t.want && believes) PciDisableAts(c, t.function);
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

Outcome InvalidateAtc(Context& c) {
  const Thread& t = c.thread;
  const bool believes = c.state.functions[t.function].belief;
  if (t.program == Program::kClearPasid) {
    if (believes) InvalidateMaster(c, t.function, t.ssid);
    return Outcome::kNext;
  }
  const bool stays_on = t.want && believes;
  const bool goes_off = !t.want && believes;
  if ((stays_on && !c.design.invalidate_on_replace) ||
      (goes_off && !c.design.invalidate_on_disable) || (!t.want && !believes)) {
    return Outcome::kNext;
  }
  // Only where ATS stays on is it this PASID alone.
  InvalidateMaster(c, t.function, stays_on ? t.ssid : 0);
  return Outcome::kNext;
}

Outcome EnableAts(Context& c) {
  Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  t.failed = 0;
  if (!t.want || function.belief) return Outcome::kNext;
  if (PciEnableAts(c, t.function) == 0) return Outcome::kNext;
  t.failed = 1;
  if (c.design.enable_failure_warns && c.log != nullptr) {
    c.log->Warn("arm_smmu_enable_ats", "Failed to enable ATS");
  }
  return Outcome::kNext;
}

// What no kernel does: after a failed enable, the attachment is made one
// without ATS.
Outcome UndoEnable(Context& c) {
  Thread& t = c.thread;
  if (!t.failed) return Outcome::kNext;
  Function& function = c.state.functions[t.function];
  if (t.want) {
    t.want = 0;
    if (c.design.enable_failure == EnableFailure::kRolledBack) {
      function.gave_up = 1;
    }
    if (IsListed(t.new_domain)) {
      const int slot = CountedSlot(c, t.new_domain);
      --c.state.domains[slot].nr_ats_masters;
      if (c.Is(Attach::kArrays)) {
        Needs needs = NeedsOf(c, t.function, t.ssid, slot, true);
        Array& invs = c.state.domains[slot].invs;
        // Only the ATS entries go: what a merge without them would have made.
        const Needs tag = NeedsOf(c, t.function, t.ssid, slot, false);
        Array without = machine::Merge(invs, tag);
        machine::Unref(without, needs);
        invs = without;
      }
    }
  }
  // The entries again, with EATS off.
  return InstallSte(c);
}

Outcome LeaveList(Context& c) {
  Thread& t = c.thread;
  t.was_listed = 0;
  if (!IsListed(t.old_domain)) return Outcome::kNext;
  const int slot = SlotOf(t.old_domain);
  const unsigned count = ListCount(c.state, slot, t.function, t.ssid);
  if (count == 0) return Outcome::kNext;
  t.was_listed = 1;
  SetListCount(c.state, slot, t.function, t.ssid, count - 1);
  return Outcome::kNext;
}

Outcome Uncount(Context& c) {
  const Thread& t = c.thread;
  if (t.was_listed && c.state.functions[t.function].belief) {
    --c.state.domains[CountedSlot(c, t.old_domain)].nr_ats_masters;
  }
  return Outcome::kNext;
}

Outcome Unref(Context& c) {
  Thread& t = c.thread;
  t.tag_dropped = 0;
  if (!IsListed(t.old_domain)) return Outcome::kNext;
  const int slot = CountedSlot(c, t.old_domain);
  const bool again =
      IsListed(t.new_domain) && CountedSlot(c, t.new_domain) == slot;
  // From the array that was replaced: nobody sees it any more.
  if (again && !c.design.unrefs_published_array) return Outcome::kNext;
  const Needs needs = NeedsOf(c, t.function, t.ssid, slot, t.unref_ats);
  const Unreferenced result = machine::Unref(c.state.domains[slot].invs, needs);
  t.tag_dropped = result.tag_dropped;
  for (int i = 0; i < result.missing && c.log != nullptr; ++i) {
    c.log->Warn("arm_smmu_invs_unref", "true");
  }
  return Outcome::kNext;
}

Outcome FlushTag(Context& c) {
  const Thread& t = c.thread;
  if (!t.tag_dropped) return Outcome::kNext;
  const int slot = CountedSlot(c, t.old_domain);
  Tlbi(c, slot, 0, true);
  Sync(c, c.state.domains[slot].smmu);
  return Outcome::kNext;
}

Outcome Purge(Context& c) {
  const Thread& t = c.thread;
  if (!IsListed(t.old_domain)) return Outcome::kNext;
  Array& invs = c.state.domains[CountedSlot(c, t.old_domain)].invs;
  if (NeedsPurge(invs) && Allocate(c, AllocSite::kMerge)) {
    invs = machine::Purge(invs);
  }
  return Outcome::kNext;
}

Outcome Believe(Context& c) {
  const Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  function.belief =
      c.design.enable_failure == EnableFailure::kFollowsDevice && t.want
          ? function.ats_enabled
          : t.want;
  return Outcome::kNext;
}

Outcome UnlockAsid(Context& c) {
  c.state.asid_lock = 0;
  return Outcome::kNext;
}

Outcome Downgrade(Context& c) {
  const int f = c.thread.function;
  const Dom rid = RidDomain(c, f);
  const Function& function = c.state.functions[f];
  if (UsesPasids(c.state, f) || (rid != kIdentity && rid != kBlocked) ||
      (function.always_on && rid != kBlocked)) {
    return Outcome::kNext;
  }
  BeginAttach(c, f, rid, rid);
  return Outcome::kRepeat;
}

Outcome TlbiStep(Context& c) {
  const Thread& t = c.thread;
  const Domain& domain = c.state.domains[t.slot];
  const bool arrays = c.Is(Attach::kArrays);
  const auto live = [](unsigned users) {
    return users != 0 && users != kTrash;
  };
  if (arrays && !live(domain.invs.tag)) return Outcome::kNext;
  Tlbi(c, t.slot, t.pages, t.whole);
  Sync(c, domain.smmu);
  // TLBI_S12_VMALL has taken a guest's entries already.
  if (arrays && live(domain.invs.clear) && !t.whole) {
    TlbiGuest(c, t.slot);
    Sync(c, domain.smmu);
  }
  return Outcome::kNext;
}

// What the ATC invalidations of a slot's attachments name.
uint32_t PagesMark(const Thread& t, int slot, bool whole) {
  return BatchMark(BatchKind::kAtc, static_cast<unsigned>(slot), t.pages,
                   whole ? 1 : 0);
}

Outcome AtcInvByArray(Context& c) {
  const Thread& t = c.thread;
  const Domain& domain = c.state.domains[t.slot];
  // A parent's entries are ATS_FULL.
  const bool full = domain.stage2 && c.board.smmus[domain.smmu].stage1;
  const unsigned repeated = c.board.Repeated(c.state);
  bool any = false;
  const uint32_t mark = PagesMark(t, t.slot, t.whole);
  for (int stream = 0; stream < c.board.stream_count; ++stream) {
    if (domain.invs.ats[stream] == 0) continue;
    const int copies = repeated >> stream & 1 ? 2 : 1;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const unsigned users = AtsUsers(domain.invs, stream, ssid);
      if (users == 0 || users == kTrash) continue;
      if (!any) BeginBatch(c, domain.smmu, mark);
      for (int i = 0; i < copies; ++i) {
        AtcInv(c, stream, full ? 0 : ssid, t.pages, full || t.whole);
      }
      any = true;
    }
  }
  if (any) Sync(c, domain.smmu);
  return Outcome::kNext;
}

Outcome AtcInvDomain(Context& c) {
  const Thread& t = c.thread;
  const int slot = t.slot;
  const Domain& domain = c.state.domains[slot];
  if (c.Is(Attach::kArrays)) return AtcInvByArray(c);
  if (!c.board.smmus[domain.smmu].ats || domain.nr_ats_masters == 0) {
    return Outcome::kNext;
  }
  bool any = false;
  for (int f = 0; f < c.board.function_count; ++f) {
    if (!c.state.functions[f].belief) continue;
    const Board::Function& function = c.board.functions[f];
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      for (unsigned n = ListCount(c.state, slot, f, ssid); n > 0; --n) {
        for (int s = 0; s < function.streams; ++s) {
          if (!any) BeginBatch(c, domain.smmu, PagesMark(t, slot, t.whole));
          any = true;
          AtcInv(c, function.driven[s], ssid, t.pages, t.whole);
        }
      }
    }
  }
  Sync(c, domain.smmu);
  return Outcome::kNext;
}

}  // namespace

bool UsesPasids(const State& state, int f) {
  const Function& function = state.functions[f];
  return function.cd[1] != kNoCd || function.cd[2] != kNoCd;
}

int FinaliseDomain(Context& c, int slot, int smmu, int stage) {
  Domain& domain = c.state.domains[slot];
  // To what the SMMU can do.
  if (!c.board.smmus[smmu].stage1) stage = 2;
  if (!c.board.smmus[smmu].stage2) stage = 1;
  if (!Allocate(c, AllocSite::kPageTable)) return -ENOMEM;
  if (!Allocate(c, AllocSite::kId)) {
    if (!c.Is(Attach::kArrays)) {
      // free_io_pgtable_ops flushes through smmu_domain->smmu, still null.
      c.thread.oops = 1;
      if (c.log != nullptr) {
        c.log->MemoryError(
            "null pointer dereference in "
            "arm_smmu_tlb_inv_context",
            true);
      }
    }
    return -ENOMEM;
  }
  unsigned used = 0;
  for (const Domain& other : c.state.domains) {
    if (!other.finalised || (other.stage2 != 0) != (stage == 2)) continue;
    if (stage == 2 && other.smmu != smmu) continue;
    used |= 1u << (other.tag - 1);
  }
  domain.tag = static_cast<uint8_t>(__builtin_ctz(~used) + 1) & 0xf;
  domain.smmu = static_cast<uint8_t>(smmu) & 1;
  domain.stage2 = stage == 2;
  domain.finalised = 1;
  return 0;
}

Needs NeedsOf(const Context& c, int f, int ssid, int slot, bool ats) {
  const Domain& domain = c.state.domains[slot];
  const Board::Smmu& smmu = c.board.smmus[domain.smmu];
  Needs needs;
  needs.clear = domain.stage2 && smmu.stage1;
  needs.ssid = static_cast<uint8_t>(ssid);
  needs.repeated = c.board.Repeated(c.state);
  if (!ats) return needs;
  const Board::Function& function = c.board.functions[f];
  for (int s = 0; s < function.streams; ++s) {
    needs.streams |= static_cast<uint8_t>(1u << function.stream[s]);
  }
  return needs;
}

Outcome DriverStep(Context& c, Step step) {
  if (c.Is(Attach::kOnePhase) && c.thread.program != Program::kInvalidate) {
    return one_phase::DriverStep(c, step);
  }
  switch (step) {
    case Step::kCheckDomain:
      return CheckDomain(c);
    case Step::kAllocCdTable:
      return AllocCdTable(c);
    case Step::kLockAsid:
      return LockAsid(c);
    case Step::kPredict:
      return Predict(c);
    case Step::kMerge:
      return Merge(c);
    case Step::kAllocAttachment:
      return AllocAttachment(c);
    case Step::kCount:
      return Count(c);
    case Step::kList:
      return List(c);
    case Step::kPublish:
      return Publish(c);
    case Step::kDisableAts:
      return DisableAts(c);
    case Step::kInstallCd:
      return InstallCd(c);
    case Step::kInstallSte:
      return InstallSte(c);
    case Step::kClearCd:
      return ClearCd(c);
    case Step::kInvalidateAtc:
      return InvalidateAtc(c);
    case Step::kEnableAts:
      return EnableAts(c);
    case Step::kUndoEnable:
      return UndoEnable(c);
    case Step::kLeaveList:
      return LeaveList(c);
    case Step::kUncount:
      return Uncount(c);
    case Step::kUnref:
      return Unref(c);
    case Step::kFlushTag:
      return FlushTag(c);
    case Step::kPurge:
      return Purge(c);
    case Step::kBelieve:
      return Believe(c);
    case Step::kUnlockAsid:
      return UnlockAsid(c);
    case Step::kDowngrade:
      return Downgrade(c);
    case Step::kTlbi:
      return TlbiStep(c);
    case Step::kAtcInvDomain:
      return AtcInvDomain(c);
    default:
      return Outcome::kNext;
  }
}

void BeginAttach(Context& c, int f, Dom new_domain, Dom old_domain) {
  Thread& t = c.thread;
  t.function = static_cast<uint8_t>(f);
  t.ssid = 0;
  t.new_domain = new_domain;
  t.old_domain = old_domain;
  t.cd_needs_ats = t.installing = t.failed = 0;
  t.stream = 0;
  t.want = 0;
  t.result = 0;
  t.pc = 0;
  if (!IsPaging(new_domain)) {
    t.program = Program::kAttachStatic;
  } else if (c.board.IsNested(SlotOf(new_domain))) {
    t.program = Program::kAttachNested;
  } else {
    t.program = Program::kAttachPaging;
  }
}

void BeginPasid(Context& c, int f, int ssid, Dom new_domain, Dom old_domain) {
  Thread& t = c.thread;
  BeginAttach(c, f, new_domain, old_domain);
  t.ssid = static_cast<uint8_t>(ssid);
  t.unref_ats = c.state.functions[f].belief;
  t.program = IsPaging(new_domain) ? Program::kSetPasid : Program::kClearPasid;
}

void BeginInvalidation(Context& c, int slot, unsigned pages, bool whole) {
  Thread& t = c.thread;
  t.slot = static_cast<uint8_t>(slot);
  t.pages = static_cast<uint8_t>(pages);
  t.whole = whole;
  t.pc = 0;
  t.program = Program::kInvalidate;
}

}  // namespace atsfuzz::machine
