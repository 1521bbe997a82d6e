#include "linux/coverage.h"

namespace atsfuzz::linux_driver {
namespace {

// Why no scenario reaches all of a function, as its source and what is emulated
// around it say. What a short run or one without faults misses beside that has
// no reason here.
struct Reason {
  absl::string_view function, sentence;
};

constexpr char kBecauseE2h[] =
    "the emulated SMMU has neither E2H nor the override of attributes";
constexpr char kBecauseStrtab[] =
    "the emulated SMMU has a two-level stream table, and it is made at "
    "boot, where no fault is injected";
constexpr char kBecauseRmr[] =
    "no machine has reserved memory that firmware maps for a stream";
constexpr char kBecauseUser[] =
    "only iommufd asks for such a domain; dirty tracking is not driven";
constexpr char kBecauseFinalise[] =
    "dirty tracking is not driven, and no domain has another stage than 1 "
    "or 2";
constexpr char kBecauseProbe[] =
    "the core asks only for functions behind an SMMU and once at a time; no "
    "function can stall";
constexpr char kBecauseRelease[] =
    "no function has a directly mapped region, and I/O page faults are not "
    "driven";
constexpr char kBecauseRemove[] =
    "the driver always has the streams of a master that it removes";
constexpr char kBecauseInit[] =
    "enumeration belongs to the PCI core, which is emulated";
constexpr char kBecauseGuards[] =
    "guards against callers' mistakes that the driver does not make: no ATS "
    "capability, or a page below 4 KiB";
constexpr char kBecauseRestore[] =
    "only a reset restores it: some kernels' resets are not driven, the "
    "others' switch ATS off first";
constexpr char kBecauseOther[] =
    "no caller among what is compiled: other IOMMU drivers use it";
constexpr char kBecauseNoCaller[] =
    "its callers are device drivers and frameworks; the operations take "
    "another entry into the same path";
constexpr char kBecauseBus[] =
    "the driver core calls it when a device driver binds; no driver is "
    "bound to the functions";
constexpr char kBecauseClaim[] =
    "guards against callers' mistakes: an owner that is no owner";
constexpr char kBecausePasidArguments[] =
    "guards against callers' mistakes: a PASID out of range, a domain "
    "without the operation";
constexpr char kBecauseHandles[] =
    "only iommufd attaches with handles: here the domains of guests, one "
    "handle a group";
constexpr char kBecauseMax[] =
    "platform functions have no PASIDs in any machine";
constexpr char kBecauseDirect[] =
    "no function has a directly mapped region or a deferred attach";
constexpr char kBecauseNoOperation[] =
    "the driver has the operation that its absence is guarded against";
constexpr char kBecauseGroup[] =
    "a guard against a group that somebody else attached, which the "
    "operations' contracts exclude";
constexpr char kBecauseSetup[] =
    "no function has a directly mapped region, so nothing of it can fail or "
    "be restored";
constexpr char kBecauseType[] =
    "the driver asks for no type of its own, so there is none to disagree "
    "with";
constexpr char kBecauseDefaultDomain[] =
    "the driver has no static default domain, and the command line asks for "
    "no other type";
constexpr char kBecauseBlocked[] =
    "the driver has a blocked domain, so the fallback is never needed";
constexpr char kBecausePasidGuards[] =
    "guards against calls that the driver does not make: it asks for the "
    "features first, and a VF's PASID is its PF's";
constexpr char kBecauseFlags[] =
    "only iommufd asks for the other kinds of domain; dirty tracking is not "
    "driven";
constexpr char kBecauseNested[] =
    "I/O page faults and enforced coherency are not driven";
constexpr char kBecauseArray[] =
    "the emulated SMMU has no E2H, and the rest are guards against domains of "
    "no stage";
constexpr char kBecauseBatch[] = "a domain belongs to one SMMU";
constexpr char kBecauseFwb[] =
    "the emulated SMMU has neither S2FWB nor the override of attributes";
constexpr char kBecauseCxl[] = "no function has the capability of CXL";

constexpr char kBecauseCdTable[] =
    "a guard: callers have made sure that there is a CD table";

constexpr char kBecauseNewDomain[] =
    "a guard: only an attach to a domain that has an array comes here";

constexpr char kBecauseAttach[] =
    "the core asks only for functions behind an SMMU, and no paging domain has "
    "another stage than 1 or 2";

constexpr char kBecauseResetBegin[] =
    "guards: a function that has an IOMMU has a group, and the blocked domain "
    "takes every function";

constexpr char kBecauseResetEnd[] =
    "guards against callers' mistakes, and functions that share a RID, which "
    "no machine has";

constexpr char kBecauseFreePasid[] =
    "a guard: nobody gives back a PASID that he has not";

constexpr Reason kReasons[] = {
    {"__iommu_attach_device", kBecauseNoOperation},
    {"__iommu_attach_group", kBecauseGroup},
    {"__iommu_device_set_domain", kBecauseDirect},
    {"__iommu_group_alloc_blocking_domain", kBecauseBlocked},
    {"__iommu_release_dma_ownership", kBecauseClaim},
    {"__iommu_take_dma_ownership", kBecauseClaim},
    {"arm_smmu_attach_dev", kBecauseAttach},
    {"arm_smmu_attach_prepare", kBecauseNested},
    {"arm_smmu_domain_alloc_paging_flags", kBecauseFlags},
    {"arm_smmu_domain_alloc_user", kBecauseUser},
    {"arm_smmu_domain_finalise", kBecauseFinalise},
    {"arm_smmu_get_cd_ptr", kBecauseCdTable},
    {"arm_smmu_get_step_for_sid", kBecauseStrtab},
    {"arm_smmu_init_sid_strtab", kBecauseStrtab},
    {"arm_smmu_init_strtab", kBecauseStrtab},
    {"arm_smmu_init_strtab_2lvl", kBecauseStrtab},
    {"arm_smmu_init_strtab_linear", kBecauseStrtab},
    {"arm_smmu_install_new_domain_invs", kBecauseNewDomain},
    {"arm_smmu_invs_end_batch", kBecauseBatch},
    {"arm_smmu_make_bypass_ste", kBecauseE2h},
    {"arm_smmu_make_cdtable_ste", kBecauseE2h},
    {"arm_smmu_make_s2_domain_ste", kBecauseFwb},
    {"arm_smmu_master_build_inv", kBecauseArray},
    {"arm_smmu_master_build_invs", kBecauseArray},
    {"arm_smmu_probe_device", kBecauseProbe},
    {"arm_smmu_release_device", kBecauseRelease},
    {"arm_smmu_remove_master", kBecauseRemove},
    {"arm_smmu_rmr_install_bypass_ste", kBecauseRmr},
    {"arm_smmu_write_strtab", kBecauseStrtab},
    {"dev_iommu_get_max_pasids", kBecauseMax},
    {"iommu_attach_device", kBecauseNoCaller},
    {"iommu_attach_device_pasid", kBecausePasidArguments},
    {"iommu_attach_group_handle", kBecauseHandles},
    {"iommu_attach_handle_get", kBecauseHandles},
    {"iommu_deferred_attach", kBecauseNoCaller},
    {"iommu_device_claim_dma_owner", kBecauseNoCaller},
    {"iommu_device_release_dma_owner", kBecauseNoCaller},
    {"iommu_device_unuse_default_domain", kBecauseBus},
    {"iommu_device_use_default_domain", kBecauseBus},
    {"iommu_free_global_pasid", kBecauseFreePasid},
    {"iommu_get_default_domain_type", kBecauseType},
    {"iommu_group_alloc_default_domain", kBecauseDefaultDomain},
    {"iommu_group_claim_dma_owner", kBecauseClaim},
    {"iommu_group_default_domain", kBecauseNoCaller},
    {"iommu_group_dma_owner_claimed", kBecauseNoCaller},
    {"iommu_replace_device_pasid", kBecausePasidArguments},
    {"iommu_setup_default_domain", kBecauseSetup},
    {"pci_ats_init", kBecauseInit},
    {"pci_ats_page_aligned", kBecauseOther},
    {"pci_ats_queue_depth", kBecauseOther},
    {"pci_cxl_ats_required", kBecauseCxl},
    {"pci_dev_reset_iommu_done", kBecauseResetEnd},
    {"pci_dev_reset_iommu_prepare", kBecauseResetBegin},
    {"pci_disable_pasid", kBecausePasidGuards},
    {"pci_enable_ats", kBecauseGuards},
    {"pci_enable_pasid", kBecausePasidGuards},
    {"pci_pasid_init", kBecauseInit},
    {"pci_pasid_status", kBecauseOther},
    {"pci_prepare_ats", kBecauseGuards},
    {"pci_prg_resp_pasid_required", kBecauseOther},
    {"pci_restore_ats_state", kBecauseRestore},
    {"pci_restore_pasid_state", kBecauseRestore},
};

}  // namespace

absl::string_view ReasonFor(absl::string_view function) {
  for (const Reason& reason : kReasons) {
    if (reason.function == function) return reason.sentence;
  }
  return "no reason known";
}

}  // namespace atsfuzz::linux_driver
