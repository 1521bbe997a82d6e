#include "model/machine/core.h"

#include <algorithm>
#include <cerrno>

#include "model/machine/function.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine {
namespace {

using model::AllocSite;
using model::OperationKind;

constexpr uint8_t kNobody = 0xff;

void Warn(Context& c, const char* function, const char* text) {
  if (c.log != nullptr) c.log->Warn(function, text);
}

Outcome Done(Context& c, int result) {
  c.thread.result = static_cast<int16_t>(result);
  c.thread.core = Step::kDone;
  if (c.thread.locked) c.state.group_lock[c.thread.leader] = 0;
  return Outcome::kNext;
}

Outcome Next(Context& c, Step step) {
  c.thread.core = step;
  return Outcome::kNext;
}

Group& GroupOf(Context& c) { return c.state.groups[c.thread.leader]; }

bool IsMember(const Context& c, int f) {
  return f != kNobody && c.board.functions[f].leader == c.thread.leader;
}

int Members(const Context& c) {
  return static_cast<int>(
      std::count_if(std::begin(c.state.order), std::end(c.state.order),
                    [&](uint8_t f) { return IsMember(c, f); }));
}

// The core's max_pasids of a function: more than 0.
bool OffersPasids(const Context& c, int f) {
  return c.board.functions[f].ssid_bits != 0;
}

void AddToOrder(State& state, int f) {
  *std::find(std::begin(state.order), std::end(state.order), kNobody) =
      static_cast<uint8_t>(f);
}

void RemoveFromOrder(State& state, int f) {
  const auto end = std::end(state.order);
  std::fill(std::remove(std::begin(state.order), end, f), end, kNobody);
}

// ---- Default domains.

// iommu_create_device_direct_mappings of one device: the driver's reserved
// region, and a flush of a DMA domain. True if the flush was begun.
bool BeginDirectMappings(Context& c, Dom dom) {
  if (!Allocate(c, AllocSite::kCore) || !IsPaging(dom)) return false;
  // 7.x flushes only what it has unmapped.
  if (!c.Is(Attach::kArrays)) BeginInvalidation(c, SlotOf(dom), 0, true);
  return true;
}

// __iommu_domain_alloc of a DMA domain for the thread's group.
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

// ---- Nesting, as iommufd does it.

// A member gets a vDEVICE on the vSMMU of a nested domain, in place of one
// elsewhere; arm_vsmmu_vdevice_init refuses functions of several stream ids.
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

// Before a group goes to a nested domain; while it is in one of another vSMMU
// its vDEVICEs stay there.
void PrepareVdevices(Context& c, int nested) {
  const Dom old = GroupOf(c).domain;
  const int slot = IsPaging(old) ? SlotOf(old) : nested;
  if (!c.board.IsNested(slot) ||
      c.board.CountedBy(slot) == c.board.CountedBy(nested)) {
    PlaceVdevices(c, nested);
  }
}

// iommufd_device_destroy comes before the ownership is given up.
void RemoveVdevices(Context& c) {
  for (uint8_t f : c.state.order) {
    if (IsMember(c, f)) c.state.functions[f].vsmmu = 0;
  }
}

bool HasVsmmu(const Context& c, int parent) {
  for (int d = parent + 1; d < c.board.domain_count; ++d) {
    if (c.board.CountedBy(d) == parent && c.state.domains[d].exists)
      return true;
  }
  return false;
}

// A vSMMU is made with the first domain nested in its parent...
int AllocateNested(Context& c, int slot) {
  if (!HasVsmmu(c, c.board.CountedBy(slot)) && !Allocate(c, AllocSite::kCore)) {
    return -ENOMEM;
  }
  if (!Allocate(c, AllocSite::kDomain)) return -ENOMEM;
  c.state.domains[slot] = {};
  c.state.domains[slot].exists = 1;
  return 0;
}

// ... and goes with the last, the vDEVICEs on it before.
void FreeNested(Context& c, int slot) {
  const int parent = c.board.CountedBy(slot);
  c.state.domains[slot] = {};
  if (HasVsmmu(c, parent)) return;
  for (Function& function : c.state.functions) {
    if (function.vsmmu == parent + 1) function.vsmmu = 0;
  }
}

bool HasVdevice(const Context& c, int f, Dom nested) {
  return c.state.functions[f].vsmmu == c.board.CountedBy(SlotOf(nested)) + 1;
}

// iommufd_vdevice_destroy.
int FreeVdevice(Context& c) {
  const int f = c.thread.request.function;
  if (c.state.functions[f].vsmmu == 0) return -ENOENT;
  c.state.functions[f].vsmmu = 0;
  return 0;
}

// arm_vsmmu_cache_invalidate, once for its CDs and its stage 1 of the whole
// guest, and once for the function's ATC if the guest believes in one.
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

// xa_insert of the place of the handle, which iommufd attaches with.
int ReserveHandle(Context& c) {
  if (!Allocate(c, AllocSite::kCore)) return -ENOMEM;
  return GroupOf(c).has_handle ? -EBUSY : 0;
}

// ---- Setting a group's domain.

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

// Frees a default domain: its tag is flushed first.
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

// iommufd has a handle in the group; a vDEVICE that stayed behind follows.
void FinishAttach(Context& c) {
  const Request& r = c.thread.request;
  const bool nested = c.board.IsNested(r.domain);
  if (nested) PlaceVdevices(c, r.domain);
  if (nested || r.kind == OperationKind::kReplace) {
    GroupOf(c).has_handle = c.Is(Attach::kArrays);
  }
}

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

// ---- probe and release

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

// ---- Operations on groups

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

// ---- PASIDs

Outcome BeginPasids(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  const Request& r = t.request;
  t.cursor = 0;
  t.group_result = 0;
  t.reverting = 0;
  t.target = DomOf(r.domain);
  t.old = group.pasids[r.ssid];
  if (r.kind == OperationKind::kClearPasid) {
    t.target = kNoDomain;
    return Next(c, Step::kPasidNext);
  }
  if (c.board.IsNested(r.domain)) return Done(c, -EOPNOTSUPP);
  if (group.recovery_cnt != 0) return Done(c, -EBUSY);
  if (r.kind == OperationKind::kReplacePasid) {
    if (t.old == kNoDomain) return Done(c, -EINVAL);
    if (t.old == t.target) return Done(c, 0);
    return Next(c, Step::kPasidNext);
  }
  for (uint8_t f : c.state.order) {
    if (IsMember(c, f) && OffersPasids(c, f) &&
        r.ssid >> c.board.functions[f].ssid_bits != 0) {
      return Done(c, -EINVAL);
    }
  }
  if (!Allocate(c, AllocSite::kCore)) return Done(c, -ENOMEM);
  if (t.old != kNoDomain) return Done(c, -EBUSY);
  return Next(c, Step::kPasidNext);
}

Outcome PasidNext(Context& c) {
  Thread& t = c.thread;
  const bool clears = t.request.kind == OperationKind::kClearPasid;
  for (; t.cursor < kFunctions; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || !OffersPasids(c, f)) continue;
    if (clears && c.state.functions[f].parked) continue;
    BeginPasid(c, f, t.request.ssid, t.target, t.old);
    return Next(c, Step::kPasidDone);
  }
  GroupOf(c).pasids[t.request.ssid] = t.target;
  return Done(c, 0);
}

