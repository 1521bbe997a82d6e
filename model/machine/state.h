#ifndef ATSFUZZ_MODEL_MACHINE_STATE_H_
#define ATSFUZZ_MODEL_MACHINE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "model/operation.h"

// The state of the abstract machine: everything that a later step can depend
// on, and nothing else. Plain bytes: a state is copied by assignment, compared
// and hashed as memory (no padding may hold garbage: states start from zero).
namespace atsfuzz::machine {

inline constexpr int kSmmus = 2;
inline constexpr int kFunctions = 4;
inline constexpr int kStreamsEach = 2;  // stream ids that a function lists
inline constexpr int kStreams = kFunctions * kStreamsEach;
inline constexpr int kDeclared = 4;  // domains of the topology
// Declared domains, then the default domain of each group by its leader.
inline constexpr int kSlots = kDeclared + kFunctions;
inline constexpr int kSsids = 3;  // 0: the RID; PASIDs 1 and 2
inline constexpr int kPages = 4;  // of a domain
// ASIDs, and VMIDs of an SMMU, that an IOTLB has entries of: 1 to kTags. Only
// in 6.1, whose blocking domains have some too, can there be more.
inline constexpr int kTags = 8;

// Then, where a blocking domain is a paging domain with nothing in it (6.1),
// each group's blocking domain by its leader.
inline constexpr int kAllSlots = kSlots + kFunctions;
constexpr int BlockingSlot(int leader) { return kSlots + leader; }

// What a function or a PASID can be attached to.
using Dom = uint8_t;
inline constexpr Dom kNoDomain = 0;
inline constexpr Dom kIdentity = 1;
inline constexpr Dom kBlocked = 2;
inline constexpr Dom kFirstPaging = 3;  // + slot
constexpr Dom DomOf(int slot) { return static_cast<Dom>(kFirstPaging + slot); }
inline constexpr Dom kFreedDomain = 0xff;  // a pointer that dangles
constexpr bool IsPaging(Dom dom) {
  return dom >= kFirstPaging && dom != kFreedDomain;
}
constexpr int SlotOf(Dom dom) { return dom - kFirstPaging; }

// STE.Config, as far as traffic can tell.
enum class Config : uint8_t {
  kNotCached,  // only in the SMMU's cache
  kInvalid,    // V = 0
  kAbort,
  kBypass,
  kStage1,
  kStage2,
  kNested,  // stage 1 of a guest, stage 2 of its parent
};
enum class S1Dss : uint8_t { kTerminate, kBypass, kSsid0 };

// A stream table entry.
struct Ste {
  Config config = Config::kNotCached;
  // EATS: ATS requests and translated traffic pass.
  uint8_t eats : 1 = 0;
  S1Dss s1dss : 2 = S1Dss::kTerminate;
  // kStage1: the function whose CD table it points to. kStage2, kNested: the
  // slot of the domain; a nested entry's slot is the nested domain's.
  uint8_t target : 5 = 0;

  constexpr Ste() = default;
  constexpr Ste(Config config_, unsigned eats_, S1Dss s1dss_, unsigned target_)
      : config(config_),
        eats(eats_ & 1),
        s1dss(s1dss_),
        target(target_ & 0x1f) {}
  bool operator==(const Ste&) const = default;
};

// A context descriptor: the slot + 1 whose ASID and table it holds.
using Cd = uint8_t;
inline constexpr Cd kNoCd = 0;  // V = 0; in a cache: not cached
inline constexpr Cd kCachedInvalid = 0xfe;
// It, an STE or an attachment names a domain that has been freed.
inline constexpr uint8_t kFreed = 0x1f;
inline constexpr Cd kFreedCd = 0xfd;

// An entry of an ATC, 4 bits: 0, or where it was filled from.
enum AtcEntry : uint8_t {
  kAtcEmpty = 0,
  kAtcFromSlot = 1,        // + slot: agrees with what that domain maps there
  kAtcIdentity = 9,        // S1DSS bypass
  kAtcStale = 10,          // the page was unmapped, or its domain freed
  kAtcStaleFromSlot = 11,  // + declared slot: the same, and whose page it was
};
constexpr AtcEntry StaleFrom(int slot) {
  return slot < kDeclared ? static_cast<AtcEntry>(kAtcStaleFromSlot + slot)
                          : kAtcStale;
}
static_assert(StaleFrom(kDeclared - 1) == 14);

// An entry of an IOTLB, 2 bits.
enum IotlbEntry : uint8_t { kTlbEmpty, kTlbFresh, kTlbStale };

// A PCI function, its pci_dev and the driver's record of it (arm_smmu_master).
struct Function {
  // ---- Config space.
  uint8_t ats : 1;          // ATS control: enable
  uint8_t pasid : 1;        // PASID control: enable
  uint8_t stu_written : 1;  // the ATS control register was ever written
  uint8_t on_bus : 1;
  // ---- struct pci_dev
  uint8_t ats_enabled : 1;
  uint8_t pasid_enabled : 1;
  // ---- struct group_device
  uint8_t parked : 1;     // gdev->blocked
  uint8_t is_probed : 1;  // has a group
  // ---- struct arm_smmu_master
  uint8_t has_master : 1;
  uint8_t belief : 1;   // ats_enabled
  uint8_t ste_ats : 1;  // ste_ats_enabled
  uint8_t in_ste : 1;   // cd_table.in_ste
  uint8_t cd_table : 1;
  uint8_t cd_leaf : 1;     // two-level tables: the leaf of CD 0 to 63
  uint8_t always_on : 1;   // ats_always_on
  uint8_t gave_up : 1;     // Design::EnableFailure::kRolledBack
  uint8_t has_pasids : 1;  // ssid_bits > 0
  uint8_t attached : 1;    // 6.1: domain is not NULL
  // Where iommufd has a vDEVICE for it: on the vSMMU of this parent, + 1. Of a
  // function with several stream ids the driver refuses one.
  uint8_t vsmmu : 3;
  // STU as page shift: of the register, and of the pci_dev. 0: never set.
  uint8_t stu, ats_stu;
  uint8_t reset_depth;
  // Pages that it has used and wants back, bit stream * kPages + page.
  uint8_t wanted;
  Cd cd[kSsids];
  uint16_t atc[kStreamsEach][kSsids];  // 4 bits a page
  // Bit stream * kPages + page: filled while the STU was 12, whatever it is
  // now.
  uint8_t atc_small[kSsids];
};

// A domain's invalidation array, arm_smmu_invs. Users of an entry in 4 bits: 0
// absent, 15 trash. Entries sort as the kernel's do: tag, S1 clear, then ATS
// entries by stream and PASID; trash behind the last live one is cut off.
struct Array {
  uint8_t tag : 4, clear : 4;
  uint16_t ats[kStreams];  // 4 bits a PASID
  uint8_t has_ats;
  uint8_t num_trashes;

