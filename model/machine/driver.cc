#include "model/machine/driver.h"

#include <cerrno>

#include "model/machine/array.h"
#include "model/machine/driver_parts.h"
#include "model/machine/function.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine {
namespace driver {
namespace {

// arm_smmu_ats_supported.
bool AtsSupported(const Context& c, int f) {
  const Board::Function& function = c.board.functions[f];
  return c.board.smmus[function.smmu].ats && PciAtsSupported(c, f);
}

bool IsListed(Dom dom) { return IsPaging(dom); }

void SetListCount(State& state, int slot, int f, int ssid, unsigned count) {
  uint8_t& list = state.domains[slot].list[ssid];
  list = static_cast<uint8_t>((list & ~(3u << 2 * f)) | count << 2 * f);
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
  Replace(c, CountedSlot(c, c.thread.new_domain), c.thread.merged);
  return Outcome::kNext;
}

Outcome DisableAts(Context& c) {
  const Thread& t = c.thread;
  const bool believes = c.state.functions[t.function].belief;
  if (!t.want && believes) PciDisableAts(c, t.function);
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
  Domain& domain = c.state.domains[slot];
  if (domain.lockers != 0 && c.design.trims_under_lock) return Outcome::kWait;
  const Unreferenced result = machine::Unref(domain.invs, needs);
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
  const int slot = CountedSlot(c, t.old_domain);
  const Array& invs = c.state.domains[slot].invs;
  if (NeedsPurge(invs) && Allocate(c, AllocSite::kMerge)) {
    Replace(c, slot, machine::Purge(invs));
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

}  // namespace
}  // namespace driver

bool UsesPasids(const State& state, int f) {
  const Function& function = state.functions[f];
  return function.cd[1] != kNoCd || function.cd[2] != kNoCd;
}

int FinaliseDomain(Context& c, int slot, int smmu, int stage) {
  Domain& domain = c.state.domains[slot];
  // To what the SMMU can do.
  if (!c.board.smmus[smmu].stage1) stage = 2;
  if (!c.board.smmus[smmu].stage2) stage = 1;
  if (!Allocate(c, model::AllocSite::kPageTable)) return -ENOMEM;
  if (!Allocate(c, model::AllocSite::kId)) {
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
      return driver::CheckDomain(c);
    case Step::kAllocCdTable:
      return driver::AllocCdTable(c);
    case Step::kLockAsid:
      return driver::LockAsid(c);
    case Step::kPredict:
      return driver::Predict(c);
    case Step::kMerge:
      return driver::Merge(c);
    case Step::kAllocAttachment:
      return driver::AllocAttachment(c);
    case Step::kCount:
      return driver::Count(c);
    case Step::kList:
      return driver::List(c);
    case Step::kPublish:
      return driver::Publish(c);
    case Step::kDisableAts:
      return driver::DisableAts(c);
    case Step::kInstallCd:
      return driver::InstallCd(c);
    case Step::kInstallSte:
      return driver::InstallSte(c);
    case Step::kClearCd:
      return driver::ClearCd(c);
    case Step::kInvalidateAtc:
      return driver::InvalidateAtc(c);
    case Step::kEnableAts:
      return driver::EnableAts(c);
    case Step::kUndoEnable:
      return driver::UndoEnable(c);
    case Step::kLeaveList:
      return driver::LeaveList(c);
    case Step::kUncount:
      return driver::Uncount(c);
    case Step::kUnref:
      return driver::Unref(c);
    case Step::kFlushTag:
      return driver::FlushTag(c);
    case Step::kPurge:
      return driver::Purge(c);
    case Step::kBelieve:
      return driver::Believe(c);
    case Step::kUnlockAsid:
      return driver::UnlockAsid(c);
    case Step::kDowngrade:
      return driver::Downgrade(c);
    case Step::kClearPages:
      return driver::ClearPages(c);
    case Step::kLoadTargets:
      return driver::LoadTargets(c);
    case Step::kTlbi:
      return driver::TlbiStep(c);
    case Step::kReadTargets:
      return driver::ReadTargets(c);
    case Step::kAtcInvDomain:
      return driver::AtcInvDomain(c);
    case Step::kLeaveTargets:
      return driver::LeaveTargets(c);
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
