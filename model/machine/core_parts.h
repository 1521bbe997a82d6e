#ifndef ATSFUZZ_MODEL_MACHINE_CORE_PARTS_H_
#define ATSFUZZ_MODEL_MACHINE_CORE_PARTS_H_

#include "model/machine/core_steps.h"

// The parts of the IOMMU core of 6.12 and later (drivers/iommu/iommu.c). What
// an operation begins with is a function of its name; each other function that
// returns an Outcome is the step of its name (Step).
namespace atsfuzz::machine::core {

using model::AllocSite;
using model::OperationKind;

// ---- Groups: core_group.cc.

// Begins setting the group's domain; kGroupDone follows.
void SetDomain(Context& c, Dom target, bool must_succeed);
Outcome BeginSetDomain(Context& c);
Outcome NextDevice(Context& c);
Outcome DeviceDone(Context& c);
Outcome NextRevert(Context& c);
Outcome RevertDone(Context& c);
Outcome GroupDone(Context& c);

// Frees a default domain: its tag is flushed first; FinishRetiring at `then`.
Outcome Retire(Context& c, Dom dom, Step then);
void FinishRetiring(Context& c);

Outcome SetDefault(Context& c);
Outcome Claim(Context& c);
Outcome AttachGroup(Context& c, bool replaces);

// ---- Default domains: core_group.cc.

bool AnyUntrusted(const Context& c);
// __iommu_domain_alloc of a DMA domain for the thread's group.
int AllocateDefault(Context& c);
// iommu_create_device_direct_mappings of one device: the driver's reserved
// region, and a flush of a DMA domain. True if the flush was begun.
bool BeginDirectMappings(Context& c, Dom dom);

// ---- Functions come and go: core_probe.cc.

Outcome ProbeBegin(Context& c);
Outcome ProbeMaster(Context& c);
Outcome ProbePasid(Context& c);
Outcome ProbePrepareAts(Context& c);
Outcome ProbeGroup(Context& c);
Outcome ProbeAttach(Context& c);
Outcome ProbeJoin(Context& c);
Outcome ProbeEnd(Context& c);
Outcome ReleaseBegin(Context& c);
Outcome ReleaseMaster(Context& c);
Outcome ReleaseGroup(Context& c);

// ---- PASIDs: core_pasid.cc.

Outcome BeginPasids(Context& c);
Outcome PasidNext(Context& c);
Outcome PasidDone(Context& c);
Outcome PasidRevert(Context& c);
Outcome PasidRevertDone(Context& c);

// ---- Resets: core_reset.cc.

Outcome ResetBegin(Context& c);
Outcome ResetParkRid(Context& c);
Outcome ResetParkPasids(Context& c);
Outcome ResetFunction(Context& c);
Outcome ResetEnd(Context& c);
Outcome ResetRestoreRid(Context& c);
Outcome ResetRestorePasids(Context& c);

// ---- Domains: core_domain.cc.

Outcome Map(Context& c);
Outcome Unmap(Context& c);
Outcome Flush(Context& c);
Outcome DomainNew(Context& c);
Outcome DomainFree(Context& c);

// ---- Nesting, as iommufd does it: core_vdevice.cc.

// A member gets a vDEVICE on the vSMMU of a nested domain, in place of one
// elsewhere; arm_vsmmu_vdevice_init refuses functions of several stream ids.
void PlaceVdevices(Context& c, int nested);
// Before a group goes to a nested domain; while it is in one of another vSMMU
// its vDEVICEs stay there.
void PrepareVdevices(Context& c, int nested);
// iommufd_device_destroy comes before the ownership is given up.
void RemoveVdevices(Context& c);
// A vSMMU is made with the first domain nested in its parent...
int AllocateNested(Context& c, int slot);
// ... and goes with the last, the vDEVICEs on it before.
void FreeNested(Context& c, int slot);
// iommufd_vdevice_destroy.
int FreeVdevice(Context& c);
// arm_vsmmu_cache_invalidate, once for its CDs and its stage 1 of the whole
// guest, and once for the function's ATC if the guest believes in one.
int FlushGuest(Context& c);

}  // namespace atsfuzz::machine::core

#endif  // ATSFUZZ_MODEL_MACHINE_CORE_PARTS_H_
