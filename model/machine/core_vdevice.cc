#include <cerrno>

#include "model/machine/core_parts.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine::core {

void PlaceVdevices(Context& c, int nested) {
  const int parent = c.board.CountedBy(nested);
  for (uint8_t f : c.state.order) {
    if (!IsMember(c, f)) continue;
    const Board::Function& fixed = c.board.functions[f];
    if (fixed.smmu != c.board.domains[parent].smmu) continue;
    c.state.functions[f].vsmmu =
        static_cast<uint8_t>(fixed.streams == 1 ? (parent + 1) & 7 : 0);
  }
}

void PrepareVdevices(Context& c, int nested) {
  const Dom old = GroupOf(c).domain;
  const int slot = IsPaging(old) ? SlotOf(old) : nested;
  if (!c.board.IsNested(slot) ||
      c.board.CountedBy(slot) == c.board.CountedBy(nested)) {
    PlaceVdevices(c, nested);
  }
}

void RemoveVdevices(Context& c) {
  for (uint8_t f : c.state.order) {
    if (IsMember(c, f)) c.state.functions[f].vsmmu = 0;
  }
}

namespace {

bool HasVsmmu(const Context& c, int parent) {
  for (int d = parent + 1; d < c.board.domain_count; ++d) {
    if (c.board.CountedBy(d) == parent && c.state.domains[d].exists)
      return true;
  }
  return false;
}

}  // namespace

int AllocateNested(Context& c, int slot) {
  if (!HasVsmmu(c, c.board.CountedBy(slot)) && !Allocate(c, AllocSite::kCore)) {
    return -ENOMEM;
  }
  if (!Allocate(c, AllocSite::kDomain)) return -ENOMEM;
  c.state.domains[slot] = {};
  c.state.domains[slot].exists = 1;
  return 0;
}

void FreeNested(Context& c, int slot) {
  const int parent = c.board.CountedBy(slot);
  c.state.domains[slot] = {};
  if (HasVsmmu(c, parent)) return;
  for (Function& function : c.state.functions) {
    if (function.vsmmu == parent + 1) function.vsmmu = 0;
  }
}

namespace {

bool HasVdevice(const Context& c, int f, Dom nested) {
  return c.state.functions[f].vsmmu == c.board.CountedBy(SlotOf(nested)) + 1;
}

}  // namespace

int FreeVdevice(Context& c) {
  const int f = c.thread.request.function;
  if (c.state.functions[f].vsmmu == 0) return -ENOENT;
  c.state.functions[f].vsmmu = 0;
  return 0;
}

int FlushGuest(Context& c) {
  const int f = c.thread.request.function;
  const Dom domain = GroupOf(c).domain;
  const Board::Domain& fixed = c.board.domains[SlotOf(domain)];
  const int stream = c.board.functions[f].driven[0];
  if (!Allocate(c, AllocSite::kCore)) return -ENOMEM;
  if (!HasVdevice(c, f, domain)) return -EIO;
  const int parent = c.board.CountedBy(SlotOf(domain));
  BeginGuestBatch(c, parent);
  if (c.log != nullptr) c.log->CfgiCd(stream, 0, true);
  CfgiCd(c, stream, 0);
  TlbiGuest(c, parent);
  // A guest, unlike the kernel, is told that its commands took too long.
  const bool timed_out = c.thread.holding != 0;
  Sync(c, fixed.smmu);
  if (timed_out) return -ETIMEDOUT;
  // A guest is shown the capabilities of the SMMU and of the function.
  if (!fixed.guest_ats || !c.board.functions[f].ats ||
      !c.board.smmus[fixed.smmu].ats) {
    return 0;
  }
  if (!Allocate(c, AllocSite::kCore)) return -ENOMEM;
  BeginBatch(c, fixed.smmu,
             BatchMark(BatchKind::kMaster, static_cast<unsigned>(f)));
  AtcInv(c, stream, 0, 0, true);
  const bool atc_timed_out = c.thread.holding != 0;
  Sync(c, fixed.smmu);
  return atc_timed_out ? -ETIMEDOUT : 0;
}

}  // namespace atsfuzz::machine::core
