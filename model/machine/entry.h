#ifndef ATSFUZZ_MODEL_MACHINE_ENTRY_H_
#define ATSFUZZ_MODEL_MACHINE_ENTRY_H_

#include <array>
#include <cstdint>
#include <functional>

#include "model/machine/board.h"
#include "model/machine/state.h"

// Stream table entries and context descriptors as the 64-bit words that they
// are in memory, for onlookers. Layouts: Arm IHI 0070, sections 5.2 and 5.4;
// values of the fields that the protocol does not care about are arbitrary but
// fixed.
namespace atsfuzz::machine {

using Words = std::array<uint64_t, 8>;

// Where a slot's root table is; 0x10000 and up, never 0.
uint64_t TableOf(int slot);
// The slot of a table address, or -1.

Words EncodeSte(const Board& board, const State& state, const Ste& ste);
Words EncodeCd(const State& state, Cd cd);

// Updates an entry in memory word by word as arm_smmu_write_entry does. `used`
// gives the bits of a word that the SMMU looks at in an entry; `safe_eats`:
// EATS may change ahead of the rest. `write` is called for each changed word,
// `sync` after each group of them.
struct EntryUpdate {
  uint64_t (*used)(const Words& entry, int word);
  bool safe_eats = false;
  std::function<void(int word, uint64_t before, uint64_t after)> write;
  std::function<void()> sync;

  void Run(Words& entry, const Words& target) const;
};
// True if an update from `entry` has put `target` in force by its first sync:
// no words that are not in use yet are written ahead.
bool IsInForceAtFirstSync(EntryUpdate update, Words entry, const Words& target);
uint64_t SteBitsUsed(const Words& ste, int word);
uint64_t CdBitsUsed(const Words& cd, int word);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_ENTRY_H_
