#ifndef ATSFUZZ_PROPERTIES_WARNINGS_H_
#define ATSFUZZ_PROPERTIES_WARNINGS_H_

#include "properties/step.h"

// What the kernel, the runtime or a stopped clock says of itself.
//
// no-warning            Always. No WARN, BUG or oops. Rule: coding-style.rst,
//   "Do not crash the kernel": a WARN is for what must not happen. A
//   must-succeed attach that fails under `alloc` WARNs in
//   __iommu_group_set_domain_nofail (iommu.c) by design; it has an aspect of
//   its own, "must-succeed attach failed under alloc".
// memory-safe           Always. No use after free, double free or overflow that
//   the runtime noticed (sanitizer reports end the process and are found
//   there).
// lock-discipline       Always. What lockdep checks: a lock that is declared to
// be
//   held is; locks of two kinds are taken in one order everywhere (of a run),
//   and no two of a kind at once unless the source says so; what is released
//   is held, and nothing is held when an operation returns; nothing sleeps, or
//   waits for memory, under a spinlock, a rwlock or in an RCU section; an RCU
//   pointer is read in one, or under what protects it. Rule:
//   Documentation/locking/lockdep-design.rst, RCU/lockdep.rst. Interrupts that
//   deadlock with whom they interrupt are not told.
// progress              Always. Every operation ends with a live command queue:
//   no wait of arm_smmu_cmdq_issue_cmdlist (arm-smmu-v3.c) times out. A queue
//   that an illegal command has stopped is not live: that is
//   commands-in-order's. An event buffer that was too small is told here too,
//   as nothing can be said of that operation.
namespace atsfuzz::properties {

// True if a WARN of the step is the core's complaint about a must-succeed
// attach, and an allocation fault explains it.
bool MustSucceedFailed(std::span<const atsfuzz_event> events);

class Warnings {
 public:
  void OnEvent(const StepView& step, int index);

 private:
  void OnWarn(const StepView& step, int index);
  bool queue_stopped_ = false;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_WARNINGS_H_
