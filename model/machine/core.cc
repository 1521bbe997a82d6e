#include "model/machine/core.h"

#include <cassert>

#include "model/machine/core_parts.h"
#include "model/machine/one_phase.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine {
namespace core {
namespace {

using model::OperationKind;

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

Outcome Begin(Context& c) {
  Thread& t = c.thread;
  if (TakesGroupMutex(t.request)) {
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
}  // namespace core

bool TakesGroupMutex(const Request& request) {
  return request.kind != model::OperationKind::kDma &&
         model::ShapeOf(request.kind).function;
}

Outcome CoreStep(Context& c) {
  Outcome outcome = Outcome::kNext;
  if (c.Is(Attach::kOnePhase) && one_phase::CoreStep(c, &outcome))
    return outcome;
  switch (c.thread.core) {
    case Step::kBegin:
      return core::Begin(c);
    case Step::kProbeMaster:
      return core::ProbeMaster(c);
    case Step::kProbePasid:
      return core::ProbePasid(c);
    case Step::kProbePrepareAts:
      return core::ProbePrepareAts(c);
    case Step::kProbeGroup:
      return core::ProbeGroup(c);
    case Step::kProbeAttach:
      return core::ProbeAttach(c);
    case Step::kProbeJoin:
      return core::ProbeJoin(c);
    case Step::kProbeEnd:
      return core::ProbeEnd(c);
    case Step::kReleaseBegin:
      return core::ReleaseBegin(c);
    case Step::kReleaseMaster:
      return core::ReleaseMaster(c);
    case Step::kReleaseGroup:
      return core::ReleaseGroup(c);
    case Step::kSetDomain:
      return core::BeginSetDomain(c);
    case Step::kNextDevice:
      return core::NextDevice(c);
    case Step::kDeviceDone:
      return core::DeviceDone(c);
    case Step::kNextRevert:
      return core::NextRevert(c);
    case Step::kRevertDone:
      return core::RevertDone(c);
    case Step::kGroupDone:
      return core::GroupDone(c);
    case Step::kPasidNext:
      return core::PasidNext(c);
    case Step::kPasidDone:
      return core::PasidDone(c);
    case Step::kPasidRevert:
      return core::PasidRevert(c);
    case Step::kPasidRevertDone:
      return core::PasidRevertDone(c);
    case Step::kResetParkRid:
      return core::ResetParkRid(c);
    case Step::kResetParkPasids:
      return core::ResetParkPasids(c);
    case Step::kResetFunction:
      return core::ResetFunction(c);
    case Step::kResetRestoreRid:
      return core::ResetRestoreRid(c);
    case Step::kResetRestorePasids:
      return core::ResetRestorePasids(c);
    case Step::kMap:
      return core::Map(c);
    case Step::kUnmap:
      return core::Unmap(c);
    case Step::kFlush:
      return core::Flush(c);
    case Step::kAccess: {
      const Request& r = c.thread.request;
      Access(c, r.function, r.stream, r.ssid, r.page);
      return Done(c, 0);
    }
    case Step::kDomainNew:
      return core::DomainNew(c);
    case Step::kDomainFree:
      return core::DomainFree(c);
    default:
      return Done(c, c.thread.result);
  }
}

}  // namespace atsfuzz::machine