#include <cerrno>

#include "model/machine/core_parts.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine::core {

bool BeginDirectMappings(Context& c, Dom dom) {
  if (!Allocate(c, AllocSite::kCore) || !IsPaging(dom)) return false;
  // 7.x flushes only what it has unmapped.
  if (!c.Is(Attach::kArrays)) BeginInvalidation(c, SlotOf(dom), 0, true);
  return true;
}

int AllocateDefault(Context& c) {
  const int slot = DefaultSlot(c.thread.leader);
  const int smmu = c.board.functions[c.thread.leader].smmu;
  const int stage = c.board.smmus[smmu].stage1 ? 1 : 2;
  const int error = AllocateDomain(c, slot, smmu, stage, true);
  if (error != 0 || Allocate(c, AllocSite::kCore)) return error;
  // iommu_get_dma_cookie failed: the domain goes, its tag flushed.
  if (!c.Is(Attach::kArrays)) {
    Tlbi(c, slot, 0, true);
    Sync(c, smmu);
  }
  FreeDomain(c, slot);
  return -ENOMEM;
}

bool AnyUntrusted(const Context& c) {
  for (uint8_t f : c.state.order) {
    if (IsMember(c, f) && c.board.functions[f].untrusted) return true;
  }
  return false;
}

namespace {

// xa_insert of the place of the handle, which iommufd attaches with.
int ReserveHandle(Context& c) {
  if (!Allocate(c, AllocSite::kCore)) return -ENOMEM;
  return GroupOf(c).has_handle ? -EBUSY : 0;
}

}  // namespace

void SetDomain(Context& c, Dom target, bool must_succeed) {
  Thread& t = c.thread;
  t.target = target;
  t.must_succeed = must_succeed;
  t.core = Step::kSetDomain;
}

Outcome BeginSetDomain(Context& c) {
  Thread& t = c.thread;
  t.group_result = 0;
  t.cursor = 0;
  t.old = GroupOf(c).domain;
  if (t.old == t.target) {
    return Next(c, Step::kGroupDone);
  }
  if (GroupOf(c).recovery_cnt != 0 && !t.must_succeed) {
    t.group_result = -EBUSY;
    return Next(c, Step::kGroupDone);
  }
  return Next(c, Step::kNextDevice);
}

Outcome NextDevice(Context& c) {
  Thread& t = c.thread;
  for (; t.cursor < kFunctions; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || c.state.functions[f].parked) continue;
    BeginAttach(c, f, t.target, GroupOf(c).domain);
    t.fallback = 0;
    return Next(c, Step::kDeviceDone);
  }
  GroupOf(c).domain = t.target;
  return Next(c, Step::kGroupDone);
}

Outcome DeviceDone(Context& c) {
  Thread& t = c.thread;
  const uint8_t f = c.state.order[t.cursor];
  if (!t.fallback && t.result != 0) {
    t.group_result = t.result;
    if (!t.must_succeed) {
      t.last = t.cursor;
      t.cursor = 0;
      return Next(c, Step::kNextRevert);
    }
    if (GroupOf(c).has_blocking && t.target != kBlocked) {
      t.fallback = 1;
      BeginAttach(c, f, kBlocked, GroupOf(c).domain);
      return Outcome::kNext;
    }
  }
  ++t.cursor;
  return Next(c, Step::kNextDevice);
}

// 6.12 attaches the one that failed again, too, and tells the driver that the
// old domain is the group's, although the device has left it.
Outcome NextRevert(Context& c) {
  Thread& t = c.thread;
  const bool tells_old = c.Is(Attach::kArrays);
  const int end = tells_old ? t.last : t.last + 1;
  for (; t.cursor < end; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || GroupOf(c).domain == kNoDomain) continue;
    // 7.1+ does not look whether a device is parked here; attaches are refused
    // while one is.
    BeginAttach(c, f, GroupOf(c).domain,
                tells_old ? t.target : GroupOf(c).domain);
    t.fallback = 0;
    return Next(c, Step::kRevertDone);
  }
  return Next(c, Step::kGroupDone);
}

Outcome RevertDone(Context& c) {
  Thread& t = c.thread;
  if (!t.fallback && t.result != 0) {
    Warn(c, "__iommu_group_set_domain_internal",
         "__iommu_device_set_domain(...)");
    if (GroupOf(c).has_blocking && GroupOf(c).domain != kBlocked) {
      t.fallback = 1;
      BeginAttach(c, c.state.order[t.cursor], kBlocked,
                  c.Is(Attach::kArrays) ? t.target : GroupOf(c).domain);
      return Outcome::kNext;
    }
  }
  ++t.cursor;
  return Next(c, Step::kNextRevert);
}

