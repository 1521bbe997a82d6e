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

}  // namespace atsfuzz::machine::driver
