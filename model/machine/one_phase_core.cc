#include <cerrno>

#include "model/machine/core_steps.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

// The IOMMU core of 6.1.
namespace atsfuzz::machine::one_phase {
namespace {

using model::AllocSite;
using model::OperationKind;

// arm_smmu_domain_free.
void FreeBlocking(Context& c) {
  Group& group = GroupOf(c);
  if (!group.blocking.exists) return;
  const int slot = BlockingSlot(c.thread.leader);
  WarnOfLostAsid(c, group.blocking);
  if (group.blocking.finalised) {
    Tlbi(c, slot, 0, true);
    Sync(c, group.blocking.smmu);
    Dangle(c, slot);
  }
  group.blocking = {};
  group.blocking_list = 0;
}

// A domain of type DMA into the group's default slot; false: no memory.
bool AllocateDma(Context& c) {
  const int slot = DefaultSlot(c.thread.leader);
  if (!Allocate(c, AllocSite::kDomain)) return false;
  if (!Allocate(c, AllocSite::kCore)) return false;  // iommu_get_dma_cookie
  c.state.domains[slot] = {};
  c.state.domains[slot].exists = 1;
  return true;
}

// iommu_group_alloc_default_domain: DMA if what is asked for cannot be had.
Dom AllocateDefault(Context& c, bool identity) {
  if (identity && Allocate(c, AllocSite::kDomain)) return kIdentity;
  return AllocateDma(c) ? DomOf(DefaultSlot(c.thread.leader)) : kNoDomain;
}

// iommu_create_device_direct_mappings, of the default domain.
void BeginDirectMappings(Context& c) {
  const Dom dom = GroupOf(c).default_domain;
  if (!IsPaging(dom)) return;
  Allocate(c, AllocSite::kCore);  // arm_smmu_get_resv_regions
  if (c.state.domains[SlotOf(dom)].finalised) {
    BeginInvalidation(c, SlotOf(dom), 0, true);
  }
}

// __iommu_group_set_domain, and the caller at kGroupDone.
Outcome SetDomain(Context& c, Dom target) {
  Thread& t = c.thread;
  t.target = target;
  t.group_result = 0;
  t.cursor = 0;
  if (GroupOf(c).domain == target) return Next(c, Step::kGroupDone);
  if (target == kNoDomain) {
    Warn(c, "__iommu_group_set_domain", "!group->domain->ops->detach_dev");
    t.group_result = -EINVAL;
    return Next(c, Step::kGroupDone);
  }
  return Next(c, Step::kNextDevice);
}

Outcome NextDevice(Context& c) {
  Thread& t = c.thread;
  for (; t.cursor < kFunctions; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f)) continue;
    BeginAttach(c, f, t.target);
    return Next(c, Step::kDeviceDone);
  }
  GroupOf(c).domain = t.target;
  return Next(c, Step::kGroupDone);
}

Outcome DeviceDone(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) {
    t.group_result = t.result;
    return Next(c, Step::kGroupDone);
  }
  ++t.cursor;
  return Next(c, Step::kNextDevice);
}

// __iommu_attach_group: on failure every device goes back.
Outcome AttachDone(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  if (t.reverting) {
    if (t.group_result != 0) {
      Warn(c, "__iommu_attach_group",
           "__iommu_group_set_domain(group, old_domain)");
    }
    return Done(c, t.attach_result);
  }
  if (t.group_result == 0) return Done(c, 0);
  t.reverting = 1;
  t.attach_result = t.group_result;
  const Dom old = group.domain;
  group.domain = kNoDomain;
  return SetDomain(c, old);
}

Outcome FreeDefault(Context& c, Dom dom, Step then) {
  c.thread.retired = dom;
  c.thread.core = then;
  if (IsPaging(dom) && c.state.domains[SlotOf(dom)].finalised) {
    BeginInvalidation(c, SlotOf(dom), 0, true);
  }
  return Outcome::kNext;
}

