#ifndef ATSFUZZ_PROPERTIES_INVALIDATIONS_H_
#define ATSFUZZ_PROPERTIES_INVALIDATIONS_H_

#include "properties/atc_targets.h"
#include "properties/command.h"
#include "properties/page_sync.h"
#include "properties/step.h"

// invalidations-exact   Per sync. Precisely the TLBIs and ATC_INVs that an
//   operation needs:
//   - a strict unmap: TLBIs of the domain's tag that cover the range, then an
//     ATC_INV for each stream of each attached function whose ATS is on, over
//     the smallest naturally aligned power of two that covers what the TLBIs
//     before it did; nothing beyond the range, no other tag, no other stream.
//     An attachment of a PASID needs one with that PASID; one without PASID
//     empties its entries too, but is exact only for an attached RID;
//   - of a nesting parent: after the TLBIs of its VMID and their CMD_SYNC one
//     of the whole stage 1 of its guests (none after TLBI_S12_VMALL, which does
//     both), and ATC_INVs of everything: all with arrays, earlier for nested
//     functions only;
//   - a queued unmap: nothing for its pages; walk caches of a table that was
//     freed, by TLBIs that are not leaf-only, and their ATC_INVs;
//   - a map: the same for an empty table that a block replaces; one that fails
//     midway unmaps what it had mapped;
//   - a flush after queued unmaps: the whole tag, and everything in each such
//     ATC;
//   - whatever attaches, detaches, resets or releases a function may send
//     ATC_INV to the functions of its group, ATS on or off, and to no other;
//   - a device's access, a domain's allocation or its end: no ATC_INV; freeing
//     a domain sends TLBIs of no tag but its own.
//   An unmap of a domain that is attached nowhere still sends its TLBIs; with
//   invalidation arrays (7.1+) it sends none. No
//   ATC_INV goes at rest to a function whose ATS is off: it would run into the
//   invalidation timeout. Rule: arm_smmu_iotlb_sync, arm_smmu_tlb_inv_walk,
//   arm_smmu_atc_inv_to_cmd, arm_smmu_atc_inv_domain and
//   __arm_smmu_domain_inv_range (arm-smmu-v3.c),
//   __arm_lpae_unmap (io-pgtable-arm.c); IHI 0070 sections 4.4 and 4.5.1; PCIe
//   10.3.1 and 10.3.7.
namespace atsfuzz::properties {

class Invalidations {
 public:
  void Begin(const StepView& step);
  // A COMMAND.
  void OnCommand(const StepView& step, int index);
  void AtRest(const StepView& step);

 private:
  enum Mode : uint8_t {
    kUnjudged,    // boot, shutdown
    kPages,       // map, unmap, flush of a domain
    kAttachment,  // whatever concerns one function's attachment
    kNothing,     // no ATC_INV at all
  };
  void BeginPages(const StepView& step);
  void OnTlbi(const StepView& step, int index);
  void OnPageTlbi(const StepView& step, int index, const TlbInvalidation& tlbi);
  void OnAtcInv(const StepView& step, int index);
  void CheckUnasked(const StepView& step, int index,
                    const TlbInvalidation& tlbi);
  // Stage 1 of the guests above a nesting parent.
  void OnGuestClear(const StepView& step, int index);
  void CheckGuestClear(const StepView& step, int index);
  // The bytes that a TLBI of one address reaches in this operation.
  Range Reach(const StepView& step, const TlbInvalidation& tlbi) const;

  Mode mode_ = kUnjudged;
  // Of kPages:
  PageSync sync_;
  Coverage tlb_;
  AtcTargets atc_;
  bool after_atc_ = false;    // the next TLBI begins a new sync
  bool wants_clear_ = false;  // TLBIs of the VMID are followed by one of guests
  bool clear_is_due_ = false;
  bool tlbi_unsynced_ = false;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_INVALIDATIONS_H_
