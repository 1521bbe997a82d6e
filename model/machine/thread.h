#ifndef ATSFUZZ_MODEL_MACHINE_THREAD_H_
#define ATSFUZZ_MODEL_MACHINE_THREAD_H_

#include <cstdint>
#include <type_traits>

#include "model/machine/state.h"
#include "model/machine/step.h"
#include "model/operation.h"

namespace atsfuzz::machine {

// What an operation asks for, in few bytes.
struct Request {
  model::OperationKind kind;
  uint8_t function, domain, stream;
  uint8_t page, pages;
  uint8_t ssid;
  uint8_t queued : 1, identity : 1;
  uint8_t prepare_ats : 1, enable_ats : 1;  // faults
  uint8_t config_writes;
  uint16_t alloc_sites;
  uint64_t alloc_numbers;
  uint8_t cmd_syncs, atc_timeouts;
};
Request RequestOf(const model::Operation& operation);

// Which program of driver steps runs: what the core called the driver for.
enum class Program : uint8_t {
  kNone,
  kAttachPaging,  // arm_smmu_attach_dev
  kAttachNested,  // arm_smmu_attach_dev_nested
  kAttachStatic,  // arm_smmu_attach_dev_ste: identity, blocked
  kDetach,        // 6.1: arm_smmu_detach_dev
  kSetPasid,      // arm_smmu_set_pasid
  kClearPasid,    // arm_smmu_remove_dev_pasid, arm_smmu_blocking_set_dev_pasid
  kInvalidate,    // arm_smmu_domain_inv_range, arm_smmu_tlb_inv_range_domain
};
inline constexpr int kProgramKinds = 8;

// An operation on its way. Trivially copyable, like State; together they are
// all that the rest of a run depends on.
struct Thread {
  Request request;
  uint8_t id;  // of the thread, for locks
  Step core;   // the core's next step, when no driver program runs
  Program program;
  Program then;  // after it, if it does not fail (6.1: detach, then attach)
  uint8_t pc;
  int16_t result;

  // ---- The core: a change of the domain of a group's devices.
  Dom target, old;  // group->domain after and before
  uint8_t leader;
  uint8_t cursor;          // index into State::order
  uint8_t last;            // revert: up to this cursor
  uint8_t locked : 1;      // holds the group's mutex
  uint8_t one_device : 1;  // probe, release, reset: not the whole group
  uint8_t must_succeed : 1;
  uint8_t reverting : 1;
  uint8_t fallback : 1;  // the attach under way is of the blocking domain
  uint8_t retiring : 1;
  int16_t group_result;
  Dom previous;           // set-default: the old default domain
  Dom retired;            // default domain to free at the end
  int16_t attach_result;  // 6.1: of an attach that is being undone

  // ---- The driver: one attachment. arm_smmu_attach_state.
  uint8_t function, ssid;
  Dom new_domain, old_domain;
  uint8_t want : 1;
  uint8_t cd_needs_ats : 1;
  uint8_t disable_ats : 1;
  uint8_t failed : 1;     // pci_enable_ats was called and failed
  uint8_t unref_ats : 1;  // the entries to remove include ATS ones
  uint8_t tag_dropped : 1;
  uint8_t installing : 1;  // an STE is at V = 0
  uint8_t was_listed : 1;  // the old record was found
  uint8_t stream;          // of the entry that is written next
  Ste ste;                 // what is installed
  Array merged;            // not published yet

  // ---- An invalidation.
  uint8_t slot;
  uint8_t pages;  // a bit set
  uint8_t whole : 1;
  uint8_t counted : 1;  // kernels without arrays: nr_ats_masters is not 0
  Array seen;           // what it has read there
  // Kernels without arrays: lists as they were read, of functions with ATS.
  uint8_t listed[kSsids];

  uint8_t oops : 1;  // the kernel died

  uint8_t allocations;  // made by the operation, for faults by number
  uint8_t writes;       // to config space

  // ---- CMD_SYNCs, for faults by number (model::Faults).
  uint8_t syncs, atc_syncs;  // so far
  uint8_t in_batch : 1;      // between BeginBatch and its end
  uint8_t holding : 1;       // the SMMU stalls before the batch
  uint8_t unanswered : 1;    // its ATC invalidations
  uint32_t last_batch;       // mark of the last one; 0: none right before
};
static_assert(std::is_trivially_copyable_v<Thread>);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_THREAD_H_
