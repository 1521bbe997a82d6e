#ifndef ATSFUZZ_PROPERTIES_ARRAYS_H_
#define ATSFUZZ_PROPERTIES_ARRAYS_H_

#include "properties/step.h"

// The invalidation arrays of 7.1 and later. A domain that has none (an earlier
// kernel, a nested domain) is not judged. An entry is *live* while it has
// users, trash afterwards.
//
// array-covers-attachments   At rest. The live entries of a domain are exactly
//   what its attachments need, nested ones among their parent's:
//   - one of the domain's tag (S1_ASID, S2_VMID), and for a nesting parent one
//     that clears its guests' stage 1 (S2_VMID_S1_CLEAR), each with as many
//     users as there are attachments, of RIDs and of PASIDs; none without any;
//   - for each attachment whose function has ATS on, one for each stream id
//     that the function lists (two for an id listed twice), with the
//     attachment's PASID; ATS_FULL for a nesting parent, ATS for any other.
//   Rule: arm_smmu_master_build_invs, arm_smmu_attach_prepare_invs
//   (arm-smmu-v3.c).
// array-well-formed          Whenever an observation is seen. Entries are
//   sorted by SMMU, type, id and, for ATS entries, PASID; neighbours are equal
//   only for a stream id that a function lists twice; num_invs <= max_invs; a
//   live ATS entry implies has_ats; num_trashes is the number of trash entries
//   below num_invs; users are never negative. Rule: arm_smmu_inv_cmp,
//   arm_smmu_invs_unref, arm_smmu_invs_purge; struct arm_smmu_invs
//   (arm-smmu-v3.h).
// representations-agree      At rest. nr_ats_masters == distinct (master,
//   PASID) with a live ATS entry == attachments on the domain's list whose
//   function has ATS on. Rule: arm_smmu_attach_prepare keeps the three side by
//   side.
namespace atsfuzz::properties {

class Arrays {
 public:
  void AtRest(const StepView& step);

 private:
  void CheckDomain(const StepView& step, int slot);
  void CheckWellFormed(const StepView& step, int slot);
  void CheckTag(const StepView& step, int slot, uint8_t type, int needed);
  void CheckAts(const StepView& step, int slot);
  void CheckAtsOf(const StepView& step, int slot, uint32_t stream,
                  uint32_t pasid, int f);
  void CheckAgreement(const StepView& step, int slot);
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ARRAYS_H_
