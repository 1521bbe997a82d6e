#ifndef ATSFUZZ_PROPERTIES_COMMAND_H_
#define ATSFUZZ_PROPERTIES_COMMAND_H_

#include <cstdint>

// Commands of the SMMU's command queue, as an SMMU reads them: two 64-bit words
// (Arm IHI 0070, section 4, "Commands"). Decoded from the specification and not
// with the driver's own macros, so that a wrong macro shows.
namespace atsfuzz::properties {

enum Opcode : uint8_t {
  kPrefetchConfig = 0x01,
  kCfgiSte = 0x03,
  kCfgiSteRange = 0x04,  // with range 31: CFGI_ALL
  kCfgiCd = 0x05,
  kCfgiCdAll = 0x06,
  kTlbiNhAll = 0x10,
  kTlbiNhAsid = 0x11,
  kTlbiNhVa = 0x12,
  kTlbiNhVaa = 0x13,
  kTlbiS12VmAll = 0x28,
  kTlbiS2Ipa = 0x2a,
  kTlbiNsnhAll = 0x30,
  kAtcInv = 0x40,
  kCmdSync = 0x46,
};

inline uint8_t OpcodeOf(uint64_t word0) { return word0 & 0xff; }
inline bool IsTlbi(uint8_t opcode) { return opcode >= 0x10 && opcode < 0x40; }

// A range of bytes [start, end).
struct Range {
  uint64_t start = 0, end = 0;
  bool empty() const { return start >= end; }
  bool Contains(const Range& other) const {
    return start <= other.start && other.end <= end;
  }
  bool operator==(const Range&) const = default;
};

// The smallest naturally aligned power-of-two range of at least 4 KiB that
// covers a non-empty `range`: what one Invalidate Request message can name
// (PCIe 10.3, "ATS Invalidation").
Range SmallestCover(const Range& range);

// ---- CFGI: which stream's configuration is dropped from caches -----------

struct ConfigInvalidation {
  bool all = false;  // every stream
  bool ste = false;  // STE, and the CDs reached through it
  uint32_t first = 0, last = 0;
  uint32_t ssid = 0;
  bool every_ssid = false;
  bool Covers(uint32_t stream) const {
    return all || (first <= stream && stream <= last);
  }
};
// REQUIRES: the opcode is one of the CFGI commands.
ConfigInvalidation DecodeConfigInvalidation(uint64_t word0, uint64_t word1);

// ---- TLBI: which translations are dropped --------------------------------

struct TlbInvalidation {
  bool known = false;       // an opcode that this decoder knows
  bool every_tag = false;   // all of the SMMU's non-secure translations
  uint8_t stage = 1;        // 1: tagged by ASID, 2: by VMID
  bool every_asid = false;  // stage 1: whatever the ASID
  // Stage 1: of the guest that has it; 0: what is no guest's.
  uint16_t vmid = 0;
  uint16_t tag = 0;
  bool whole = false;  // every address of the tag
  bool leaf = false;   // last-level entries only: walk caches may stay
  // The addresses, unless whole. A command without range (TG = 0) names one
  // address, whose entry may be a page or a block: end == start.
  Range range;

  // A tag of no guest's stage 1.
  bool Selects(uint8_t of_stage, uint16_t of_tag) const {
    return every_tag || (stage == of_stage && vmid == 0 &&
                         (tag == of_tag || (every_asid && stage == 1)));
  }
  // Everything of the guest that has `of_vmid`, and nothing else.
  bool ClearsGuest(uint16_t of_vmid) const {
    return !every_tag && stage == 1 && every_asid && whole && vmid == of_vmid;
  }
};
// REQUIRES: IsTlbi(opcode).
TlbInvalidation DecodeTlbInvalidation(uint64_t word0, uint64_t word1);

// ---- ATC_INV: what a function is told to forget ---------------------------

struct AtcInvalidation {
  uint32_t stream = 0;
  bool with_pasid = false;  // SSV: entries of that PASID only
  uint32_t pasid = 0;
  bool whole = false;  // every address
  Range range;         // unless whole
};
AtcInvalidation DecodeAtcInvalidation(uint64_t word0, uint64_t word1);

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_COMMAND_H_
