#ifndef ATSFUZZ_PROPERTIES_HAND_MADE_H_
#define ATSFUZZ_PROPERTIES_HAND_MADE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/address.h"
#include "model/contract.h"
#include "properties/step.h"

// For tests: an observation made by hand, beside a contract that was told what
// happened, so that one invariant at a time can be shown right and wrong.
//
// The machine: s0 with both stages. p0 (streams 0x100 and 0x180) leads a group
// with p1 (0x200), which has pages 8 and 9 as reserved region; p2 (0x300 listed
// twice) is alone. All have ATS and PASIDs. d0, d1: stage 1. d2: stage 2, a
// nesting parent; d3 nested in it (stage 1 of the guest, with ATS), d4
// (bypass), d5 (abort).
namespace atsfuzz::properties {

class HandMade {
 public:
  HandMade() : contract(Topology()), machine(contract.topology()) {
    for (atsfuzz_function& function : now.functions) {
      function.group_domain = ATSFUZZ_NONE;
      for (atsfuzz_stream& stream : function.streams) {
        stream.master = ATSFUZZ_NONE;
      }
    }
    for (int f = 0; f < machine.functions(); ++f) {
      for (int s = 0; s < machine.Streams(f); ++s) {
        now.functions[f].streams[s].id =
            contract.topology().functions[f].streams[s];
      }
    }
    for (int d = 0; d < 3; ++d) {
      now.domains[d] = {.exists = 1,
                        .finalised = 1,
                        .stage = static_cast<uint8_t>(d == 2 ? 2 : 1),
                        .tag = TagOf(d),
                        .has_counter = 1,
                        .has_array = 1,
                        .table = TableOf(d)};
    }
    for (uint8_t f = 0; f < 3; ++f) Did(model::OperationKind::kProbe, f);
    for (uint8_t d = 0; d < 6; ++d) Did(model::OperationKind::kDomainNew, 0, d);
  }

  static uint16_t TagOf(int d) { return static_cast<uint16_t>(7 + d); }
  static uint64_t TableOf(int d) { return 0x6000 + 0x1000 * d; }

  static model::Topology Topology() {
    model::Topology topology;
    topology.smmus = {{}};
    const model::SmmuId s0(0);
    const auto identity = model::DefaultDomain::kIdentity;
    for (const std::vector<uint32_t>& streams :
         std::vector<std::vector<uint32_t>>{
             {0x100, 0x180}, {0x200}, {0x300, 0x300}}) {
      topology.functions.push_back({.smmu = s0,
                                    .ats = true,
                                    .pasid_bits = 4,
                                    .streams = streams,
                                    .default_domain = identity});
    }
    topology.functions[1].leader = model::FunctionId(0);
    topology.functions[1].direct_page = 8;
    topology.functions[1].direct_pages = 2;
    const model::DomainId d2(2);
    topology.domains = {
        {.smmu = s0, .stage = 1},
        {.smmu = s0, .stage = 1},
        {.smmu = s0, .stage = 2},
        {.smmu = s0,
         .stage = 2,
         .parent = d2,
         .guest = model::GuestEntry::kStage1,
         .guest_ats = true},
        {.smmu = s0,
         .stage = 2,
         .parent = d2,
         .guest = model::GuestEntry::kBypass},
        {.smmu = s0,
         .stage = 2,
         .parent = d2,
         .guest = model::GuestEntry::kAbort},
    };
    return topology;
  }

  // Tells the contract that an operation succeeded.
  void Did(model::OperationKind kind, uint8_t f, uint8_t d = 0,
           uint32_t pasid = 0) {
    contract.Apply(Make(kind, f, d, pasid), 0, 0);
  }
  void Attached(uint8_t f, uint8_t d) {
    Did(model::OperationKind::kAttach, f, d);
  }
  void PasidSet(uint8_t f, uint32_t pasid, uint8_t d) {
    Did(model::OperationKind::kSetPasid, f, d, pasid);
  }
  // Pages `page` .. `page + pages` of `d` are mapped to themselves plus 1
  // << 33.
  void Mapped(uint8_t d, uint16_t page, uint16_t pages) {
    model::Operation map = Make(model::OperationKind::kMap, 0, d);
    map.page = page;
    map.pages = pages;
    contract.Apply(map, 0, Physical(page));
  }
  static uint64_t Iova(int page) {
    return model::kIovaBase + (uint64_t(page) << 12);
  }
  static uint64_t Physical(int page) {
    return Iova(page) + (uint64_t{1} << 33);
  }

  static model::Operation Make(model::OperationKind kind, uint8_t f,
                               uint8_t d = 0, uint32_t pasid = 0) {
    model::Operation made;
    made.kind = kind;
    made.function = model::FunctionId(f);
    made.domain = model::DomainId(d);
    made.pasid = pasid;
    return made;
  }

  // The array of `d` as listed, all entries on s0.
  void Array(int d, std::vector<atsfuzz_inv> entries) {
    atsfuzz_domain& domain = now.domains[d];
    domain.inv_first = static_cast<uint32_t>(invs_.size());
    domain.num_invs = domain.max_invs = static_cast<uint32_t>(entries.size());
    domain.num_trashes = domain.has_ats = 0;
    for (const atsfuzz_inv& inv : entries) {
      if (!IsLive(inv)) ++domain.num_trashes;
      if (IsAts(inv)) domain.has_ats = 1;
      invs_.push_back(inv);
    }
    now.invs = invs_.data();
    now.inv_count = static_cast<uint32_t>(invs_.size());
  }
  static atsfuzz_inv Tag(int d, int users) {
    return {.type = static_cast<uint8_t>(d == 2 ? ATSFUZZ_INV_S2_VMID
                                                : ATSFUZZ_INV_S1_ASID),
            .id = TagOf(d),
            .users = users};
  }
  static atsfuzz_inv Clear(int users) {
    return {
        .type = ATSFUZZ_INV_S2_VMID_S1_CLEAR, .id = TagOf(2), .users = users};
  }
  static atsfuzz_inv Ats(uint32_t stream, uint32_t pasid = 0, int users = 1) {
    return {
        .type = ATSFUZZ_INV_ATS, .id = stream, .ssid = pasid, .users = users};
  }
  static atsfuzz_inv AtsFull(uint32_t stream) {
    return {.type = ATSFUZZ_INV_ATS_FULL, .id = stream, .users = 1};
  }

  StepView Step() {
    return {.machine = machine,
            .contract = contract,
            .phase = StepView::kOperation,
            .operation = &operation,
            .result = result,
            .events = events,
            .before = before,
            .after = now,
            .blocks_unmapped = 0,
            .had_unflushed = false,
            .must_succeed_failed = false,
            .inconsistent = 0,
            .contested = 0,
            .findings = findings};
  }
  // What was reported since the last call: "invariant: aspect".
  std::vector<std::string> Found() {
    std::vector<std::string> found;
    for (const Violation& v : findings.Take()) {
      found.push_back(std::string(InvariantName(v.invariant)) + ": " +
                      v.aspect);
    }
    return found;
  }

  model::Contract contract;
  Machine machine;
  atsfuzz_observation before = {}, now = {};
  model::Operation operation;
  int result = 0;
  std::vector<atsfuzz_event> events;
  Findings findings;

 private:
  std::vector<atsfuzz_inv> invs_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_HAND_MADE_H_