  bool operator==(const Array&) const = default;
};
inline constexpr unsigned kTrash = 15;

// S1CDMax of a function's CD table is not 0, so that S1DSS means something; one
// that has ATS always on gets a substream for it (arm_smmu_alloc_cd_tables).
inline bool HasSubstreams(const Function& function) {
  return function.has_pasids || function.always_on;
}

// What every arm_smmu_domain has.
struct Space {
  uint8_t exists : 1;
  uint8_t finalised : 1;
  uint8_t stage2 : 1;
  uint8_t smmu : 1;
  uint8_t tag : 4;
  uint8_t tables : 1;     // a last-level table has been allocated
  uint8_t ssid_bits : 5;  // 6.1: s1cdmax of the domain's own CD table
  int8_t nr_ats_masters;
};

// An arm_smmu_domain that can be mapped in, or a nested domain.
struct Domain : Space {
  uint8_t mapped : 4, unflushed : 4;  // pages
  // Attachments on the list: by PASID, 2 bits a function. Those of a nested
  // domain, which are on its parent's list, are its own here.
  uint8_t list[kSsids];
  // Threads that walk invs, and those of them that hold its lock: a bit each.
  // Who walks one that has been replaced is not among them.
  uint8_t walkers : 4, lockers : 4;
  Array invs;
};

// A node whose master the core has forgotten.
inline constexpr uint8_t kLostMaster = 0x80;

// iommu_group, at the index of its leader.
struct Group {
  Dom domain, default_domain;
  uint8_t owned : 1;
  uint8_t has_blocking : 1;  // blocking_domain was looked up once
  uint8_t has_handle : 1;    // pasid_array[0]: of the last replace (7.x)
  uint8_t recovery_cnt;
  Dom pasids[kSsids];  // pasid_array; [0] unused
  // 6.1: the blocking domain, and who is on its list, by function.
  Space blocking;
  uint8_t blocking_list;
};

// The commands that a stalled SMMU has not taken (`cmd-sync`): those of one
// CMD_SYNC.
struct Held {
  enum Kind : uint8_t { kNothing, kCfgiSte, kCfgiCd, kTlbi, kTlbiGuest, kAtc };
  uint8_t kind : 4;        // Kind
  uint8_t whole : 1;       // kTlbi
  uint8_t unanswered : 1;  // kAtc
  // kCfgiCd: the SSID. kTlbi, kTlbiGuest: the tag, bit 7 set for stage 2.
  uint8_t what;
  uint8_t pages;
  uint8_t streams[kSsids];  // by SSID; those without one are in [0]
};

struct State {
  Function functions[kFunctions];
  Group groups[kFunctions];
  Domain domains[kSlots];
  // Stream table, and the SMMUs' cached entries, by stream.
  Ste ste[kStreams], cached_ste[kStreams];
  Cd cached_cd[kStreams][kSsids];
  // The function (+ 1) that an SMMU's stream tree leads to; kLostMaster.
  uint8_t tree[kStreams];
  uint8_t leaked;  // allocations that nothing will free
  // Bit: the second-level stream table of a stream exists (by its first stream
  // of that table).
  uint8_t stream_tables;
  // 2 bits a page; [1]: stage 2; [2]: a guest's stage 1, by VMID.
  uint8_t iotlb[kSmmus][3][kTags];
  // Probed functions in order of their probe; the rest is 0xff.
  uint8_t order[kFunctions];
  // The thread (+ 1) that holds arm_smmu_asid_lock; a group's mutex.
  uint8_t asid_lock, group_lock[kFunctions];
  Held held[kSmmus];
  // 6.1: ASIDs that an attach took and lost, bit tag - 1.
  uint16_t lost_asids;

  bool operator==(const State& other) const {
    return std::memcmp(this, &other, sizeof(State)) == 0;
  }
};
static_assert(std::is_trivially_copyable_v<State>);
static_assert(sizeof(State) <= 512);

// REQUIRES: slot < kAllSlots.
inline const Space& SpaceAt(const State& state, int slot) {
  if (slot < kSlots) return state.domains[slot];
  return state.groups[slot - kSlots].blocking;
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_STATE_H_
