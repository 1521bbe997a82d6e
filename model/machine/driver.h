#ifndef ATSFUZZ_MODEL_MACHINE_DRIVER_H_
#define ATSFUZZ_MODEL_MACHINE_DRIVER_H_

#include <array>
#include <span>

#include "model/machine/context.h"

// The SMMUv3 driver: how one function, or one PASID of it, gets from one domain
// to another, and how a domain is invalidated. The order of the steps is the
// design's (Programs); what each step does is here.
namespace atsfuzz::machine {

// The steps of each program of a design, ending with Step::kDone.
class Programs {
 public:
  explicit Programs(const Design& design);
  Step At(Program program, int pc) const {
    return steps_[static_cast<int>(program)][pc];
  }
  std::span<const Step> Of(Program program) const {
    return steps_[static_cast<int>(program)];
  }

 private:
  static constexpr int kLongest = 32;
  void Set(Program program, std::initializer_list<Step> steps);
  // Moves `step` of every program that has both to just before or after
  // `anchor`. Clearing a PASID and 6.1's detach keep their order.
  void MoveBefore(Step step, Step anchor);
  void MoveAfter(Step step, Step anchor);
  void Remove(Step step);

  std::array<std::array<Step, kLongest>, kProgramKinds> steps_{};
};

// Whether the step was done; kWait: a lock is held by another thread, try
// again; kRepeat: done, and it has more to do.
enum class Outcome : uint8_t { kNext, kRepeat, kWait, kFail };

// Runs a driver step of `c.thread`. kFail: thread.result says why, and the
// program ends.
Outcome DriverStep(Context& c, Step step);

// Starts an attach of thread.function (RID) from `old_domain` to `new_domain`.
void BeginAttach(Context& c, int f, Dom new_domain, Dom old_domain);
// Starts setting (new_domain paging) or clearing (kNoDomain) a PASID.
void BeginPasid(Context& c, int f, int ssid, Dom new_domain, Dom old_domain);
// Starts invalidating pages of a slot, or its whole tag.
void BeginInvalidation(Context& c, int slot, unsigned pages, bool whole);

// arm_smmu_probe_device and arm_smmu_release_device, but for the attach. Return
// values as the kernel's.
int InsertMaster(Context& c, int f);
int PrepareMasterAts(Context& c, int f);
void RemoveMaster(Context& c, int f);

// arm_smmu_domain_alloc and _finalise, into a slot that does not exist.
int AllocateDomain(Context& c, int slot, int smmu, int stage, bool finalise);
// arm_smmu_domain_finalise: page table and tag.
int FinaliseDomain(Context& c, int slot, int smmu, int stage);
// 6.1: a domain whose attach failed for want of a CD table's leaf remembers an
// ASID that it has given back.
void WarnOfLostAsid(Context& c, const Space& domain);
// The sequential part of freeing one: REQUIRES an invalidation before.
void FreeDomain(Context& c, int slot);

bool UsesPasids(const State& state, int f);
// What an attachment of (f, ssid) needs in the array of `slot`.
struct Needs;
Needs NeedsOf(const Context& c, int f, int ssid, int slot, bool ats);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_DRIVER_H_
