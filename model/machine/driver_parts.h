#ifndef ATSFUZZ_MODEL_MACHINE_DRIVER_PARTS_H_
#define ATSFUZZ_MODEL_MACHINE_DRIVER_PARTS_H_

#include "model/machine/driver.h"
#include "model/machine/smmu.h"

// The parts of the driver of 6.12 and later (arm-smmu-v3.c): what its steps
// have in common, and the steps that are not in driver.cc. Each function that
// returns an Outcome is the step of its name (Step).
namespace atsfuzz::machine::driver {

using model::AllocSite;

// The slot whose list and array an attachment to `dom` is on.
inline int CountedSlot(const Context& c, Dom dom) {
  return c.board.CountedBy(SlotOf(dom));
}

inline unsigned ListCount(const State& state, int slot, int f, int ssid) {
  return state.domains[slot].list[ssid] >> (2 * f) & 3u;
}

// The group's domain as the driver asks for it: blocked while parked.
inline Dom RidDomain(const Context& c, int f) {
  if (c.state.functions[f].parked) return kBlocked;
  return c.state.groups[c.board.functions[f].leader].domain;
}

inline Outcome Fail(Context& c, int error) {
  c.thread.result = static_cast<int16_t>(error);
  return Outcome::kFail;
}

// To the SMMU of the thread's function.
inline void Sync(Context& c) {
  machine::Sync(c, c.board.functions[c.thread.function].smmu);
}

// ---- Context descriptors and stream table entries: driver_entries.cc.

Outcome AllocCdTable(Context& c);
Outcome InstallCd(Context& c);
Outcome InstallSte(Context& c);
Outcome ClearCd(Context& c);

// ---- Invalidations: driver_invalidation.cc.

// One ATC_INV for each listed stream of the function, and a SYNC.
void InvalidateMaster(Context& c, int f, int ssid);
Outcome InvalidateAtc(Context& c);
Outcome ClearPages(Context& c);
Outcome LoadTargets(Context& c);
Outcome TlbiStep(Context& c);
Outcome ReadTargets(Context& c);
Outcome AtcInvDomain(Context& c);
Outcome LeaveTargets(Context& c);
// A new array takes the place of a slot's.
void Replace(Context& c, int slot, const Array& array);

}  // namespace atsfuzz::machine::driver

#endif  // ATSFUZZ_MODEL_MACHINE_DRIVER_PARTS_H_
