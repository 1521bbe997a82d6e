#include "linux/request.h"

#include <cassert>
#include <cstring>
#include <string>

#include "model/address.h"

namespace atsfuzz::linux_driver {
namespace {

using model::DefaultDomain;
using model::Operation;
using model::OperationKind;
using model::Topology;

static_assert(static_cast<int>(OperationKind::kExit) == ATSFUZZ_EXIT);
static_assert(model::kOperationKinds == ATSFUZZ_REQUEST_KINDS);
static_assert(model::kAllocSites == ATSFUZZ_ALLOC_SITES);

atsfuzz_machine_function MachineFunction(const Topology& topology,
                                         model::FunctionId id) {
  const model::Function& function = topology.at(id);
  atsfuzz_machine_function out = {};
  out.kind = static_cast<uint8_t>(function.kind);
  out.pf = function.pf.value;
  out.smmu = function.smmu.value;
  out.ats = function.ats;
  out.untrusted = function.untrusted;
  out.eager = function.eager;
  out.requires_ats = function.requires_ats;
  out.leader = topology.LeaderOf(id).value;
  out.pasid_bits = function.pasid_bits;
  out.default_identity = function.default_domain == DefaultDomain::kIdentity;
  out.stream_count = static_cast<uint8_t>(function.streams.size());
  for (size_t i = 0; i < function.streams.size(); i++) {
    out.streams[i] = function.streams[i];
  }
  if (function.direct_pages != 0) {
    const model::Smmu& smmu = topology.at(function.smmu);
    out.direct = model::IovaOf(smmu, function.direct_page);
    out.direct_bytes = uint64_t{function.direct_pages} << smmu.PageShift();
  }
  const std::string name = model::Name(topology, id);
  std::strncpy(out.name, name.c_str(), sizeof(out.name) - 1);
  return out;
}

// The SMMU whose page size an operation's pages have; none: no pages.
const model::Smmu* SmmuOf(const Topology& topology, const Operation& op) {
  if (op.kind == OperationKind::kDma) {
    const model::SmmuId smmu = topology.at(op.function).smmu;
    return smmu.valid() ? &topology.at(smmu) : nullptr;
  }
  return op.domain.valid() ? &topology.at(topology.at(op.domain).smmu)
                           : nullptr;
}

}  // namespace

atsfuzz_machine MachineOf(const Topology& topology) {
  atsfuzz_machine machine = {};
  machine.smmu_count = static_cast<uint32_t>(topology.smmus.size());
  machine.function_count = static_cast<uint32_t>(topology.functions.size());
  machine.domain_count = static_cast<uint32_t>(topology.domains.size());
  for (size_t i = 0; i < topology.smmus.size(); i++) {
    const model::Smmu& smmu = topology.smmus[i];
    machine.smmus[i] = {smmu.granules, smmu.stage1, smmu.stage2, smmu.ats,
                        smmu.range_invalidation};
  }
  for (size_t i = 0; i < topology.functions.size(); i++) {
    machine.functions[i] =
        MachineFunction(topology, model::FunctionId(static_cast<uint8_t>(i)));
  }
  for (size_t i = 0; i < topology.domains.size(); i++) {
    const model::Domain& domain = topology.domains[i];
    machine.domains[i] = {
        domain.smmu.value,   domain.stage,
        domain.parent.value, static_cast<uint8_t>(domain.guest),
        domain.guest_ats,    domain.process};
  }
  return machine;
}

atsfuzz_request RequestOf(const Topology& topology, const Operation& op,
                          model::FunctionId through, uint64_t physical) {
  assert(static_cast<int>(op.kind) < ATSFUZZ_REQUEST_KINDS);
  atsfuzz_request request = {};
  request.kind = static_cast<uint8_t>(op.kind);
  request.function =
      op.kind == OperationKind::kDomainNew ? through.value : op.function.value;
  request.domain = op.domain.value;
  request.stream = op.stream;
  request.queued = op.queued;
  request.identity = op.default_domain == DefaultDomain::kIdentity;
  request.prepare_ats = op.faults.prepare_ats;
  request.enable_ats = op.faults.enable_ats;
  request.config_writes = op.faults.config_writes;
  request.alloc_sites = op.faults.alloc_sites;
  request.alloc_numbers = op.faults.alloc_numbers;
  request.cmd_syncs = op.faults.cmd_syncs;
  request.atc_timeouts = op.faults.atc_timeouts;
  request.physical = physical;
  request.pasid = op.pasid;
  if (const model::Smmu* smmu = SmmuOf(topology, op)) {
    request.iova = model::IovaOf(*smmu, op.page);
    request.size = uint64_t{op.pages} << smmu->PageShift();
  }
  return request;
}

}  // namespace atsfuzz::linux_driver
