#include "properties/machine.h"

#include <cassert>

#include "model/address.h"

namespace atsfuzz::properties {

Machine::Machine(const model::Topology& topology)
    : topology_(&topology),
      functions_(static_cast<int>(topology.functions.size())),
      domains_(static_cast<int>(topology.domains.size())) {
  assert(functions_ <= ATSFUZZ_MAX_FUNCTIONS);
  assert(domains_ <= ATSFUZZ_MAX_DOMAINS);
  for (size_t s = 0; s < topology.smmus.size(); ++s) {
    page_shift_[s] = static_cast<uint8_t>(topology.smmus[s].PageShift());
  }
  canonical_.fill(-1);
  for (int f = 0; f < functions_; ++f) {
    const model::Function& function = topology.functions[f];
    const bool behind_smmu = function.smmu.valid();
    smmu_[f] = behind_smmu ? function.smmu.value : ATSFUZZ_NONE;
    stu_owner_[f] =
        function.pf.valid() ? function.pf.value : static_cast<uint8_t>(f);
    if (!behind_smmu) continue;
    for (uint32_t id : function.streams) {
      const StreamSlot slot = SlotOf(f, streams_[f]);
      ids_[slot] = id;
      const StreamSlot first = Find(smmu_[f], id);
      canonical_[slot] = static_cast<int8_t>(first < 0 ? slot : first);
      ++streams_[f];
      if (first >= 0 && FunctionOf(first) != f) {
        shared_[slot] = shared_[first] = true;
      }
    }
  }
  // A function that lists a shared id twice shares both.
  for (StreamSlot slot = 0; slot < kStreamSlots; ++slot) {
    if (canonical_[slot] >= 0 && shared_[canonical_[slot]]) {
      shared_[slot] = true;
    }
  }
  LayOutGroups();
  LayOutDomains();
}

void Machine::LayOutGroups() {
  for (int f = 0; f < functions_; ++f) {
    leader_[f] =
        topology_->LeaderOf(model::FunctionId(static_cast<uint8_t>(f))).value;
  }
  for (int f = 0; f < functions_; ++f) {
    for (int other = 0; other < functions_; ++other) {
      if (leader_[other] == leader_[f]) {
        group_[f] |= static_cast<uint8_t>(1u << other);
      }
    }
  }
}

void Machine::LayOutDomains() {
  for (size_t slot = 0; slot < counted_by_.size(); ++slot) {
    counted_by_[slot] = static_cast<uint8_t>(slot);
  }
  for (int d = 0; d < domains_; ++d) {
    const model::Domain& domain = topology_->domains[d];
    const model::Smmu& smmu = topology_->at(domain.smmu);
    counted_by_[d] =
        topology_->CountedBy(model::DomainId(static_cast<uint8_t>(d))).value;
    nesting_parent_[d] = !domain.parent.valid() && domain.stage == 2 &&
                         smmu.stage1 && smmu.stage2;
  }
}

bool Machine::IsReserved(int slot, uint64_t iova, uint64_t size) const {
  for (int f = 0; f < functions_; ++f) {
    const model::Function& function = topology_->functions[f];
    if (function.direct_pages == 0 || DefaultSlot(f) != slot) continue;
    const model::Smmu& smmu = topology_->at(function.smmu);
    const uint64_t start = model::IovaOf(smmu, function.direct_page);
    const uint64_t bytes = uint64_t{function.direct_pages} << smmu.PageShift();
    if (iova >= start && iova + size <= start + bytes) return true;
  }
  return false;
}

bool Machine::ListsReserved(int function, uint32_t id) const {
  for (int f = 0; f < functions_; ++f) {
    if (smmu_[f] == smmu_[function] && Lists(f, id) &&
        topology_->functions[f].direct_pages != 0) {
      return true;
    }
  }
  return false;
}

StreamSlot Machine::Find(int smmu, uint32_t id) const {
  for (int f = 0; f < functions_; ++f) {
    if (smmu_[f] != smmu) continue;
    for (int s = 0; s < streams_[f]; ++s) {
      if (ids_[SlotOf(f, s)] == id) return SlotOf(f, s);
    }
  }
  return -1;
}

int Machine::TimesListed(int function, uint32_t id) const {
  int times = 0;
  for (int s = 0; s < streams_[function]; ++s) {
    if (ids_[SlotOf(function, s)] == id) ++times;
  }
  return times;
}

bool Machine::Lists(int function, uint32_t id) const {
  for (int s = 0; s < streams_[function]; ++s) {
    if (ids_[SlotOf(function, s)] == id) return true;
  }
  return false;
}

}  // namespace atsfuzz::properties
