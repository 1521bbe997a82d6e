#ifndef ATSFUZZ_PROPERTIES_ATS_STATE_H_
#define ATSFUZZ_PROPERTIES_ATS_STATE_H_

#include <array>

#include "properties/step.h"

// What driver, SMMU and function hold to be true of a function's ATS.
//
// belief-matches-device     At rest. The record's ats_enabled equals the
//   function's ATS enable bit: arm_smmu_atc_inv_domain asks the former to
//   whom to send ATC_INV, pci_disable_ats WARNs about the latter.
//   Rule: arm_smmu_attach_commit (arm-smmu-v3.c), pci_enable_ats (ats.c).
// count-matches-devices     At rest. nr_ats_masters of a domain equals the
//   number of attachments on its list, of RIDs and of PASIDs, nested ones on
//   the parent's, whose function has ATS on, and is never negative. Rule:
//   arm_smmu_atc_inv_domain skips ATC_INV at 0.
// translation-before-ats    Always. While a function's ATS is on, each of its
//   stream table entries is valid, translates and has EATS on; or V=0 inside a
//   replacement that ends with EATS on. Rule: IHI 0070 section 5.2 (EATS) and
//   3.9.1.2: otherwise F_BAD_ATS_TREQ and F_TRANSL_FORBIDDEN;
//   arm_smmu_attach_prepare's comment (arm-smmu-v3.c).
// pasid-then-ats            Always. The PASID enable bit changes only while ATS
//   is off. Rule: PCIe 10.5.1.3, ATS Control Register; arm_smmu_probe_device.
// stu-matches-granule       At rest. ATS on implies that the STU of the
//   function (of the PF, for a VF) is the smallest granule of its SMMU. Rule:
//   PCIe 10.5.1.3 (a VF uses its PF's STU); pci_prepare_ats (ats.c).
namespace atsfuzz::properties {

class AtsState {
 public:
  void Begin();
  // A STE_WRITE or CONFIG_WRITE, `replay` already advanced over it.
  void OnChange(const StepView& step, const Replay& replay, int index);
  // A CONFIG_WRITE, `replay` not yet advanced over it.
  void OnConfigWrite(const StepView& step, const Replay& replay, int index);
  void AtRest(const StepView& step);

 private:
  // Replacements that have ended with EATS on: what comes later, in the same
  // step, is another one's.
  void CloseWindows(const StepView& step, const Replay& replay);
  void CheckTranslation(const StepView& step, const Replay& replay, int f,
                        int index);
  void CheckBelief(const StepView& step, int f);
  void CheckStu(const StepView& step, int f);
  void CheckCount(const StepView& step, int slot);

  // First event at which ATS was on above V=0, by slot; -1: none. Meaningless
  // unless any_interrupted_.
  std::array<int, kStreamSlots> interrupted_;
  bool any_interrupted_ = false;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ATS_STATE_H_