Outcome PasidDone(Context& c) {
  Thread& t = c.thread;
  if (t.result == 0) {
    ++t.cursor;
    return Next(c, Step::kPasidNext);
  }
  t.group_result = t.result;
  t.last = t.cursor;
  t.cursor = 0;
  return Next(c, Step::kPasidRevert);
}

Outcome PasidRevert(Context& c) {
  Thread& t = c.thread;
  for (; t.cursor < t.last; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || !OffersPasids(c, f)) continue;
    BeginPasid(c, f, t.request.ssid, t.old, t.target);
    return Next(c, Step::kPasidRevertDone);
  }
  return Done(c, t.group_result);
}

Outcome PasidRevertDone(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) {
    Warn(c, "__iommu_set_group_pasid", "old->ops->set_dev_pasid(...)");
    BeginPasid(c, c.state.order[t.cursor], t.request.ssid, kNoDomain, t.target);
    return Outcome::kNext;
  }
  ++t.cursor;
  return Next(c, Step::kPasidRevert);
}

// ---- Resets

Outcome ResetBegin(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  Function& function = c.state.functions[f];
  if (!PciAtsSupported(c, f) || !function.is_probed ||
      function.reset_depth++ != 0) {
    return Next(c, Step::kResetFunction);
  }
  Group& group = GroupOf(c);
  group.has_blocking = 1;
  if (group.domain != kBlocked) BeginAttach(c, f, kBlocked, group.domain);
  return Next(c, Step::kResetParkRid);
}

Outcome ResetParkRid(Context& c) {
  Thread& t = c.thread;
  c.state.functions[t.request.function].parked = 1;
  t.cursor = 1;
  return Next(c, Step::kResetParkPasids);
}