Outcome Retire(Context& c, Dom dom, Step then) {
  Thread& t = c.thread;
  t.retired = dom;
  t.core = then;
  if (!IsPaging(dom)) {
    t.retired = kNoDomain;
    return Outcome::kNext;
  }
  BeginInvalidation(c, SlotOf(dom), 0, true);
  return Outcome::kNext;
}

void FinishRetiring(Context& c) {
  if (c.thread.retired == kNoDomain) return;
  FreeDomain(c, SlotOf(c.thread.retired));
  c.thread.retired = kNoDomain;
}

namespace {

Outcome SetDefaultDone(Context& c) {
  Thread& t = c.thread;
  if (t.retiring) {
    FinishRetiring(c);
    return Done(c, t.group_result);
  }
  t.retiring = 1;
  Group& group = GroupOf(c);
  Dom unused = t.previous;
  if (t.group_result != 0) {
    unused = group.default_domain;
    group.default_domain = t.previous;
  }
  return Retire(c, unused, Step::kGroupDone);
}

}  // namespace

namespace {

// iommufd has a handle in the group; a vDEVICE that stayed behind follows.
void FinishAttach(Context& c) {
  const Request& r = c.thread.request;
  const bool nested = c.board.IsNested(r.domain);
  if (nested) PlaceVdevices(c, r.domain);
  if (nested || r.kind == OperationKind::kReplace) {
    GroupOf(c).has_handle = c.Is(Attach::kArrays);
  }
}

}  // namespace

// What the caller of __iommu_group_set_domain does with its result.
Outcome GroupDone(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  switch (t.request.kind) {
    case OperationKind::kClaim:
      if (t.group_result == 0) group.owned = 1;
      return Done(c, t.group_result);
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      if (t.group_result == 0) FinishAttach(c);
      return Done(c, t.group_result);
    case OperationKind::kUnclaim:
    case OperationKind::kDetach:
      if (t.group_result != 0) {
        Warn(c, "__iommu_group_set_domain_nofail",
             "__iommu_group_set_domain_internal(...)");
      }
      return Done(c, 0);
    case OperationKind::kSetDefault:
      return SetDefaultDone(c);
    case OperationKind::kProbe:
      if (t.group_result != 0) {
        Warn(c, "iommu_setup_default_domain", "ret");
      }
      return Next(c, Step::kProbeEnd);
    default:
      return Done(c, t.group_result);
  }
}

Outcome SetDefault(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  if (group.owned) return Done(c, -EPERM);
  const bool identity = t.request.identity;
  if (identity && AnyUntrusted(c)) return Done(c, -EINVAL);
  if (identity == (group.default_domain == kIdentity)) return Done(c, 0);
  if (!identity) {
    const int error = AllocateDefault(c);
    if (error != 0) return Done(c, error);
  }
  t.previous = group.default_domain;
  t.retiring = 0;
  group.default_domain = identity ? kIdentity : DomOf(DefaultSlot(t.leader));
  for (int i = Members(c); i > 1; --i) {
    // Each member's flush of a domain that nothing uses yet: one stands for
    // all.
    Allocate(c, AllocSite::kCore);
  }
  BeginDirectMappings(c, group.default_domain);
  SetDomain(c, group.default_domain, false);
  return Outcome::kNext;
}

Outcome Claim(Context& c) {
  Group& group = GroupOf(c);
  if (group.owned) return Done(c, -EPERM);
  const bool pasids = group.pasids[1] != 0 || group.pasids[2] != 0;
  if (group.domain != group.default_domain || pasids) return Done(c, -EBUSY);
  group.has_blocking = 1;
  SetDomain(c, kBlocked, false);
  return Outcome::kNext;
}

Outcome AttachGroup(Context& c, bool replaces) {
  const Group& group = GroupOf(c);
  const int slot = c.thread.request.domain;
  if (c.board.IsNested(slot)) {
    PrepareVdevices(c, slot);
    const int error = replaces ? 0 : ReserveHandle(c);
    if (error != 0) return Done(c, error);
  }
  // xa_reserve of the handle's place.
  if (replaces && c.Is(Attach::kArrays) && !group.has_handle &&
      !Allocate(c, AllocSite::kCore)) {
    return Done(c, -ENOMEM);
  }
  const bool core_domain = group.domain == group.default_domain ||
                           (group.has_blocking && group.domain == kBlocked);
  if (!replaces && !core_domain) return Done(c, -EBUSY);
  SetDomain(c, DomOf(c.thread.request.domain), false);
  return Outcome::kNext;
}

}  // namespace atsfuzz::machine::core
