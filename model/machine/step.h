#ifndef ATSFUZZ_MODEL_MACHINE_STEP_H_
#define ATSFUZZ_MODEL_MACHINE_STEP_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace atsfuzz::machine {

// The atomic steps: between two of them other CPUs, the SMMU and the devices
// can act, and can see what the first has done.
enum class Step : uint8_t {
  kDone,

  // ---- PCI and IOMMU core (core.cc)
  kBegin,            // the call, up to group->mutex
  kProbeMaster,      // arm_smmu_probe_device: record, streams
  kProbePasid,       // arm_smmu_enable_pasid
  kProbePrepareAts,  // pci_prepare_ats and what its failure leads to
  kProbeGroup,       // iommu_init_device: group, link; gdev
  kProbeAttach,      // the group's domain, or the first default domain
  kProbeJoin,        // a group that has a domain already
  kProbeEnd,
  kReleaseBegin,   // __iommu_group_remove_device
  kReleaseMaster,  // arm_smmu_release_device after its attach
  kReleaseGroup,   // iommu_deinit_device: the last one frees the domains
  kSetDomain,      // __iommu_group_set_domain_internal begins
  kNextDevice,     // its loop
  kDeviceDone,     // __iommu_device_set_domain after the driver returned
  kNextRevert,     // its err_revert loop
  kRevertDone,
  kGroupDone,  // group->domain = new_domain, and the caller's rest
  kPasidNext,  // __iommu_set_group_pasid, __iommu_remove_group_pasid
  kPasidDone,
  kPasidRevert,
  kPasidRevertDone,
  kResetParkRid,  // pci_dev_reset_iommu_prepare
  kResetParkPasids,
  kResetFunction,    // the function level reset itself
  kResetRestoreRid,  // pci_dev_reset_iommu_done
  kResetRestorePasids,
  kMap,     // iommu_map
  kUnmap,   // up to the change of the page table
  kFlush,   // iommu_flush_iotlb_all begins
  kAccess,  // dma: the device
  kDomainNew,
  kDomainFree,

  // ---- SMMUv3 driver (driver.cc)
  kCheckDomain,   // SMMU, finalise
  kAllocCdTable,  // arm_smmu_alloc_cd_ptr
  kLockAsid,
  kPredict,  // arm_smmu_attach_prepare: want
  kMerge,    // arm_smmu_attach_prepare_invs: build, merge
  kAllocAttachment,
  kCount,          // nr_ats_masters++
  kList,           // list_add
  kPublish,        // arm_smmu_install_new_domain_invs
  kDisableAts,     // pci_disable_ats
  kInstallCd,      // arm_smmu_write_cd_entry
  kInstallSte,     // arm_smmu_install_ste_for_dev, one entry
  kClearCd,        // arm_smmu_clear_cd
  kInvalidateAtc,  // arm_smmu_atc_inv_master
  kEnableAts,      // pci_enable_ats
  kLeaveList,      // arm_smmu_remove_master_domain: list_del
  kUncount,        // and nr_ats_masters--
  kUnref,          // arm_smmu_invs_unref, with its trim
  kFlushTag,       // arm_smmu_inv_flush_iotlb_tag
  kPurge,          // arm_smmu_invs_purge
  kBelieve,        // ats_enabled
  kUndoEnable,     // not in any kernel: after a failed enable
  kUnlockAsid,
  kDowngrade,  // re-attach of the RID's domain when the last PASID goes
  // An invalidation. A kernel without arrays loads after kTlbi.
  kClearPages,    // of an unmap: the change of the page table is visible
  kLoadTargets,   // the array and its lock; nr_ats_masters
  kTlbi,          // TLBI of the range, CMD_SYNC
  kReadTargets,   // whose ATCs there are to invalidate
  kAtcInvDomain,  // ATC_INVs of the domain's attachments, CMD_SYNC
  kLeaveTargets,  // the array's lock, rcu_read_unlock
};
inline constexpr int kSteps = static_cast<int>(Step::kLeaveTargets) + 1;

// "install-ste", and the kernel function that it stands for.
absl::string_view StepName(Step step);
absl::string_view KernelFunction(Step step);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_STEP_H_