Outcome ResetParkPasids(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  for (; t.cursor < kSsids && OffersPasids(c, f); ++t.cursor) {
    const Dom dom = GroupOf(c).pasids[t.cursor];
    if (dom == kNoDomain) continue;
    BeginPasid(c, f, t.cursor++, kNoDomain, dom);
    return Outcome::kNext;
  }
  ++GroupOf(c).recovery_cnt;
  return Next(c, Step::kResetFunction);
}

Outcome ResetFunction(Context& c) {
  PciReset(c, c.thread.request.function);
  return Done(c, 0);
}

Outcome ResetEnd(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  Function& function = c.state.functions[f];
  if (!PciAtsSupported(c, f) || !function.is_probed ||
      --function.reset_depth != 0) {
    return Done(c, 0);
  }
  t.result = 0;
  const Dom domain = GroupOf(c).domain;
  if (domain != kBlocked) BeginAttach(c, f, domain, kBlocked);
  return Next(c, Step::kResetRestoreRid);
}

Outcome ResetRestoreRid(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) Warn(c, "pci_dev_reset_iommu_done", "RID");
  c.state.functions[t.request.function].parked = 0;
  t.cursor = 1;
  t.result = 0;
  return Next(c, Step::kResetRestorePasids);
}

Outcome ResetRestorePasids(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  if (t.result != 0) Warn(c, "pci_dev_reset_iommu_done", "PASID");
  t.result = 0;
  for (; t.cursor < kSsids && OffersPasids(c, f); ++t.cursor) {
    const Dom dom = GroupOf(c).pasids[t.cursor];
    if (dom == kNoDomain) continue;
    BeginPasid(c, f, t.cursor++, dom, kBlocked);
    return Outcome::kNext;
  }
  --GroupOf(c).recovery_cnt;
  return Done(c, 0);
}

// ---- Domains

unsigned PagesOf(const Request& r) { return ((1u << r.pages) - 1) << r.page; }

Outcome Map(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  if (!domain.tables) {
    if (!Allocate(c, AllocSite::kPageTable)) return Done(c, -ENOMEM);
    domain.tables = 1;
  }
  domain.mapped |= PagesOf(r) & 0xf;
  return Done(c, 0);
}

Outcome Unmap(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  const unsigned pages = PagesOf(r);
  domain.mapped &= ~pages & 0xf;
  if (r.queued) {
    // Entries may go on translating to the old pages until the flush.
    domain.unflushed |= pages & 0xf;
  } else {
    MakeStale(c.state, r.domain, pages);
    BeginInvalidation(c, r.domain, pages, false);
  }
  return Done(c, 0);
}

Outcome Flush(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  MakeStale(c.state, r.domain, domain.unflushed);
  domain.unflushed = 0;
  if (domain.finalised) BeginInvalidation(c, r.domain, 0xf, true);
  return Done(c, 0);
}

Outcome DomainNew(Context& c) {
  const Request& r = c.thread.request;
  const Board::Domain& fixed = c.board.domains[r.domain];
  if (c.board.IsNested(r.domain)) {
    return Done(c, AllocateNested(c, r.domain));
  }
  // 6.12: without a device, for iommu_enable_nesting. 6.1: always.
  const bool late =
      c.Is(Attach::kOnePhase) || (!c.Is(Attach::kArrays) && fixed.stage == 2 &&
                                  c.board.smmus[fixed.smmu].stage1);
  return Done(c, AllocateDomain(c, r.domain, fixed.smmu, fixed.stage, !late));
}

Outcome DomainFree(Context& c) {
  const int slot = c.thread.request.domain;
  if (c.board.IsNested(slot)) {
    FreeNested(c, slot);
    return Done(c, 0);
  }
  FreeDomain(c, slot);
  return Done(c, 0);
}

