#ifndef ATSFUZZ_PROPERTIES_INVALIDATIONS_H_
#define ATSFUZZ_PROPERTIES_INVALIDATIONS_H_

#include <array>
#include <bitset>
#include <cstdint>

#include "model/limits.h"
#include "properties/command.h"
#include "properties/step.h"

// invalidations-exact   Per sync. Precisely the TLBIs and ATC_INVs that an
//   operation needs:
//   - a strict unmap: TLBIs of the domain's tag that cover the range, then an
//     ATC_INV for each stream of each attached function whose ATS is on, over
//     the smallest naturally aligned power of two that covers what the TLBIs
//     before it did; nothing beyond the range, no other tag, no other stream;
//   - a queued unmap: nothing for its pages; walk caches of a table that was
//     freed, by TLBIs that are not leaf-only, and their ATC_INVs;
//   - a map: the same for an empty table that a block replaces; one that fails
//     midway unmaps what it had mapped;
//   - a flush after queued unmaps: the whole tag, and everything in each such
//     ATC;
//   - whatever attaches, detaches or releases a function may send ATC_INV to
//     that function, ATS on or off, and to no other;
//   - a device's access, a domain's allocation or its end: no ATC_INV; freeing
//     a domain sends TLBIs of no tag but its own.
//   An unmap of a domain that is attached nowhere still sends its TLBIs. No
//   ATC_INV goes at rest to a function whose ATS is off: it would run into the
//   invalidation timeout. Rule: arm_smmu_iotlb_sync, arm_smmu_tlb_inv_walk,
//   arm_smmu_atc_inv_to_cmd and arm_smmu_atc_inv_domain (arm-smmu-v3.c),
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
  using Pages = std::bitset<ATSFUZZ_MAX_PAGES>;
  // What an invalidation has reached so far.
  struct Coverage {
    bool whole = false;
    bool any = false;
    Pages pages;
  };

  void BeginPages(const StepView& step);
  void OnTlbi(const StepView& step, int index);
  void OnPageTlbi(const StepView& step, int index, const TlbInvalidation& tlbi);
  void OnAtcInv(const StepView& step, int index);
  void OnPageAtcInv(const StepView& step, int index,
                    const AtcInvalidation& inv);
  void CheckAtcRange(const StepView& step, int index, StreamSlot slot,
                     const AtcInvalidation& inv);
  bool Covered(const Coverage& coverage) const;
  void Cover(Coverage& coverage, const Range& range) const;
  // The bytes that a TLBI of one address reaches in this operation.
  Range Reach(const StepView& step, const TlbInvalidation& tlbi) const;

  Mode mode_ = kUnjudged;
  // Of kPages:
  int domain_ = 0, smmu_ = 0, page_shift_ = 12;
  Range range_;            // the operation's bytes; all for a flush
  bool is_flush_ = false;  // the whole tag is wanted
  // A map that failed midway: iommu_map unmaps what it had mapped, nobody tells
  // how much and in which blocks.
  bool is_unrolled_map_ = false;
  uint8_t targets_ = 0;     // bit f: attached to the domain, ATS on
  bool after_atc_ = false;  // the next TLBI begins a new sync
  // What the TLBIs of the current sync name.
  bool sync_whole_ = false;
  Range sync_range_;
  Coverage tlb_;
  std::array<Coverage, kStreamSlots> atc_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_INVALIDATIONS_H_
