#ifndef ATSFUZZ_MODEL_MACHINE_ARRAY_H_
#define ATSFUZZ_MODEL_MACHINE_ARRAY_H_

#include <cstdint>

#include "model/machine/board.h"
#include "model/machine/state.h"

// The invalidation array of a domain (arm_smmu_invs, 7.1 and later): which tag
// and which ATCs an unmap must invalidate, and for how many attachments each.
//
//  1. A *live* entry has 1 to 14 users; trash has been left by an unref in
//  front
//     of a live entry, and is skipped by readers.
//  2. Readers see entries up to num_invs; trash behind the last live entry is
//     cut off by the unref that made it.
//  3. merge makes a new array, without trash; unref changes the published one;
//     purge makes a new one without trash, if memory allows.
namespace atsfuzz::machine {

// The entries that one attachment needs: arm_smmu_master_build_invs.
struct Needs {
  bool clear = false;   // a nesting parent: S2_VMID_S1_CLEAR
  uint8_t streams = 0;  // bit s: an ATS entry of the board's stream s
  uint8_t ssid = 0;
  uint8_t repeated = 0;  // the streams that a function lists twice
};

// Users of an ATS entry; kTrash, or 0: absent.
unsigned AtsUsers(const Array& array, int stream, int ssid);

// arm_smmu_invs_merge.
Array Merge(const Array& array, const Needs& needs);

struct Unreferenced {
  // The tag has no user any more, or had none: its caller flushes it.
  bool tag_dropped = false;
  int missing = 0;  // entries that are not there: a WARN each
  bool operator==(const Unreferenced&) const = default;
};
// arm_smmu_invs_unref, trim included.
Unreferenced Unref(Array& array, const Needs& needs);

// True if there is trash inside.
bool NeedsPurge(const Array& array);
// arm_smmu_invs_purge with the memory that it asked for.
Array Purge(const Array& array);

int LiveAts(const Array& array);  // distinct (stream, PASID)

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_ARRAY_H_
