#ifndef ATSFUZZ_MODEL_MACHINE_DESIGN_H_
#define ATSFUZZ_MODEL_MACHINE_DESIGN_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The design choices of the attach protocol, as switches of the abstract
// machine. A kernel version is a set of choices; so is a design that nobody has
// written yet.
namespace atsfuzz::machine {

// The shape of an attach (protocol: by generation).
enum class Attach : uint8_t {
  kOnePhase,  // 6.1: detach first, then attach (one_phase.h)
  kTwoPhase,  // 6.12: prepare, install, commit; a counter and a list
  kArrays,    // 7.1: two phases, and an invalidation array for each domain
};

// What a probe does when pci_prepare_ats fails.
enum class PrepareFailure : uint8_t {
  kIgnored,  // 6.12: the result is not looked at
  kFatal,    // the seed: returned as it is; what was set up stays
  kUnwound,  // 7.2: PASID off, streams removed, memory freed
};

// What a commit does when pci_enable_ats fails.
enum class EnableFailure : uint8_t {
  kBelieved,       // every kernel so far: belief = want
  kFollowsDevice,  // belief = what the function says; nothing else
  kRolledBack,     // also EATS off again, and count and entries of this
                   // attachment withdrawn
  kRetried,        // rolled back, and every later attach tries again although
                   // nothing about the attachment changes
};

struct Design {
  Attach attach = Attach::kTwoPhase;

  // ---- drivers/pci/ats.c
  bool prepares = true;          // there is a pci_prepare_ats (6.2+)
  bool support_asks_pf = false;  // pci_ats_supported of a VF asks its PF too
  bool vf_stu_check = false;     // pci_prepare_ats of a VF checks the PF's STU

  // ---- arm_smmu_probe_device, arm_smmu_enable_ats
  bool prepare_if_supported = false;  // asks arm_smmu_ats_supported first
  PrepareFailure prepare_failure = PrepareFailure::kIgnored;
  bool requires_ats = false;  // functions that require ATS have it always on
  EnableFailure enable_failure = EnableFailure::kBelieved;
  bool enable_failure_warns = false;

  // ---- Order of the steps of an attach; true is what Linux does.
  bool count_before_enable = true;    // prepare counts, not commit
  bool arrays_before_ste = true;      // arrays: published before the STE
  bool eats_before_enable = true;     // the STE before pci_enable_ats
  bool disable_before_ste = true;     // pci_disable_ats before EATS off
  bool list_before_belief = true;     // leave the old list, then believe
  bool invalidate_on_disable = true;  // ATC_INV when ATS is switched off
  bool invalidate_on_replace = true;  // ATC_INV when ATS stays on
  // ---- Order of an invalidation.
  bool tlbi_before_atc_inv = true;
  // The change of the page table is visible to the SMMU before the array, or
  // nr_ats_masters, is loaded: smp_mb().
  bool barrier_before_load = true;
  // ---- Arrays.
  bool flushes_dropped_tag = true;     // TLBI of a tag whose users fell to 0
  bool unrefs_published_array = true;  // re-attach: unref from the new array
  bool merges_before_scratch_reuse = true;
  bool trims_under_lock = true;     // waits for those who walk the array
  bool frees_after_readers = true;  // kfree_rcu

  bool operator==(const Design&) const = default;
};

// A switch by its name in `model:7.2,vf-stu-check=off`.
struct Switch {
  absl::string_view name;                 // "vf-stu-check"
  std::vector<absl::string_view> values;  // "off", "on"; in order of the enum
  absl::string_view meaning;              // one line for --help
  // Index into values of a design's choice, and the choice by index.
  int (*get)(const Design& design);
  void (*set)(Design& design, int value);
};
std::span<const Switch> Switches();

// "6.1", "6.12", "7.2", "7.3", "seed" (6.12 with v4 3/5 alone).
std::span<const absl::string_view> Presets();

// "6.12", "7.2,vf-stu-check=off". InvalidArgument names what is unknown and
// what there is.
absl::StatusOr<Design> ParseDesign(absl::string_view text);

// The shortest text that ParseDesign reads as `design`: the nearest preset and
// the switches that differ.
std::string DesignName(const Design& design);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_DESIGN_H_
