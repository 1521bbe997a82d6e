#include <algorithm>
#include <cerrno>

#include "model/machine/core_parts.h"
#include "model/machine/function.h"

namespace atsfuzz::machine::core {
namespace {

// ops->release_device of a function that has no group: 6.12's driver attaches
// the blocked domain in it.
Outcome BeginUnwind(Context& c, int error, Dom old) {
  Thread& t = c.thread;
  t.group_result = static_cast<int16_t>(error);
  t.core = Step::kReleaseMaster;
  if (c.Is(Attach::kArrays) && old == kNobody) return Outcome::kNext;
  BeginAttach(c, t.request.function, kBlocked,
              old == kNobody ? kNoDomain : old);
  return Outcome::kNext;
}

}  // namespace

Outcome ProbeBegin(Context& c) {
  const Board::Function& fixed = c.board.functions[c.thread.request.function];
  c.state.functions[c.thread.request.function].on_bus = 1;
  if (fixed.smmu == ATSFUZZ_NONE) return Done(c, -ENODEV);
  // dev_iommu_get, iommu_fwspec_init, iommu_fwspec_add_ids.
  // The fwspec has room for one id; each further one takes another allocation.
  const int allocations = 1 + std::max<int>(fixed.streams, 1);
  for (int i = 0; i < allocations; ++i) {
    if (!Allocate(c, AllocSite::kCore)) return Done(c, -ENOMEM);
  }
  return Next(c, Step::kProbeMaster);
}

Outcome ProbeMaster(Context& c) {
  const int error = InsertMaster(c, c.thread.request.function);
  return error != 0 ? Done(c, error) : Next(c, Step::kProbePasid);
}

Outcome ProbePasid(Context& c) {
  const int f = c.thread.request.function;
  if (c.board.functions[f].ssid_bits != 0 && PciEnablePasid(c, f) == 0) {
    c.state.functions[f].has_pasids = 1;
  }
  return Next(c, Step::kProbePrepareAts);
}

Outcome ProbePrepareAts(Context& c) {
  const int f = c.thread.request.function;
  const int error = PrepareMasterAts(c, f);
  if (error == 0) return Next(c, Step::kProbeGroup);
  if (c.design.prepare_failure == PrepareFailure::kFatal) {
    // The record is lost with everything in it: memory, streams, PASID on.
    Function& function = c.state.functions[f];
    function.has_master = function.has_pasids = 0;
    for (int s = 0; s < c.board.functions[f].streams; ++s) {
      c.state.tree[c.board.functions[f].stream[s]] = kLostMaster;
    }
    c.state.leaked = static_cast<uint8_t>(c.state.leaked + 2);
  } else {
    RemoveMaster(c, f);
  }
  return Done(c, error);
}

Outcome ProbeGroup(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  if (!Allocate(c, AllocSite::kCore)) {  // iommu_device_link
    return BeginUnwind(c, -ENOMEM, kNobody);
  }
  const bool first = Members(c) == 0;
  if (first) {
    if (!Allocate(c, AllocSite::kGroup)) {
      return BeginUnwind(c, -ENOMEM, kNobody);
    }
    GroupOf(c) = {};
  }
  if (!Allocate(c, AllocSite::kGroup)) {  // iommu_group_alloc_device
    return BeginUnwind(c, -ENOMEM, GroupOf(c).domain);
  }
  c.state.functions[f].is_probed = 1;
  AddToOrder(c.state, f);
  return Next(c, Step::kProbeAttach);
}

// The second half of iommu_setup_default_domain, and the first attach.
Outcome ProbeAttach(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  if (group.default_domain == kNoDomain) {
    const bool untrusted = AnyUntrusted(c);
    Dom dom = kIdentity;
    if (untrusted || !c.board.functions[t.request.function].default_identity) {
      const int error = AllocateDefault(c);
      if (t.oops) return Done(c, -EIO);
      if (error != 0) {
        // "auto" gives up with its own error once DMA cannot be had.
        t.group_result = static_cast<int16_t>(untrusted ? error : -EINVAL);
        return Next(c, Step::kProbeEnd);
      }
      dom = DomOf(DefaultSlot(t.leader));
    }
    group.default_domain = dom;
  }
  const bool first = group.domain == kNoDomain;
  // Flushes first, then comes back to the attach.
  BeginDirectMappings(c, group.default_domain);
  if (first) {
    SetDomain(c, group.default_domain, true);
  } else {
    t.core = Step::kProbeJoin;
  }
  return Outcome::kNext;
}

Outcome ProbeJoin(Context& c) {
  Thread& t = c.thread;
  t.one_device = 1;
  BeginAttach(c, t.request.function, GroupOf(c).domain, GroupOf(c).domain);
  // 7.x tells the driver of no old domain.
  if (c.Is(Attach::kArrays)) t.old_domain = kNoDomain;
  return Next(c, Step::kProbeEnd);
}

Outcome ProbeEnd(Context& c) {
  Thread& t = c.thread;
  const int error = t.one_device ? t.result : t.group_result;
  if (error == 0) return Done(c, 0);
  const int f = t.request.function;
  RemoveFromOrder(c.state, f);
  c.state.functions[f].is_probed = 0;
  return BeginUnwind(c, error, GroupOf(c).domain);
}

Outcome ReleaseBegin(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  const Group& group = GroupOf(c);
  RemoveFromOrder(c.state, f);
  if (Members(c) == 0 &&
      (group.owned || group.domain != group.default_domain)) {
    Warn(c, "__iommu_group_free_device", "group->owner_cnt || ...");
  }
  t.group_result = 0;
  BeginAttach(c, f, kBlocked, group.domain);
  return Next(c, Step::kReleaseMaster);
}

Outcome ReleaseMaster(Context& c) {
  RemoveMaster(c, c.thread.request.function);
  if (Members(c) != 0) return Next(c, Step::kReleaseGroup);
  return Retire(c, GroupOf(c).default_domain, Step::kReleaseGroup);
}

Outcome ReleaseGroup(Context& c) {
  Thread& t = c.thread;
  FinishRetiring(c);
  Function& function = c.state.functions[t.request.function];
  function.is_probed = 0;
  if (Members(c) == 0) GroupOf(c) = {};
  if (t.request.kind == OperationKind::kRelease) function.on_bus = 0;
  return Done(c, t.group_result);
}

}  // namespace atsfuzz::machine::core
