#ifndef ATSFUZZ_PROPERTIES_ENTRIES_H_
#define ATSFUZZ_PROPERTIES_ENTRIES_H_

#include <array>

#include "properties/step.h"

// How stream table entries change, and when they must not.
//
// hitless-where-promised    Always. A stream table entry that changes in one
//   critical word at most (EATS, S1DSS, MEV, SHCFG, ...), or from or to abort
//   or bypass, is never seen with V=0. Two critical words (stage 1 <-> stage 2,
//   one stage 2 <-> another) may pass through V=0. Each V=0 window is judged by
//   the entries on its two sides. Rule: arm_smmu_write_entry (arm-smmu-v3.c),
//   arm-smmu-v3-test.c; IHI 0070 section 3.21.3.
// failed-operation-changes-nothing   At rest, after an error return of an
//   operation that may fail: stream table entries, the CDs that they select,
//   CDs of PASIDs, belief, counters, attachments of RIDs and PASIDs, live
//   entries of invalidation arrays, ATS and PASID bits and the driver's record
//   are as before. No change: a second-level stream table that appeared (abort
//   entries), a CD that is kept but not selected, a PF's STU, a page table.
//   Must-succeed operations are excluded, and a rollback that is one and
//   failed. Rule: iommu_attach_group's contract, __iommu_group_set_domain_
//   internal and iommu_setup_default_domain (iommu.c).
namespace atsfuzz::properties {

class Entries {
 public:
  // An STE_WRITE, `replay` not yet advanced over it.
  void OnSteWrite(const StepView& step, const Replay& replay, int index);
  void AtRest(const StepView& step);

 private:
  struct Window {
    int event = -1;  // the write of V=0; -1: the entry is valid
    Entry before;
  };
  void CheckStream(const StepView& step, int f, int s);
  void CheckFunction(const StepView& step, int f);
  void CheckDomain(const StepView& step, int slot);

  std::array<Window, kStreamSlots> windows_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ENTRIES_H_
