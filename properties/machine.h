#ifndef ATSFUZZ_PROPERTIES_MACHINE_H_
#define ATSFUZZ_PROPERTIES_MACHINE_H_

#include <array>
#include <cstdint>

#include "model/limits.h"
#include "model/topology.h"

namespace atsfuzz::properties {

// A stream of a function: function * ATSFUZZ_MAX_STREAMS + its index there.
using StreamSlot = int;
inline constexpr int kStreamSlots = ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_STREAMS;

inline constexpr StreamSlot SlotOf(int function, int stream) {
  return function * ATSFUZZ_MAX_STREAMS + stream;
}
inline constexpr int FunctionOf(StreamSlot slot) {
  return slot / ATSFUZZ_MAX_STREAMS;
}
inline constexpr int StreamOf(StreamSlot slot) {
  return slot % ATSFUZZ_MAX_STREAMS;
}

// A topology, laid out for the checker's loops: fixed arrays, no allocation.
// Stream ids may repeat in one function or be shared by several, and then mean
// one and the same stream table entry: its *canonical* slot is the first that
// names it.
class Machine {
 public:
  explicit Machine(const model::Topology& topology);

  const model::Topology& topology() const { return *topology_; }
  int functions() const { return functions_; }
  int domains() const { return domains_; }
  // ATSFUZZ_NONE: behind no SMMU.
  int SmmuOf(int function) const { return smmu_[function]; }
  // The function whose STU register counts: a VF uses its PF's.
  int StuOwner(int function) const { return stu_owner_[function]; }
  // Stream ids of a function; 0 behind no SMMU.
  int Streams(int function) const { return streams_[function]; }
  uint32_t StreamId(StreamSlot slot) const { return ids_[slot]; }
  StreamSlot Canonical(StreamSlot slot) const { return canonical_[slot]; }
  // Some other function lists the same id behind the same SMMU.
  bool IsShared(StreamSlot slot) const { return shared_[slot]; }
  // The canonical slot of a stream id, or -1.
  StreamSlot Find(int smmu, uint32_t id) const;
  // True if `function` lists the id.
  bool Lists(int function, uint32_t id) const;
  // log2 of the smallest granule, by SMMU.
  int PageShift(int smmu) const { return page_shift_[smmu]; }
  // How often `function` lists the id.
  int TimesListed(int function, uint32_t id) const;
  // Bit f: in the group of `function`, itself included.
  uint8_t GroupOf(int function) const { return group_[function]; }
  // The domain slot of its group's default domain.
  int DefaultSlot(int function) const {
    return ATSFUZZ_MAX_DOMAINS + leader_[function];
  }
  // The same of its blocking domain, which exists as one on some kernels only.
  int BlockingSlot(int function) const {
    return ATSFUZZ_FIRST_BLOCKING + leader_[function];
  }
  // The slot whose page table, tag, counter, list and array serve the
  // attachments of a slot: a nested domain's parent, or the slot itself.
  int CountedBy(int slot) const { return counted_by_[slot]; }
  bool IsNested(int slot) const { return counted_by_[slot] != slot; }
  // A reserved region of some function of a default domain's group holds the
  // whole of [iova, iova + size): the kernel has mapped it onto itself there
  // (iommu_create_device_direct_mappings). False for other slots.
  bool IsReserved(int slot, uint64_t iova, uint64_t size) const;
  // A function with a reserved region lists this id behind the SMMU of
  // `function`. When no probed function has the id, its entry may be in bypass,
  // since firmware goes on using the region (arm_smmu_release_device of 6.12,
  // iommu_deinit_device later).
  bool ListsReserved(int function, uint32_t id) const;
  // A stage 2 domain that can be a guest's: its SMMU has both stages.
  bool IsNestingParent(int slot) const { return nesting_parent_[slot]; }

 private:
  void LayOutGroups();
  void LayOutDomains();

  const model::Topology* topology_;
  int functions_, domains_;
  std::array<uint8_t, ATSFUZZ_MAX_FUNCTIONS> smmu_{}, stu_owner_{}, streams_{};
  std::array<uint32_t, kStreamSlots> ids_{};
  std::array<int8_t, kStreamSlots> canonical_{};
  std::array<bool, kStreamSlots> shared_{};
  std::array<uint8_t, ATSFUZZ_MAX_SMMUS> page_shift_{};
  std::array<uint8_t, ATSFUZZ_MAX_FUNCTIONS> group_{}, leader_{};
  std::array<uint8_t, ATSFUZZ_MAX_DOMAIN_SLOTS> counted_by_{};
  std::array<bool, ATSFUZZ_MAX_DOMAIN_SLOTS> nesting_parent_{};
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_MACHINE_H_
