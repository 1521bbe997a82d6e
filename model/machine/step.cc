#include "model/machine/step.h"

#include <array>

namespace atsfuzz::machine {
namespace {

struct Names {
  Step step;
  absl::string_view name, function;
};

constexpr std::array<Names, kSteps> kNames = {{
    {Step::kDone, "done", ""},
    {Step::kBegin, "begin", ""},
    {Step::kProbeMaster, "probe-master", "arm_smmu_insert_master"},
    {Step::kProbePasid, "probe-pasid", "arm_smmu_enable_pasid"},
    {Step::kProbePrepareAts, "prepare-ats", "arm_smmu_probe_device"},
    {Step::kProbeGroup, "probe-group", "iommu_init_device"},
    {Step::kProbeAttach, "probe-attach", "iommu_setup_default_domain"},
    {Step::kProbeJoin, "probe-join", "__iommu_probe_device"},
    {Step::kProbeEnd, "probe-end", "__iommu_probe_device"},
    {Step::kReleaseBegin, "release-begin", "__iommu_group_remove_device"},
    {Step::kReleaseMaster, "release-master", "arm_smmu_release_device"},
    {Step::kReleaseGroup, "release-group", "iommu_deinit_device"},
    {Step::kSetDomain, "set-domain", "__iommu_group_set_domain_internal"},
    {Step::kNextDevice, "next-device", "__iommu_group_set_domain_internal"},
    {Step::kDeviceDone, "device-done", "__iommu_device_set_domain"},
    {Step::kNextRevert, "next-revert", "__iommu_group_set_domain_internal"},
    {Step::kRevertDone, "revert-done", "__iommu_group_set_domain_internal"},
    {Step::kGroupDone, "group-done", "__iommu_group_set_domain_internal"},
    {Step::kPasidNext, "pasid-next", "__iommu_set_group_pasid"},
    {Step::kPasidDone, "pasid-done", "__iommu_set_group_pasid"},
    {Step::kPasidRevert, "pasid-revert", "__iommu_set_group_pasid"},
    {Step::kPasidRevertDone, "pasid-revert-done", "__iommu_set_group_pasid"},
    {Step::kResetParkRid, "park-rid", "pci_dev_reset_iommu_prepare"},
    {Step::kResetParkPasids, "park-pasids", "pci_dev_reset_iommu_prepare"},
    {Step::kResetFunction, "reset-function", "pcie_flr"},
    {Step::kResetRestoreRid, "restore-rid", "pci_dev_reset_iommu_done"},
    {Step::kResetRestorePasids, "restore-pasids", "pci_dev_reset_iommu_done"},
    {Step::kMap, "map", "iommu_map"},
    {Step::kUnmap, "unmap", "iommu_unmap"},
    {Step::kFlush, "flush", "iommu_flush_iotlb_all"},
    {Step::kAccess, "access", ""},
    {Step::kDomainNew, "domain-new", "iommu_paging_domain_alloc"},
    {Step::kDomainFree, "domain-free", "iommu_domain_free"},
    {Step::kCheckDomain, "check-domain", "arm_smmu_attach_dev"},
    {Step::kAllocCdTable, "alloc-cd-table", "arm_smmu_alloc_cd_ptr"},
    {Step::kLockAsid, "lock-asid", "arm_smmu_attach_dev"},
    {Step::kPredict, "predict", "arm_smmu_attach_prepare"},
    {Step::kMerge, "merge", "arm_smmu_invs_merge"},
    {Step::kAllocAttachment, "alloc-attachment", "arm_smmu_attach_prepare"},
    {Step::kCount, "count", "arm_smmu_attach_prepare"},
    {Step::kList, "list", "arm_smmu_attach_prepare"},
    {Step::kPublish, "publish", "arm_smmu_install_new_domain_invs"},
    {Step::kDisableAts, "disable-ats", "arm_smmu_attach_prepare"},
    {Step::kInstallCd, "install-cd", "arm_smmu_write_cd_entry"},
    {Step::kInstallSte, "install-ste", "arm_smmu_install_ste_for_dev"},
    {Step::kClearCd, "clear-cd", "arm_smmu_clear_cd"},
    {Step::kInvalidateAtc, "invalidate-atc", "arm_smmu_atc_inv_master"},
    {Step::kEnableAts, "enable-ats", "arm_smmu_enable_ats"},
    {Step::kLeaveList, "leave-list", "arm_smmu_remove_master_domain"},
    {Step::kUncount, "uncount", "arm_smmu_remove_master_domain"},
    {Step::kUnref, "unref", "arm_smmu_invs_unref"},
    {Step::kFlushTag, "flush-tag", "arm_smmu_inv_flush_iotlb_tag"},
    {Step::kPurge, "purge", "arm_smmu_invs_purge"},
    {Step::kBelieve, "believe", "arm_smmu_attach_commit"},
    {Step::kUndoEnable, "undo-enable", "arm_smmu_attach_commit"},
    {Step::kUnlockAsid, "unlock-asid", "arm_smmu_attach_dev"},
    {Step::kDowngrade, "downgrade", "arm_smmu_remove_dev_pasid"},
    {Step::kClearPages, "clear-pages", "iommu_unmap"},
    {Step::kLoadTargets, "load-targets", "arm_smmu_domain_inv_range"},
    {Step::kTlbi, "tlbi", "arm_smmu_domain_inv_range"},
    {Step::kReadTargets, "read-targets", "arm_smmu_domain_inv_range"},
    {Step::kAtcInvDomain, "atc-inv-domain", "arm_smmu_domain_inv_range"},
    {Step::kLeaveTargets, "leave-targets", "arm_smmu_domain_inv_range"},
}};

constexpr bool InOrder() {
  for (int i = 0; i < kSteps; ++i) {
    if (kNames[i].step != static_cast<Step>(i)) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

absl::string_view StepName(Step step) {
  return kNames[static_cast<int>(step)].name;
}

absl::string_view KernelFunction(Step step) {
  return kNames[static_cast<int>(step)].function;
}

}  // namespace atsfuzz::machine
