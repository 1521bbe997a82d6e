#ifndef ATSFUZZ_MODEL_MACHINE_BOARD_H_
#define ATSFUZZ_MODEL_MACHINE_BOARD_H_

#include <array>
#include <cstdint>

#include "model/capabilities.h"
#include "model/machine/design.h"
#include "model/machine/state.h"
#include "model/topology.h"

namespace atsfuzz::machine {

// A topology, laid out for the machine's loops.
struct Board {
  // REQUIRES: `topology` fits CapabilitiesOf(any design).
  // The driver of `design` handles a function's streams in the order in which
  // they are listed; with arrays it has sorted them by id.
  Board(const model::Topology& topology, const Design& design);

  struct Smmu {
    bool stage1, stage2, ats;
    uint8_t page_shift;
    bool range_invalidation;
  };
  struct Function {
    model::FunctionKind kind;
    uint8_t pf;    // a VF's PF, else itself
    uint8_t smmu;  // ATSFUZZ_NONE: behind none
    uint8_t leader;
    bool ats, untrusted, eager, requires_ats, default_identity;
    uint8_t pasid_bits;  // of its own capability
    uint8_t ssid_bits;   // that its CD table gets: its PF's, if it works
    uint8_t streams;     // listed, repeated ones too
    std::array<uint8_t, kStreamsEach> stream;  // index into the board's streams
    std::array<uint8_t, kStreamsEach> driven;  // the same in the driver's order
  };
  struct Domain {
    uint8_t smmu;
    uint8_t stage;
    uint8_t parent;  // slot, or ATSFUZZ_NONE
    model::GuestEntry guest;
    bool guest_ats;
  };
  // A stream id of an SMMU, whoever lists it. Sorted by SMMU and id.
  struct Stream {
    uint8_t smmu;
    uint32_t id;
    bool in_range;  // of the stream table
    uint8_t table;  // first stream of the same second-level table
  };

  uint8_t smmu_count, function_count, domain_count, stream_count;
  std::array<Smmu, kSmmus> smmus;
  std::array<Function, kFunctions> functions;
  std::array<Domain, kDeclared> domains;
  std::array<Stream, kStreams> streams;
  bool any_eager = false;

  // The slot whose counter, list and array an attachment to `slot` uses.
  int CountedBy(int slot) const {
    return slot < kDeclared && domains[slot].parent != ATSFUZZ_NONE
               ? domains[slot].parent
               : slot;
  }
  // Bit s: a function that `state` has a record of lists stream s twice.
  uint8_t Repeated(const State& state) const {
    uint8_t repeated = 0;
    for (int f = 0; f < function_count; ++f) {
      const Function& function = functions[f];
      if (function.streams == 2 && function.stream[0] == function.stream[1] &&
          state.functions[f].has_master) {
        repeated |= static_cast<uint8_t>(1u << function.stream[0]);
      }
    }
    return repeated;
  }
  // The list of arm_smmu_domain: of a parent, those nested in it included.
  uint8_t ListOf(const State& state, int slot, int ssid) const {
    unsigned list = state.domains[slot].list[ssid];
    for (int d = slot + 1; d < domain_count; ++d) {
      if (domains[d].parent == slot) list += state.domains[d].list[ssid];
    }
    return static_cast<uint8_t>(list);
  }
  bool IsNested(int slot) const { return CountedBy(slot) != slot; }
};

// log2 of the CDs of a linear table (CTXDESC_L2_ENTRIES); more PASIDs have a
// two-level one.
inline constexpr int kLinearBits = 10;

// The slot of the default domain of a group.
inline int DefaultSlot(int leader) { return kDeclared + leader; }

model::Capabilities CapabilitiesOf(const Design& design);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_BOARD_H_
