#ifndef ATSFUZZ_PROPERTIES_ATTACHMENT_H_
#define ATSFUZZ_PROPERTIES_ATTACHMENT_H_

#include "properties/step.h"

// Where traffic goes, who owns it, and what is left at the end.
//
// attachment-as-returned   At rest. Each stream of a probed function goes
//   through exactly what the last successful operation gave the function:
//   blocked (abort), identity (bypass), its group's DMA domain, or a declared
//   domain, by stage, tag and table: a nested one by what the guest asked for
//   (stage 1 above the parent, the parent alone, abort). Blocked and identity
//   may be a CD table's S1DSS. Each PASID that the function has goes through
//   its domain, by the context descriptor of a CD table in use, and no other
//   PASID has one. A function in a reset that the core takes note of is blocked
//   and has no PASID. A stream of no probed function is aborted, or
//   bypassed if a function with a reserved region lists it. Rule:
//   iommu_attach_group, iommu_attach_device_pasid,
//   iommu_group_claim_dma_owner, pci_dev_reset_iommu_prepare and their like
//   (iommu.c); arm_smmu_release_device (arm-smmu-v3.c),
//   arm_smmu_make_nested_domain_ste (arm-smmu-v3-iommufd.c).
// streams-resolve          At rest. Each stream id of a probed function leads
// to
//   its master; an id of no probed function leads to none. Rule:
//   arm_smmu_insert_master, arm_smmu_remove_master, arm_smmu_find_master, which
//   an event of that stream asks.
// tags-unique              At rest. ASIDs of live stage-1 domains are unique,
// in
//   the machine; VMIDs of live stage-2 domains on each SMMU. Rule:
//   arm_smmu_asid_xa, arm_smmu_device.vmid_map; IHI 0070 section 3.17.
// no-leak                  After Shutdown. No allocation but devm memory, no
//   node of a stream tree, ATS and PASID off. Rule: iommu_deinit_device,
//   arm_smmu_release_device.
namespace atsfuzz::properties {

class Attachment {
 public:
  void AtRest(const StepView& step);
  void AtEnd(const StepView& step);

 private:
  void CheckStream(const StepView& step, int f, int s);
  void CheckDomainOf(const StepView& step, StreamSlot slot, int domain,
                     bool nested);
  void CheckPasids(const StepView& step, int f);
  void CheckPasid(const StepView& step, int f, const model::PasidState& state);
  void CheckUnowned(const StepView& step, int f, int s);
  void CheckMaster(const StepView& step, int f, int s);
  void CheckTags(const StepView& step);
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ATTACHMENT_H_
