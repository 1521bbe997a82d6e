#ifndef ATSFUZZ_FUZZ_OBSERVED_H_
#define ATSFUZZ_FUZZ_OBSERVED_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/system.h"

// What can be seen of a system, in terms that mean the same on every system:
// a tag or a page table is the domain that it belongs to, a physical address is
// the mapping that leads there, a command is what it makes the SMMU or a
// function forget. Numbers that a system chooses by itself (ASIDs, VMIDs,
// addresses, how commands are batched) are gone.
namespace atsfuzz::fuzz {

// In the order in which differences are looked for.
enum class ObservedKind : uint8_t {
  kBoot,       // the machine came up
  kReturn,     // of the operation
  kDeath,      // BUG, memory error, crash, hang
  kWarning,    // WARN
  kBelief,     // by function: the record's ats_enabled
  kAts,        // by function: the ATS enable bit
  kPasid,      // by function: the PASID enable bit
  kRoute,      // by stream: what its entry does
  kEats,       // by stream
  kCdValid,    // by stream: CD 0
  kTable,      // by stream: whose page table it uses
  kTag,        // by stream: whose ASID or VMID it uses
  kSubstream,  // by function and PASID: whose table and tag
  kExists,     // by domain, and so on
  kFinalised,
  kStage,
  kSmmu,
  kCounter,      // by domain: nr_ats_masters
  kAttachments,  // by domain and function: on the driver's list, of its RID
  kPasidAttachments,  // the same of its PASIDs
  kArrayEntry,        // by domain, live entry: users
  kAtc,               // an entry of an ATC: where it leads
  kIotlb,             // an entry of an IOTLB: where it leads
  kDma,               // an access of a device: where it got
  kProbed,            // by function: the driver has a record
  kMaster,            // by stream: whose record the driver finds
  kGroupDomain,       // by function
  kStu,               // by function
  kConfigWrite,       // of a function's config space } one sequence, see
  kCommand,           // of an SMMU's queue           } fuzz/observed_events.h
  kSmmuFault,         // recorded by an SMMU; each once
  kTimeout,           // the CPU waited in vain; or the SMMU stopped
  kPrefetch,          // by SMMU: PREFETCH_CONFIG commands
};
inline constexpr int kObservedKinds =
    static_cast<int>(ObservedKind::kPrefetch) + 1;

// "belief", "array-entry".
absl::string_view ObservedKindName(ObservedKind kind);

// One thing seen. What the numbers mean depends on the kind (observed.cc says
// how each reads).
struct Observed {
  ObservedKind kind = ObservedKind::kReturn;
  std::array<uint64_t, 4> subject = {};
  std::array<uint64_t, 2> value = {};
  // Where it came from, if anyone asks; no part of what was seen.
  model::Fact fact;
  int event = -1;

  bool SameSubject(const Observed& other) const {
    return kind == other.kind && subject == other.subject;
  }
  bool operator==(const Observed& other) const {
    return SameSubject(other) && value == other.value;
  }
  bool operator<(const Observed& other) const {
    if (kind != other.kind) return kind < other.kind;
    if (subject != other.subject) return subject < other.subject;
    return value < other.value;
  }
};
using Observations = std::vector<Observed>;

// Which domain slot a tag belongs to. Of two instants, so that the commands of
// an operation that frees or allocates a domain can be told too.
class TagOwners {
 public:
  // In place of a slot: of no live domain; every tag at once.
  static constexpr uint8_t kNobody = ATSFUZZ_NONE;
  static constexpr uint8_t kEveryone = ATSFUZZ_NONE - 1;

  // `observation` is the state at the end of another operation.
  void Advance(const atsfuzz_observation& observation);

  // At the end of the operation.
  uint8_t Now(uint8_t smmu, uint8_t stage, uint16_t tag) const;
  // Before it or at its end.
  uint8_t Meanwhile(uint8_t smmu, uint8_t stage, uint16_t tag) const;

 private:
  struct Tag {
    bool is_used = false;
    uint8_t smmu = 0, stage = 0;
    uint16_t tag = 0;
  };
  using Tags = std::array<Tag, ATSFUZZ_MAX_DOMAIN_SLOTS>;
  static uint8_t Find(const Tags& tags, uint8_t smmu, uint8_t stage,
                      uint16_t tag);

  Tags before_, now_;
};

// Where a translation leads.
enum class Target : uint8_t {
  kNowhere,   // blocked
  kIdentity,  // to its own address
  kLive,      // where that domain maps the page now
  kStale,     // anywhere else: the page was unmapped or mapped anew
};
// The value of an address that `iova` leads to: {Target, domain}. `domain` is
// the one that has it mapped, of all declared ones if `only` is kNobody.
std::array<uint64_t, 2> TargetOf(const model::Contract& contract, uint8_t only,
                                 uint64_t iova, uint64_t physical);

// What a kernel does not have: absent, not zero.
struct Lacks {
  bool counters = false, arrays = false;

  Lacks operator|(const Lacks& other) const {
    return {counters || other.counters, arrays || other.arrays};
  }
};
Lacks LacksOf(const atsfuzz_observation& observation);
// The state at rest without what `skip` says, appended to an empty `out`,
// sorted.
void AppendState(const model::Contract& contract, const TagOwners& owners,
                 const atsfuzz_observation& observation, const Lacks& skip,
                 Observations* out);

// For people. `subject` reads "d0 nr_ats_masters", `value` "2"; `operation` is
// the one that ran (null: boot or shutdown).
std::string SubjectText(const model::Topology& topology,
                        const model::Operation* operation,
                        const Observed& observed);
std::string ValueText(const model::Topology& topology,
                      const Observed& observed);
// What kind of thing it is about: part of a difference's signature.
std::string SubjectKind(const model::Operation* operation,
                        const Observed& observed);
// "d0", "v0's default domain", "no live domain", "every domain".
std::string OwnerText(const model::Topology& topology, uint8_t slot);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_OBSERVED_H_