void FinishFreeing(Context& c) {
  const Dom dom = c.thread.retired;
  if (IsPaging(dom)) FreeDomain(c, SlotOf(dom));
  c.thread.retired = kNoDomain;
}

// iommu_change_dev_def_domain after its attach, then after the flush of the
// domain that goes.
Outcome SetDefaultDone(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  if (t.retiring) {
    FinishFreeing(c);
    return Done(c, t.group_result);
  }
  t.retiring = 1;
  t.group_result = t.result;
  Dom unused = t.previous;
  if (t.result != 0) {
    unused = group.default_domain;
    group.default_domain = t.previous;
  }
  group.domain = group.default_domain;
  return FreeDefault(c, unused, Step::kGroupDone);
}

Outcome GroupDone(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  switch (t.request.kind) {
    case OperationKind::kClaim:
      if (t.group_result == 0) group.owned = 1;
      return Done(c, t.group_result);
    case OperationKind::kUnclaim:
      if (t.group_result != 0) {
        Warn(c, "iommu_group_release_dma_owner", "ret");
      }
      return Done(c, 0);
    case OperationKind::kDetach:
      if (t.group_result != 0) Warn(c, "__iommu_group_set_core_domain", "ret");
      return Done(c, 0);
    case OperationKind::kSetDefault:
      return SetDefaultDone(c);
    default:
      return AttachDone(c);
  }
}

Outcome Claim(Context& c) {
  Group& group = GroupOf(c);
  if (group.owned) return Done(c, -EPERM);
  if (group.domain != kNoDomain && group.domain != group.default_domain) {
    return Done(c, -EBUSY);
  }
  if (!group.blocking.exists) {
    if (!Allocate(c, AllocSite::kDomain)) return Done(c, -EINVAL);
    group.blocking = {};
    group.blocking.exists = 1;
    group.has_blocking = 1;
  }
  return SetDomain(c, kBlocked);
}

Outcome AttachGroup(Context& c) {
  Thread& t = c.thread;
  const Group& group = GroupOf(c);
  const bool core_domain = group.domain == kNoDomain ||
                           group.domain == group.default_domain ||
                           group.domain == kBlocked;
  if (!core_domain) return Done(c, -EBUSY);
  t.reverting = 0;
  return SetDomain(c, DomOf(t.request.domain));
}

Outcome SetDefault(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  const int f = t.request.function;
  if (group.default_domain == kNoDomain) return Done(c, -EINVAL);
  if (Members(c) != 1) return Done(c, -EINVAL);
  if (group.domain != group.default_domain) return Done(c, -EBUSY);
  const bool identity = t.request.identity;
  if (identity && c.board.functions[f].untrusted) return Done(c, -EINVAL);
  if (identity == (group.default_domain == kIdentity)) return Done(c, 0);
  const Dom dom = AllocateDefault(c, identity);
  if (dom == kNoDomain) return Done(c, -ENOMEM);
  t.previous = group.default_domain;
  t.retiring = 0;
  group.default_domain = dom;
  if (IsPaging(dom)) Allocate(c, AllocSite::kCore);
  BeginAttach(c, f, dom);
  return Next(c, Step::kGroupDone);
}

// ---- probe and release

Outcome ProbeGroup(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  if (Members(c) == 0) {
    if (!Allocate(c, AllocSite::kGroup)) {
      t.group_result = -ENOMEM;
      return Next(c, Step::kReleaseMaster);
    }
    GroupOf(c) = {};
  }
  if (!Allocate(c, AllocSite::kGroup)) {
    t.group_result = -ENOMEM;
    return Next(c, Step::kReleaseMaster);
  }
  AddToOrder(c.state, f);
  c.state.functions[f].is_probed = 1;
  t.result = 0;
  if (GroupOf(c).domain != kNoDomain) {
    BeginAttach(c, f, GroupOf(c).domain);
  }
  return Next(c, Step::kProbeJoin);
}

