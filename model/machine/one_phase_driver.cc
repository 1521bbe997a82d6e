#include <algorithm>
#include <cerrno>

#include "model/machine/function.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

// The driver of 6.1.
namespace atsfuzz::machine::one_phase {
namespace {

using model::AllocSite;

constexpr int kNoSlot = -1;

Outcome Fail(Context& c, int error) {
  c.thread.result = static_cast<int16_t>(error);
  return Outcome::kFail;
}

// The slot of a domain that `f` is or will be attached to; kNoSlot for the
// identity domain, which lists its functions too, where nobody looks.
int ListSlot(const Context& c, int f, Dom dom) {
  if (IsPaging(dom)) return SlotOf(dom);
  return dom == kBlocked ? BlockingSlot(c.board.functions[f].leader) : kNoSlot;
}

Space& MutableSpace(Context& c, int slot) {
  if (slot < kSlots) return c.state.domains[slot];
  return c.state.groups[slot - kSlots].blocking;
}

bool IsListed(const State& state, int slot, int f) {
  if (slot < kSlots) return (state.domains[slot].list[0] >> 2 * f & 3) != 0;
  return (state.groups[slot - kSlots].blocking_list >> f & 1) != 0;
}

void SetListed(Context& c, int slot, int f, bool listed) {
  uint8_t& list = slot < kSlots ? c.state.domains[slot].list[0]
                                : c.state.groups[slot - kSlots].blocking_list;
  const int bit = slot < kSlots ? 2 * f : f;
  list = static_cast<uint8_t>((list & ~(1u << bit)) |
                              static_cast<unsigned>(listed) << bit);
}

// master->domain.
Dom AttachedTo(const Context& c, int f) {
  if (!c.state.functions[f].attached) return kNoDomain;
  for (int slot = 0; slot < kSlots; ++slot) {
    if (IsListed(c.state, slot, f)) return DomOf(slot);
  }
  const int blocking = BlockingSlot(c.board.functions[f].leader);
  return IsListed(c.state, blocking, f) ? kBlocked : kIdentity;
}

bool AtsSupported(const Context& c, int f) {
  return c.board.smmus[c.board.functions[f].smmu].ats && PciAtsSupported(c, f);
}

// ---- A domain's first attach

// The lowest that no domain has: arm_smmu_asid_xa, vmid_map.
uint8_t FreeTag(const Context& c, bool stage2, int smmu) {
  unsigned used = stage2 ? 0u : c.state.lost_asids;
  for (int slot = 0; slot < kAllSlots; ++slot) {
    const Space& other = SpaceAt(c.state, slot);
    if (!other.finalised || (other.stage2 != 0) != stage2) continue;
    if (stage2 && other.smmu != smmu) continue;
    used |= 1u << (other.tag - 1);
  }
  return static_cast<uint8_t>(std::min(__builtin_ctz(~used), 14) + 1);
}

// free_io_pgtable_ops of a domain that failed: it flushes cd->asid.
int GiveUp(Context& c, const Space& domain, int slot) {
  Tlbi(c, slot, 0, true);
  Sync(c, domain.smmu);
  return -ENOMEM;
}

// arm_smmu_free_asid after the CD table could not be had: it goes by cd->asid,
// which is not that of this attach, but none or that of a failed one before.
void FreeAsidByCd(Context& c, const Space& domain) {
  c.state.lost_asids |=
      static_cast<uint16_t>(1u << (FreeTag(c, false, domain.smmu) - 1));
  if (domain.tag == 0) return;
  Warn(c, "arm_smmu_free_asid", "old_cd != cd");
  if (c.log != nullptr) c.log->MemoryError("an ASID is freed twice", false);
}

int FinaliseStage1(Context& c, Space& domain, int slot, int f) {
  const Function& function = c.state.functions[f];
  const unsigned bits =
      function.has_pasids ? c.board.functions[f].ssid_bits : 0u;
  if (!Allocate(c, AllocSite::kId)) return GiveUp(c, domain, slot);
  if (!Allocate(c, AllocSite::kCdTable)) {
    FreeAsidByCd(c, domain);
    return GiveUp(c, domain, slot);
  }
  domain.tag = FreeTag(c, false, domain.smmu) & 0xf;
  if (bits > static_cast<unsigned>(kLinearBits) &&
      !Allocate(c, AllocSite::kCdLeaf)) {
    return GiveUp(c, domain, slot);
  }
  // arm_smmu_sync_cd, of a domain that no function is on the list of.
  Sync(c, domain.smmu);
  domain.ssid_bits = bits & 0x1f;
  return 0;
}

// arm_smmu_domain_finalise, for the first function that is attached.
int Finalise(Context& c, int slot, int f) {
  Space& domain = MutableSpace(c, slot);
  const int smmu = c.board.functions[f].smmu;
  const Board::Smmu& fixed = c.board.smmus[smmu];
  const bool asked_stage2 =
      slot < kDeclared && c.board.domains[slot].stage == 2;
  domain.stage2 = !fixed.stage1 || (asked_stage2 && fixed.stage2);
  domain.smmu = static_cast<uint8_t>(smmu) & 1;
  if (!Allocate(c, AllocSite::kPageTable)) return -ENOMEM;
  if (domain.stage2) {
    domain.tag = FreeTag(c, true, smmu) & 0xf;
  } else if (const int error = FinaliseStage1(c, domain, slot, f); error != 0) {
    return error;
  }
  domain.finalised = 1;
  return 0;
}

// ---- The driver

Outcome CheckDomain(Context& c) {
  const Thread& t = c.thread;
  const int slot = ListSlot(c, t.function, t.new_domain);
  const Space& domain = SpaceAt(c.state, slot);
  if (!domain.finalised) {
    const int error = Finalise(c, slot, t.function);
    return error != 0 ? Fail(c, error) : Outcome::kNext;
  }
  const Board::Function& fixed = c.board.functions[t.function];
  if (domain.smmu != fixed.smmu) return Fail(c, -ENXIO);
  const unsigned bits =
      c.state.functions[t.function].has_pasids ? fixed.ssid_bits : 0u;
  if (!domain.stage2 && domain.ssid_bits != bits) return Fail(c, -EINVAL);
  return Outcome::kNext;
}

Outcome Believe(Context& c) {
  const Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  function.belief = t.want;
  if (t.program == Program::kDetach) function.attached = 0;
  return Outcome::kNext;
}

Ste TargetSte(const Context& c) {
  const Thread& t = c.thread;
  if (t.program == Program::kDetach) {
    return {Config::kAbort, 0, S1Dss::kTerminate, 0};
  }
  if (t.program == Program::kAttachStatic) {
    return {Config::kBypass, 0, S1Dss::kTerminate, 0};
  }
  const int slot = ListSlot(c, t.function, t.new_domain);
  if (SpaceAt(c.state, slot).stage2) {
    return {Config::kStage2, t.want, S1Dss::kTerminate,
            static_cast<unsigned>(slot)};
  }
  return {Config::kStage1, t.want, S1Dss::kSsid0, t.function};
}

Outcome Die(Context& c) {
  c.thread.oops = 1;
  if (c.log != nullptr) {
    c.log->MemoryError("BUG in arm_smmu_write_strtab_ent: ste_live", true);
  }
  return Outcome::kNext;
}

// arm_smmu_install_ste_for_dev: one stream at a time, repeated ones once.
Outcome InstallSte(Context& c) {
  Thread& t = c.thread;
  const Board::Function& fixed = c.board.functions[t.function];
  int s = t.stream;
  while (s > 0 && s < fixed.streams && fixed.driven[s] == fixed.driven[s - 1]) {
    ++s;
  }
  if (s >= fixed.streams) {
    t.stream = 0;
    return Outcome::kNext;
  }
  const int stream = fixed.driven[s];
  const Ste target = TargetSte(c);
  Ste& ste = c.state.ste[stream];
  const bool translates = target.config >= Config::kStage1;
  if (translates && ste.config >= Config::kStage1) return Die(c);
  // The entry is not in force before its second CMD_SYNC, or is at once.
  const Ste before = ste;
  if (!translates) ste = target;
  BeginBatch(c, fixed.smmu,
             BatchMark(BatchKind::kSte, static_cast<unsigned>(stream)));
  if (c.log != nullptr) c.log->SteUpdate(stream, before, target);
  ste = target;
  CfgiSte(c, stream);
  EndBatch(c);
  if (translates) Prefetch(c, stream);
  t.stream = static_cast<uint8_t>(s + 1);
  return Outcome::kRepeat;
}

void InvalidateStreams(Context& c, int f) {
  const Board::Function& fixed = c.board.functions[f];
  for (int s = 0; s < fixed.streams; ++s) {
    AtcInv(c, fixed.driven[s], 0, 0, true);
  }
}

// The whole ATCs of some functions, by bit, in one batch.
void InvalidateFunctions(Context& c, unsigned functions, int smmu) {
  BeginBatch(c, smmu, BatchMark(BatchKind::kMaster, functions));
  for (int f = 0; f < c.board.function_count; ++f) {
    if ((functions >> f & 1) != 0) InvalidateStreams(c, f);
  }
  Sync(c, smmu);
}

Outcome InvalidateMaster(Context& c) {
  const int f = c.thread.function;
  if (c.state.functions[f].belief) {
    InvalidateFunctions(c, 1u << f, c.board.functions[f].smmu);
  }
  return Outcome::kNext;
}

// arm_smmu_atc_inv_domain: every function of the domain, not only the new one.
Outcome InvalidateDomain(Context& c) {
  const Thread& t = c.thread;
  if (!t.want) return Outcome::kNext;
  const int slot = ListSlot(c, t.function, t.new_domain);
  if (SpaceAt(c.state, slot).nr_ats_masters == 0) return Outcome::kNext;
  unsigned functions = 0;
  for (int f = 0; f < c.board.function_count; ++f) {
    if (IsListed(c.state, slot, f) && c.state.functions[f].belief) {
      functions |= 1u << f;
    }
  }
  InvalidateFunctions(c, functions, c.board.functions[t.function].smmu);
  return Outcome::kNext;
}

Outcome LeaveList(Context& c) {
  const Thread& t = c.thread;
  const int slot = ListSlot(c, t.function, t.old_domain);
  if (slot != kNoSlot) SetListed(c, slot, t.function, false);
  return Outcome::kNext;
}

Outcome Uncount(Context& c) {
  const Thread& t = c.thread;
  const int slot = ListSlot(c, t.function, t.old_domain);
  if (slot != kNoSlot && c.state.functions[t.function].belief) {
    --MutableSpace(c, slot).nr_ats_masters;
  }
  return Outcome::kNext;
}

}  // namespace

Outcome DriverStep(Context& c, Step step) {
  Thread& t = c.thread;
  Function& function = c.state.functions[t.function];
  switch (step) {
    case Step::kDisableAts:
      if (function.belief) PciDisableAts(c, t.function);
      return Outcome::kNext;
    case Step::kInvalidateAtc:
      return InvalidateMaster(c);
    case Step::kUncount:
      return Uncount(c);
    case Step::kLeaveList:
      return LeaveList(c);
    case Step::kBelieve:
      return Believe(c);
    case Step::kInstallSte:
      return InstallSte(c);
    case Step::kCheckDomain:
      return CheckDomain(c);
    case Step::kPredict:
      function.attached = 1;
      t.want =
          t.program == Program::kAttachPaging && AtsSupported(c, t.function);
      return Outcome::kNext;
    case Step::kInstallCd:
      function.cd_leaf = 1;
      function.cd[0] =
          static_cast<Cd>(ListSlot(c, t.function, t.new_domain) + 1);
      return Outcome::kNext;
    case Step::kList:
      SetListed(c, ListSlot(c, t.function, t.new_domain), t.function, true);
      return Outcome::kNext;
    case Step::kCount:
      if (t.want) {
        ++MutableSpace(c, ListSlot(c, t.function, t.new_domain)).nr_ats_masters;
      }
      return Outcome::kNext;
    case Step::kAtcInvDomain:
      return InvalidateDomain(c);
    case Step::kEnableAts:
      if (t.want) PciEnableAts(c, t.function);
      return Outcome::kNext;
    default:
      return Outcome::kNext;
  }
}

void BeginAttach(Context& c, int f, Dom domain) {
  Thread& t = c.thread;
  t.function = static_cast<uint8_t>(f);
  t.ssid = 0;
  t.new_domain = domain;
  t.old_domain = AttachedTo(c, f);
  t.stream = 0;
  t.want = 0;
  t.result = 0;
  t.pc = 0;
  Program attach = Program::kAttachPaging;
  if (domain == kNoDomain) attach = Program::kNone;
  if (domain == kIdentity) attach = Program::kAttachStatic;
  const bool detaches = t.old_domain != kNoDomain;
  t.program = detaches ? Program::kDetach : attach;
  t.then = detaches ? attach : Program::kNone;
}

}  // namespace atsfuzz::machine::one_phase
