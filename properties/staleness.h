#ifndef ATSFUZZ_PROPERTIES_STALENESS_H_
#define ATSFUZZ_PROPERTIES_STALENESS_H_

#include "properties/command.h"
#include "properties/step.h"

// No translation outlives its mapping. Judged at rest, that is after the sync:
// a strict unmap has returned, a queued one was flushed, a detach has returned.
// An entry is fine if it agrees with what the domain maps now, or with a queued
// unmap that no flush has completed.
//
// no-stale-atc          At rest. Each entry of a function's ATC agrees with the
//   domain that the function is in, or its PASID (a nested domain: its parent);
//   in the identity domain, by S1DSS bypass, with itself; a default domain maps
//   the reserved regions of its group's functions onto themselves. A function
//   in no other domain, and a PASID that is not attached or is parked, has
//   none, whether ATS is on or off. Rule: PCIe 10.3.1 (ATC entries stay until
//   invalidated, disabling ATS does not empty the ATC); arm_smmu_atc_inv_domain
//   and arm_smmu_attach_commit (arm-smmu-v3.c).
// no-stale-iotlb        At rest. Each IOTLB entry whose tag some stream's STE
//   or CD (a PASID's too) selects agrees with the domain of that tag; entries
//   of a guest's stage 1 with the parent of its VMID. A tag of no live domain
//   has no entry: the domain was freed, and its tag may be given out again.
//   Where there are invalidation arrays, a tag that is in none has no entry
//   either. Rule: IHI 0070 section 3.17 (tags); arm_smmu_domain_free_paging, by
//   free_io_pgtable_ops; arm_smmu_install_old_domain_invs.
// no-dma-after-unmap    At each access of a device. It reaches what its stream
//   is mapped to (or unmapped by a queue that no flush has completed); itself
//   under identity; nothing otherwise. Rule: iommu_unmap's contract (iommu.c):
//   the caller frees the page next.
// What faults of the command queue excuse of these three: outages.h.
namespace atsfuzz::properties {

// True if every byte of the translation [iova, iova + size) -> physical lies in
// live or unflushed mappings of `domain` that lead there. Pages are
// 1 << page_shift bytes from model::kIovaBase on.
bool AgreesWith(const model::DomainState& domain, int page_shift, uint64_t iova,
                uint64_t physical, uint64_t size);

class Staleness {
 public:
  // A DMA event.
  void OnDma(const StepView& step, int index);
  // A DMA event: where it went agrees with the contract.
  static bool IsLegal(const StepView& step, int index);
  void AtRest(const StepView& step);

 private:
  void CheckAtcEntry(const StepView& step, const atsfuzz_atc_entry& entry);
  void CheckIotlbEntry(const StepView& step, const atsfuzz_iotlb_entry& entry);
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_STALENESS_H_
