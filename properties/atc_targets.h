#ifndef ATSFUZZ_PROPERTIES_ATC_TARGETS_H_
#define ATSFUZZ_PROPERTIES_ATC_TARGETS_H_

#include <array>
#include <cstdint>

#include "properties/command.h"
#include "properties/page_sync.h"
#include "properties/step.h"

// The part of invalidations-exact (invalidations.h) that is about ATCs: what an
// operation on a domain's pages must send to whom. A *target* is an attachment
// of the domain, of a RID or a PASID, whose function has ATS on.
namespace atsfuzz::properties {

class AtcTargets {
 public:
  void Begin(const StepView& step, const PageSync& sync);
  void OnAtcInv(const StepView& step, const PageSync& sync, int index,
                const AtcInvalidation& inv);
  // Each target must have been covered.
  void AtRest(const StepView& step, const PageSync& sync);

  // A RID or PASID is attached, ATS on or off; a nested function is.
  bool is_attached() const { return is_attached_; }
  bool has_guest() const { return has_guest_; }

 private:
  uint32_t PasidOf(const StepView& step, int f, int target) const;
  int TargetOf(const StepView& step, int f, uint32_t pasid) const;
  void CheckCovered(const StepView& step, const PageSync& sync, int f,
                    int target);

  bool is_attached_ = false, has_guest_ = false;
  // By function: bit 0 its RID, bit i + 1 the i-th of its PASIDs.
  std::array<uint8_t, ATSFUZZ_MAX_FUNCTIONS> targets_;
  // By stream and bit of its function's targets.
  std::array<std::array<Coverage, 1 + ATSFUZZ_MAX_SUBSTREAMS>, kStreamSlots>
      atc_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ATC_TARGETS_H_
