#include <cerrno>

#include "model/machine/array.h"
#include "model/machine/driver_parts.h"

namespace atsfuzz::machine::driver {
namespace {

// What the ATC invalidations of a slot's attachments name.
uint32_t PagesMark(const Thread& t, int slot, bool whole) {
  return BatchMark(BatchKind::kAtc, static_cast<unsigned>(slot), t.pages,
                   whole ? 1 : 0);
}

// The thread's bit among the walkers of an array. Those outside of a block have
// no company.
unsigned WalkerBit(const Thread& t) { return 1u << (t.id == 0 ? 0 : t.id - 1); }

// Reads the array that the thread walks. One that has been replaced stays as it
// was last seen. False: it has been freed.
bool ReadArray(Context& c) {
  Thread& t = c.thread;
  const Domain& domain = c.state.domains[t.slot];
  if ((domain.walkers & WalkerBit(t)) != 0) {
    t.seen = domain.invs;
    return true;
  }
  if (c.design.frees_after_readers) return true;
  if (c.log != nullptr) {
    c.log->MemoryError("use of a freed invalidation array", true);
  }
  t.oops = 1;
  return false;
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
    if (t.seen.ats[stream] == 0) continue;
    const int copies = repeated >> stream & 1 ? 2 : 1;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      const unsigned users = AtsUsers(t.seen, stream, ssid);
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

}  // namespace

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

Outcome ClearPages(Context& c) {
  const Request& r = c.thread.request;
  if (r.kind != model::OperationKind::kUnmap) return Outcome::kNext;
  c.state.domains[r.domain].mapped &= ~c.thread.pages & 0xf;
  MakeStale(c.state, r.domain, c.thread.pages);
  return Outcome::kNext;
}

Outcome LoadTargets(Context& c) {
  Thread& t = c.thread;
  if (!c.Is(Attach::kArrays)) {
    const Space& space = SpaceAt(c.state, t.slot);
    t.counted = c.board.smmus[space.smmu].ats && space.nr_ats_masters != 0;
    return Outcome::kNext;
  }
  Domain& domain = c.state.domains[t.slot];
  const unsigned bit = WalkerBit(t);
  domain.walkers |= bit & 0xf;
  if (domain.invs.has_ats) domain.lockers |= bit & 0xf;
  ReadArray(c);
  return Outcome::kNext;
}

Outcome TlbiStep(Context& c) {
  const Thread& t = c.thread;
  const bool arrays = c.Is(Attach::kArrays);
  const auto live = [](unsigned users) {
    return users != 0 && users != kTrash;
  };
  if (arrays && (!ReadArray(c) || !live(t.seen.tag))) return Outcome::kNext;
  const int smmu = c.state.domains[t.slot].smmu;
  Tlbi(c, t.slot, t.pages, t.whole);
  Sync(c, smmu);
  // TLBI_S12_VMALL has taken a guest's entries already.
  if (arrays && live(t.seen.clear) && !t.whole) {
    TlbiGuest(c, t.slot);
    Sync(c, smmu);
  }
  return Outcome::kNext;
}

Outcome ReadTargets(Context& c) {
  Thread& t = c.thread;
  if (c.Is(Attach::kArrays)) {
    ReadArray(c);
    return Outcome::kNext;
  }
  for (int ssid = 0; ssid < kSsids; ++ssid) t.listed[ssid] = 0;
  for (int f = 0; f < c.board.function_count && t.counted; ++f) {
    if (!c.state.functions[f].belief) continue;
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      t.listed[ssid] |=
          static_cast<uint8_t>(ListCount(c.state, t.slot, f, ssid) << 2 * f);
    }
  }
  return Outcome::kNext;
}

Outcome AtcInvDomain(Context& c) {
  const Thread& t = c.thread;
  if (c.Is(Attach::kArrays)) return AtcInvByArray(c);
  if (!t.counted) return Outcome::kNext;
  const int smmu = c.state.domains[t.slot].smmu;
  bool any = false;
  for (int f = 0; f < c.board.function_count; ++f) {
    const Board::Function& function = c.board.functions[f];
    for (int ssid = 0; ssid < kSsids; ++ssid) {
      for (unsigned n = t.listed[ssid] >> 2 * f & 3u; n > 0; --n) {
        for (int s = 0; s < function.streams; ++s) {
          if (!any) BeginBatch(c, smmu, PagesMark(t, t.slot, t.whole));
          any = true;
          AtcInv(c, function.driven[s], ssid, t.pages, t.whole);
        }
      }
    }
  }
  Sync(c, smmu);
  return Outcome::kNext;
}

Outcome LeaveTargets(Context& c) {
  Domain& domain = c.state.domains[c.thread.slot];
  const unsigned bit = WalkerBit(c.thread);
  domain.walkers &= ~bit & 0xf;
  domain.lockers &= ~bit & 0xf;
  return Outcome::kNext;
}

void Replace(Context& c, int slot, const Array& array) {
  Domain& domain = c.state.domains[slot];
  domain.invs = array;
  domain.walkers = domain.lockers = 0;
}

}  // namespace atsfuzz::machine::driver
