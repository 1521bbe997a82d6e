#ifndef ATSFUZZ_PROPERTIES_STEP_H_
#define ATSFUZZ_PROPERTIES_STEP_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "model/contract.h"
#include "model/observation.h"
#include "model/operation.h"
#include "properties/entry.h"
#include "properties/findings.h"
#include "properties/machine.h"
#include "properties/outages.h"

namespace atsfuzz::properties {

// What an invariant may look at when it judges one kernel entry: the operation,
// what it returned, what happened meanwhile, and what is true before and after.
struct StepView {
  enum Phase : uint8_t { kBoot, kOperation, kBlock, kShutdown };

  const Machine& machine;
  // After the operation: it says what must be true now.
  const model::Contract& contract;
  Phase phase;
  const model::Operation* operation;  // null unless phase == kOperation
  int result;
  std::span<const atsfuzz_event> events;
  // ATC and IOTLB of `before` are not kept: null. Its arrays are.
  const atsfuzz_observation& before;
  const atsfuzz_observation& after;
  // Of an unmap: bit i says that pages [512 i, 512 (i + 1)) were one block of
  // 2 MiB.
  uint8_t blocks_unmapped;
  // A flush found queued unmaps to complete.
  bool had_unflushed;
  // A must-succeed attach failed in this step under an allocation fault.
  bool must_succeed_failed;
  // Bit f: that has happened to the function in this run. The core says itself
  // that the group is then left inconsistent.
  uint8_t inconsistent;
  // Bit f: the driver has, in this run, let in two masters of one stream id, f
  // among them. Each undoes what the other does.
  uint8_t contested;
  Findings& findings;
  // What faults of the command queue excuse; null: nothing.
  Outages* outages = nullptr;

  bool Is(model::OperationKind kind) const {
    return operation != nullptr && operation->kind == kind;
  }
  const model::FunctionState& State(int f) const {
    return contract.function(model::FunctionId(static_cast<uint8_t>(f)));
  }
  const model::DomainState& Domain(int d) const {
    return contract.domain(model::DomainId(static_cast<uint8_t>(d)));
  }
  // "v0", "s0", "d0"; default domains "v0's default domain".
  std::string FunctionName(int f) const;
  // The aspect of a violation of `f` (of any function: -1). What follows from a
  // failed must-succeed attach, or from two masters of one stream id, is told
  // apart from what needs neither.
  std::string Aspect(int f, const char* aspect) const;
  std::string DomainName(int slot) const;
  // "v0's stream 0x100", with the index left out where the id says it.
  std::string StreamName(StreamSlot slot) const;
  // The probed function that a slot's stream id belongs to, or -1.
  int OwnerOf(StreamSlot slot) const;
  // The domain slot that the contract sends the function's traffic without
  // PASID through, or -1 if through none.
  int DomainSlotOf(int f) const;
  // The PASIDs of the function that must translate now: none while it is
  // parked.
  std::span<const model::PasidState> PasidsOf(int f) const;
  // The domain slot that the function's traffic with `pasid` (0: without) must
  // go through, or -1.
  int DomainSlotOf(int f, uint32_t pasid) const;
  // Attachments of the function that `slot` must serve; nested ones are on the
  // parent. First of its RID (0 or 1), then of its PASIDs too.
  int RidAttachments(int f, int slot) const;
  int Attachments(int f, int slot) const;
  // A domain's invalidation array as it is now, trash included.
  std::span<const atsfuzz_inv> Array(int slot) const;
};

// What the driver and the core have written so far within a step: the entries
// and enable bits as of the last event looked at.
struct Replay {
  std::array<Entry, kStreamSlots> ste;  // canonical slots only
  std::array<Entry, ATSFUZZ_MAX_FUNCTIONS> cd;
  uint8_t ats = 0;  // bit f: the function's ATS enable bit

  bool AtsOn(int f) const { return (ats >> f & 1) != 0; }
  void Begin(const Machine& machine, const atsfuzz_observation& before);
};

inline bool IsAts(const atsfuzz_inv& inv) {
  return inv.type == ATSFUZZ_INV_ATS || inv.type == ATSFUZZ_INV_ATS_FULL;
}
inline bool IsLive(const atsfuzz_inv& inv) { return inv.users != 0; }

// Names of what an observation says, for messages.
const char* RouteName(uint8_t route);
inline const char* OnOff(bool on) { return on ? "on" : "off"; }

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_STEP_H_