// What the operation calls, once it holds the group's mutex.
void BeginOperation(Context& c) {
  Thread& t = c.thread;
  const Request& r = t.request;
  Group& group = GroupOf(c);
  switch (r.kind) {
    case OperationKind::kProbe:
      ProbeBegin(c);
      return;
    case OperationKind::kRelease:
      t.core = Step::kReleaseBegin;
      return;
    case OperationKind::kClaim:
      Claim(c);
      return;
    case OperationKind::kUnclaim:
      RemoveVdevices(c);
      group.owned = 0;
      SetDomain(c, group.default_domain, true);
      return;
    case OperationKind::kAttach:
      AttachGroup(c, false);
      return;
    case OperationKind::kReplace:
      AttachGroup(c, true);
      return;
    case OperationKind::kDetach:
      group.has_handle = 0;
      SetDomain(c, group.owned ? kBlocked : group.default_domain, true);
      return;
    case OperationKind::kSetDefault:
      SetDefault(c);
      return;
    case OperationKind::kMap:
      t.core = Step::kMap;
      return;
    case OperationKind::kUnmap:
      t.core = Step::kUnmap;
      return;
    case OperationKind::kFlush:
      t.core = Step::kFlush;
      return;
    case OperationKind::kDma:
      t.core = Step::kAccess;
      return;
    case OperationKind::kDomainNew:
      t.core = Step::kDomainNew;
      return;
    case OperationKind::kDomainFree:
      t.core = Step::kDomainFree;
      if (c.state.domains[r.domain].finalised) {
        BeginInvalidation(c, r.domain, 0xf, true);
      }
      return;
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
    case OperationKind::kClearPasid:
      BeginPasids(c);
      return;
    case OperationKind::kResetBegin:
      ResetBegin(c);
      return;
    case OperationKind::kResetEnd:
      ResetEnd(c);
      return;
    case OperationKind::kVdeviceFree:
      Done(c, FreeVdevice(c));
      return;
    case OperationKind::kGuestFlush:
      Done(c, FlushGuest(c));
      return;
    case OperationKind::kBind:
    case OperationKind::kUnbind:
    case OperationKind::kExit:
      assert(false && "this machine has no processes");
      return;
  }
}

bool ActsOnGroup(const Request& r) {
  return r.kind != OperationKind::kDma && model::ShapeOf(r.kind).function;
}

Outcome Begin(Context& c) {
  Thread& t = c.thread;
  if (ActsOnGroup(t.request)) {
    t.leader = c.board.functions[t.request.function].leader;
    if (c.state.group_lock[t.leader] != 0) return Outcome::kWait;
    c.state.group_lock[t.leader] = static_cast<uint8_t>(t.id + 1);
    t.locked = 1;
  }
  const bool is_one_phase = c.Is(Attach::kOnePhase) && t.locked &&
                            t.request.kind != OperationKind::kProbe &&
                            t.request.kind != OperationKind::kRelease;
  if (is_one_phase) {
    one_phase::BeginOperation(c);
  } else {
    BeginOperation(c);
  }
  return Outcome::kNext;
}

}  // namespace

Outcome CoreStep(Context& c) {
  Outcome outcome = Outcome::kNext;
  if (c.Is(Attach::kOnePhase) && one_phase::CoreStep(c, &outcome))
    return outcome;
  switch (c.thread.core) {
    case Step::kBegin:
      return Begin(c);
    case Step::kProbeMaster:
      return ProbeMaster(c);
    case Step::kProbePasid:
      return ProbePasid(c);
    case Step::kProbePrepareAts:
      return ProbePrepareAts(c);
    case Step::kProbeGroup:
      return ProbeGroup(c);
    case Step::kProbeAttach:
      return ProbeAttach(c);
    case Step::kProbeJoin:
      return ProbeJoin(c);
    case Step::kProbeEnd:
      return ProbeEnd(c);
    case Step::kReleaseBegin:
      return ReleaseBegin(c);
    case Step::kReleaseMaster:
      return ReleaseMaster(c);
    case Step::kReleaseGroup:
      return ReleaseGroup(c);
    case Step::kSetDomain:
      return BeginSetDomain(c);
    case Step::kNextDevice:
      return NextDevice(c);
    case Step::kDeviceDone:
      return DeviceDone(c);
    case Step::kNextRevert:
      return NextRevert(c);
    case Step::kRevertDone:
      return RevertDone(c);
    case Step::kGroupDone:
      return GroupDone(c);
    case Step::kPasidNext:
      return PasidNext(c);
    case Step::kPasidDone:
      return PasidDone(c);
    case Step::kPasidRevert:
      return PasidRevert(c);
    case Step::kPasidRevertDone:
      return PasidRevertDone(c);
    case Step::kResetParkRid:
      return ResetParkRid(c);
    case Step::kResetParkPasids:
      return ResetParkPasids(c);
    case Step::kResetFunction:
      return ResetFunction(c);
    case Step::kResetRestoreRid:
      return ResetRestoreRid(c);
    case Step::kResetRestorePasids:
      return ResetRestorePasids(c);
    case Step::kMap:
      return Map(c);
    case Step::kUnmap:
      return Unmap(c);
    case Step::kFlush:
      return Flush(c);
    case Step::kAccess: {
      const Request& r = c.thread.request;
      Access(c, r.function, r.stream, r.ssid, r.page);
      return Done(c, 0);
    }
    case Step::kDomainNew:
      return DomainNew(c);
    case Step::kDomainFree:
      return DomainFree(c);
    default:
      return Done(c, c.thread.result);
  }
}

}  // namespace atsfuzz::machine
