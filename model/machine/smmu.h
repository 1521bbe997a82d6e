#ifndef ATSFUZZ_MODEL_MACHINE_SMMU_H_
#define ATSFUZZ_MODEL_MACHINE_SMMU_H_

#include "model/machine/context.h"

// The SMMU: what it does with traffic by the tables in memory, by its copies of
// them, and by the commands that it consumes. Arm IHI 0070.
//
//  1. Entries are cached when they are used, and stay until a CFGI names them.
//  2. IOTLB entries carry a tag, not a stream.
//  3. A function that is eager asks again after every command.
//  4. A stall (`cmd-sync`) holds back one batch; it ends with the next command.
namespace atsfuzz::machine {

// ---- Batches: the commands that one CMD_SYNC completes.
// What a batch consists of, for telling whether one repeats the one before.
enum class BatchKind : uint8_t { kSte = 1, kCd, kTlbi, kGuest, kAtc, kMaster };
constexpr uint32_t BatchMark(BatchKind kind, unsigned a, unsigned b = 0,
                             unsigned rest = 0) {
  return static_cast<uint32_t>(kind) << 24 | a << 16 | b << 8 | rest;
}
// Counts the batch for the faults, ends a stall unless it is the same again,
// and says what happens to it.
void BeginBatch(Context& c, int smmu, uint32_t mark);
// Begins one that forgets a guest's stage 1, by the slot of its parent, and
// maybe its CD 0 before that.
void BeginGuestBatch(Context& c, int slot);
// Ends a batch whose CMD_SYNCs the log has heard of (CFGI).
void EndBatch(Context& c);

// ---- Commands. `stream`: of the board; `slot`: whose tag. The log has heard
// of the CFGI commands from the update of the entry.
void CfgiSte(Context& c, int stream);
void CfgiCd(Context& c, int stream, int ssid);
// A hint that changes nothing; a command all the same.
void Prefetch(Context& c, int stream);
void Tlbi(Context& c, int slot, unsigned pages, bool whole);
void TlbiGuest(Context& c, int slot);
void AtcInv(Context& c, int stream, int ssid, unsigned pages, bool whole);
void Sync(Context& c, int smmu);

// ---- Traffic.
// The function reads a page: `dma f page`. Returns true if it reached memory.
bool Access(Context& c, int f, int s, int ssid, int page);
// An eager function asks for what its ATC has lost.
void Refill(Context& c, int f);

// ---- Tables that the SMMU reads change under it.
// How many 64-bit words of an STE must change at once: at most one, and the
// update is hitless (arm_smmu_entry_qword_diff; with arrays also
// arm_smmu_get_ste_update_safe).
int CriticalWords(const Context& c, const Ste& from, const Ste& to);
// Pages of a slot were unmapped: what was filled from them is stale.
void MakeStale(State& state, int slot, unsigned pages);
// A slot's domain is freed: whatever still names it dangles.
void Dangle(Context& c, int slot);

IotlbEntry IotlbAt(const State& state, int smmu, int stage, int tag, int page);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_SMMU_H_