// iommu_group_add_device is done.
Outcome ProbeJoin(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  if (t.result != 0) {
    t.group_result = t.result;
    return Next(c, Step::kProbeEnd);
  }
  Allocate(c, AllocSite::kCore);  // iommu_device_link: nobody asks
  const Board::Function& fixed = c.board.functions[t.request.function];
  if (group.default_domain == kNoDomain) {
    const bool identity = fixed.default_identity && !fixed.untrusted;
    group.default_domain = AllocateDefault(c, identity);
    if (group.domain == kNoDomain) group.domain = group.default_domain;
  }
  if (group.default_domain != kNoDomain && !group.owned) {
    BeginAttach(c, t.request.function, group.default_domain);
  }
  return Next(c, Step::kProbeAttach);
}

Outcome ProbeAttach(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) {
    t.group_result = t.result;
    return Next(c, Step::kProbeEnd);
  }
  t.group_result = 0;
  t.core = Step::kReleaseGroup;
  BeginDirectMappings(c);
  return Outcome::kNext;
}

// The function leaves the group, and the driver.
Outcome ProbeEnd(Context& c) {
  BeginAttach(c, c.thread.request.function, kNoDomain);
  return Next(c, Step::kReleaseMaster);
}

Outcome ReleaseBegin(Context& c) {
  c.thread.group_result = 0;
  BeginAttach(c, c.thread.request.function, kNoDomain);
  return Next(c, Step::kReleaseMaster);
}

Outcome ReleaseMaster(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  RemoveMaster(c, f);
  const bool was_member = c.state.functions[f].is_probed != 0;
  c.state.functions[f].is_probed = 0;
  RemoveFromOrder(c.state, f);
  if (t.request.kind == OperationKind::kRelease) {
    c.state.functions[f].on_bus = 0;
  }
  if (!was_member || Members(c) != 0) return Done(c, t.group_result);
  return FreeDefault(c, GroupOf(c).default_domain, Step::kReleaseGroup);
}

// The last reference of the group is gone; or, the function being a member, a
// probe is at its end.
Outcome ReleaseGroup(Context& c) {
  Thread& t = c.thread;
  if (c.state.functions[t.request.function].is_probed) return Done(c, 0);
  FinishFreeing(c);
  FreeBlocking(c);
  GroupOf(c) = {};
  return Done(c, t.group_result);
}

}  // namespace

bool CoreStep(Context& c, Outcome* outcome) {
  switch (c.thread.core) {
    case Step::kProbePrepareAts:  // there is no pci_prepare_ats
      *outcome = Next(c, Step::kProbeGroup);
      return true;
    case Step::kProbeGroup:
      *outcome = ProbeGroup(c);
      return true;
    case Step::kProbeJoin:
      *outcome = ProbeJoin(c);
      return true;
    case Step::kProbeAttach:
      *outcome = ProbeAttach(c);
      return true;
    case Step::kProbeEnd:
      *outcome = ProbeEnd(c);
      return true;
    case Step::kReleaseBegin:
      *outcome = ReleaseBegin(c);
      return true;
    case Step::kReleaseMaster:
      *outcome = ReleaseMaster(c);
      return true;
    case Step::kReleaseGroup:
      *outcome = ReleaseGroup(c);
      return true;
    case Step::kNextDevice:
      *outcome = NextDevice(c);
      return true;
    case Step::kDeviceDone:
      *outcome = DeviceDone(c);
      return true;
    case Step::kGroupDone:
      *outcome = GroupDone(c);
      return true;
    default:
      return false;
  }
}

void BeginOperation(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  switch (t.request.kind) {
    case OperationKind::kClaim:
      Claim(c);
      return;
    case OperationKind::kUnclaim:
      group.owned = 0;
      SetDomain(c, group.default_domain);
      return;
    case OperationKind::kAttach:
      AttachGroup(c);
      return;
    case OperationKind::kDetach:
      SetDomain(c, group.owned ? kBlocked : group.default_domain);
      return;
    case OperationKind::kSetDefault:
      SetDefault(c);
      return;
    default:
      return;
  }
}

}  // namespace atsfuzz::machine::one_phase
