#include "model/bytes.h"

#include <algorithm>
#include <bit>

#include "model/block.h"

namespace atsfuzz::model {
namespace {

// Bits of an SMMU's second byte.
enum SmmuFlag : uint8_t {
  kNoStage1 = 1,
  kNoStage2 = 2,  // of no importance if kNoStage1 is set: one stage is there
  kNoAts = 4,
  kNoRangeInvalidation = 8,
};
constexpr int kGranuleSets = 7;

// Bits of a function's flag byte.
enum FunctionFlag : uint8_t {
  kAts = 1,
  kUntrusted = 2,
  kEager = 4,
  kIdentity = 8,
  kRequiresAts = 16,
};
constexpr int kFunctionKinds = 3;
constexpr int kPasidBitsValues = 21;

// The byte that says which fault fields follow.
enum FaultFlag : uint8_t {
  kHasAllocNumbers = 1,  // 8 bytes
  kHasAllocSites = 2,    // 2 bytes
  kHasPrepareAts = 4,
  kHasEnableAts = 8,
  kHasConfigWrites = 16,  // 1 byte
  kHasCmdSyncs = 32,      // 1 byte
  kHasAtcTimeouts = 64,   // 1 byte
  kHasThread = 128,       // 1 byte, before the faults
};

class Writer {
 public:
  void Put(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
  }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

// Zeros follow the end; `overrun` tells that they were needed.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint64_t Get(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) {
      if (next_ == bytes_.size()) {
        overrun_ = true;
        break;
      }
      value |= uint64_t{bytes_[next_++]} << (8 * i);
    }
    return value;
  }
  // A value folded to 0 .. bound - 1.
  uint32_t Fold(int count, uint32_t bound) {
    return static_cast<uint32_t>(Get(count) % bound);
  }
  bool AtEnd() const { return next_ == bytes_.size(); }
  bool overrun() const { return overrun_; }

 private:
  std::span<const uint8_t> bytes_;
  size_t next_ = 0;
  bool overrun_ = false;
};

void EncodeSmmu(const Smmu& smmu, Writer& out) {
  out.Put(smmu.granules - 1, 1);
  out.Put((smmu.stage1 ? 0 : kNoStage1) | (smmu.stage2 ? 0 : kNoStage2) |
              (smmu.ats ? 0 : kNoAts) |
              (smmu.range_invalidation ? 0 : kNoRangeInvalidation),
          1);
}

Smmu DecodeSmmu(Reader& in) {
  Smmu smmu;
  smmu.granules = static_cast<uint8_t>(in.Fold(1, kGranuleSets) + 1);
  const uint64_t flags = in.Get(1);
  smmu.stage1 = !(flags & kNoStage1);
  smmu.stage2 = !smmu.stage1 || !(flags & kNoStage2);
  smmu.ats = !(flags & kNoAts);
  smmu.range_invalidation = !(flags & kNoRangeInvalidation);
  return smmu;
}

void EncodeFunction(const Topology& topology, const Function& function,
                    Writer& out) {
  out.Put(static_cast<uint64_t>(function.kind), 1);
  out.Put(function.pf.valid() ? function.pf.value : 0, 1);
  // "Behind no SMMU" comes last, so that the number of SMMUs stands for it.
  out.Put(function.smmu.valid() ? function.smmu.value : topology.smmus.size(),
          1);
  out.Put((function.ats ? kAts : 0) | (function.untrusted ? kUntrusted : 0) |
              (function.eager ? kEager : 0) |
              (function.default_domain == DefaultDomain::kIdentity ? kIdentity
                                                                   : 0) |
              (function.requires_ats ? kRequiresAts : 0),
          1);
  out.Put(function.leader.valid() ? function.leader.value + 1 : 0, 1);
  out.Put(function.pasid_bits, 1);
  out.Put(function.direct_pages, 1);
  out.Put(function.direct_page, 2);
  out.Put(function.streams.empty() ? 0 : function.streams.size() - 1, 1);
  for (size_t i = 0; i < ATSFUZZ_MAX_STREAMS; ++i) {
    out.Put(i < function.streams.size() ? function.streams[i] : 0, 3);
  }
}

// The first PF from `wanted` on, cyclically; none if there is none.
FunctionId FoldPf(const Topology& topology, uint32_t wanted) {
  const size_t count = topology.functions.size();
  for (size_t i = 0; i < count; ++i) {
    const FunctionId id(static_cast<uint8_t>((wanted + i) % count));
    if (topology.at(id).kind == FunctionKind::kPf) return id;
  }
  return FunctionId();
}

// The function that leads the group `function` can join, or none.
FunctionId FoldLeader(const Topology& topology, const Function& function,
                      uint32_t wanted) {
  if (wanted == 0 || wanted > topology.functions.size()) return FunctionId();
  Topology joined = topology;
  const FunctionId leader(static_cast<uint8_t>(wanted - 1));
  const FunctionId id(static_cast<uint8_t>(topology.functions.size()));
  joined.functions.push_back(function);
  joined.functions.back().leader = leader;
  return Validate(joined, id).ok() ? leader : FunctionId();
}

Function DecodeFunction(const Topology& topology, Reader& in) {
  Function function;
  function.kind = static_cast<FunctionKind>(in.Fold(1, kFunctionKinds));
  const FunctionId pf = FoldPf(topology, static_cast<uint32_t>(in.Get(1)));
  if (function.kind == FunctionKind::kVf) {
    if (pf.valid()) {
      function.pf = pf;
    } else {
      function.kind = FunctionKind::kPf;
    }
  }
  const uint32_t smmus = static_cast<uint32_t>(topology.smmus.size());
  const uint32_t smmu = in.Fold(1, smmus + 1);
  if (smmu != smmus) function.smmu = SmmuId(static_cast<uint8_t>(smmu));
  const uint64_t flags = in.Get(1);
  const bool pci = function.kind != FunctionKind::kPlatform;
  function.ats = pci && (flags & kAts);
  function.untrusted = pci && (flags & kUntrusted);
  function.eager = flags & kEager;
  if (flags & kIdentity) function.default_domain = DefaultDomain::kIdentity;
  function.requires_ats = pci && (flags & kRequiresAts);
  const uint32_t leader = in.Fold(1, ATSFUZZ_MAX_FUNCTIONS + 1);
  const uint32_t pasid_bits = in.Fold(1, kPasidBitsValues);
  function.pasid_bits =
      static_cast<uint8_t>(function.kind == FunctionKind::kPf ? pasid_bits : 0);
  const uint32_t direct_pages = in.Fold(1, kMaxDirectPages + 1);
  const uint32_t direct_page = in.Fold(2, ATSFUZZ_MAX_PAGES);
  if (function.smmu.valid() && direct_pages != 0) {
    function.direct_pages = static_cast<uint16_t>(direct_pages);
    function.direct_page = static_cast<uint16_t>(
        std::min(direct_page, ATSFUZZ_MAX_PAGES - direct_pages));
  }
  const uint32_t streams = in.Fold(1, ATSFUZZ_MAX_STREAMS) + 1;
  for (uint32_t i = 0; i < ATSFUZZ_MAX_STREAMS; ++i) {
    const uint32_t stream = in.Fold(3, kMaxStreamId + 1);
    if (function.smmu.valid() && i < streams) {
      function.streams.push_back(stream);
    }
  }
  function.leader = FoldLeader(topology, function, leader);
  return function;
}

// What a nested domain's guest byte says: the entry, stage 1 with ATS last.
constexpr int kGuests = 4;
constexpr uint8_t kGuestWithAts = 3;

// A domain's stage byte: stage 1, stage 2, a process.
constexpr int kStages = 3;
constexpr uint8_t kProcessStage = 2;

void EncodeDomain(const Domain& domain, Writer& out) {
  out.Put(domain.smmu.value, 1);
  out.Put(domain.process ? kProcessStage : domain.stage - 1u, 1);
  out.Put(domain.parent.valid() ? domain.parent.value + 1 : 0, 1);
  out.Put(domain.guest_ats ? kGuestWithAts : static_cast<uint8_t>(domain.guest),
          1);
}

Domain DecodeDomain(const Topology& topology, Reader& in) {
  Domain domain;
  domain.smmu = SmmuId(static_cast<uint8_t>(
      in.Fold(1, static_cast<uint32_t>(topology.smmus.size()))));
  const Smmu& smmu = topology.at(domain.smmu);
  const uint32_t stage = in.Fold(1, kStages);
  domain.stage = stage == 1 ? 2 : 1;
  if (!smmu.stage1) domain.stage = 2;
  if (!smmu.stage2) domain.stage = 1;
  const uint32_t parent = in.Fold(1, ATSFUZZ_MAX_DOMAINS + 1);
  const uint32_t guest = in.Fold(1, kGuests);
  Topology longer = topology;
  const DomainId id(static_cast<uint8_t>(topology.domains.size()));
  if (stage == kProcessStage) {
    longer.domains.push_back(domain);
    longer.domains.back().process = true;
    return Validate(longer, id).ok() ? longer.domains.back() : domain;
  }
  if (parent == 0 || parent > topology.domains.size()) return domain;
  longer.domains.push_back(topology.domains[parent - 1]);
  Domain& nested = longer.domains.back();
  nested.parent = DomainId(static_cast<uint8_t>(parent - 1));
  nested.guest_ats = guest == kGuestWithAts;
  nested.guest =
      nested.guest_ats ? GuestEntry::kStage1 : static_cast<GuestEntry>(guest);
  return Validate(longer, id).ok() ? nested : domain;
}

void EncodeTopology(const Topology& topology, Writer& out) {
  out.Put(topology.smmus.size() - 1, 1);
  out.Put(topology.functions.size() - 1, 1);
  out.Put(topology.domains.size(), 1);
  for (const Smmu& smmu : topology.smmus) EncodeSmmu(smmu, out);
  for (const Function& function : topology.functions) {
    EncodeFunction(topology, function, out);
  }
  for (const Domain& domain : topology.domains) {
    EncodeDomain(domain, out);
  }
}

Topology DecodeTopology(Reader& in) {
  Topology topology;
  const uint32_t smmus = in.Fold(1, ATSFUZZ_MAX_SMMUS) + 1;
  const uint32_t functions = in.Fold(1, ATSFUZZ_MAX_FUNCTIONS) + 1;
  const uint32_t domains = in.Fold(1, ATSFUZZ_MAX_DOMAINS + 1);
  for (uint32_t i = 0; i < smmus; ++i) {
    topology.smmus.push_back(DecodeSmmu(in));
  }
  for (uint32_t i = 0; i < functions; ++i) {
    topology.functions.push_back(DecodeFunction(topology, in));
  }
  for (uint32_t i = 0; i < domains; ++i) {
    topology.domains.push_back(DecodeDomain(topology, in));
  }
  return topology;
}

void EncodeFaults(const Faults& faults, uint8_t thread, Writer& out) {
  out.Put((thread ? kHasThread : 0) |
              (faults.alloc_numbers ? kHasAllocNumbers : 0) |
              (faults.alloc_sites ? kHasAllocSites : 0) |
              (faults.prepare_ats ? kHasPrepareAts : 0) |
              (faults.enable_ats ? kHasEnableAts : 0) |
              (faults.config_writes ? kHasConfigWrites : 0) |
              (faults.cmd_syncs ? kHasCmdSyncs : 0) |
              (faults.atc_timeouts ? kHasAtcTimeouts : 0),
          1);
  if (thread) out.Put(thread - 1u, 1);
  if (faults.alloc_numbers) out.Put(faults.alloc_numbers, 8);
  if (faults.alloc_sites) out.Put(faults.alloc_sites, 2);
  if (faults.config_writes) out.Put(faults.config_writes, 1);
  if (faults.cmd_syncs) out.Put(faults.cmd_syncs, 1);
  if (faults.atc_timeouts) out.Put(faults.atc_timeouts, 1);
}

Faults DecodeFaults(Reader& in, uint8_t* thread) {
  Faults faults;
  const uint64_t flags = in.Get(1);
  if (flags & kHasThread) {
    *thread = static_cast<uint8_t>(1 + in.Fold(1, ATSFUZZ_MAX_THREADS));
  }
  if (flags & kHasAllocNumbers) faults.alloc_numbers = in.Get(8);
  if (flags & kHasAllocSites) {
    faults.alloc_sites = static_cast<uint16_t>(in.Fold(2, 1 << kAllocSites));
  }
  faults.prepare_ats = flags & kHasPrepareAts;
  faults.enable_ats = flags & kHasEnableAts;
  if (flags & kHasConfigWrites) {
    faults.config_writes = static_cast<uint8_t>(in.Get(1));
  }
  if (flags & kHasCmdSyncs) faults.cmd_syncs = static_cast<uint8_t>(in.Get(1));
  if (flags & kHasAtcTimeouts) {
    faults.atc_timeouts = static_cast<uint8_t>(in.Get(1));
  }
  return faults;
}

void EncodeOperation(const Operation& operation, Writer& out) {
  const OperationShape& shape = ShapeOf(operation.kind);
  out.Put(static_cast<uint64_t>(operation.kind), 1);
  if (shape.function) out.Put(operation.function.value, 1);
  if (shape.pasid) out.Put(operation.pasid - 1u, 3);
  if (shape.domain) out.Put(operation.domain.value, 1);
  if (shape.page) out.Put(operation.page, 2);
  if (shape.range) out.Put(operation.pages - 1u, 2);
  if (shape.stream) {
    out.Put(operation.stream, 1);
    out.Put(operation.pasid, 3);
  }
  if (shape.queued) out.Put(operation.queued, 1);
  if (shape.default_domain) {
    out.Put(static_cast<uint64_t>(operation.default_domain), 1);
  }
  EncodeFaults(operation.faults, operation.thread, out);
}

Operation DecodeOperation(const Topology& topology, Reader& in) {
  Operation operation;
  operation.kind = static_cast<OperationKind>(in.Fold(1, kOperationKinds));
  const OperationShape& shape = ShapeOf(operation.kind);
  if (shape.function) {
    operation.function = FunctionId(static_cast<uint8_t>(
        in.Fold(1, static_cast<uint32_t>(topology.functions.size()))));
  }
  if (shape.pasid) operation.pasid = in.Fold(3, kMaxPasid) + 1;
  if (shape.domain) {
    // On a machine without domains it names none, and Decode drops it.
    const auto domains = static_cast<uint32_t>(topology.domains.size());
    const uint32_t domain = in.Fold(1, domains == 0 ? 1 : domains);
    if (domains != 0) operation.domain = DomainId(static_cast<uint8_t>(domain));
  }
  if (shape.page) {
    operation.page = static_cast<uint16_t>(in.Fold(2, ATSFUZZ_MAX_PAGES));
  }
  if (shape.range) {
    const uint32_t room = ATSFUZZ_MAX_PAGES - operation.page;
    operation.pages = static_cast<uint16_t>(in.Fold(2, room) + 1);
  }
  if (shape.stream) {
    operation.stream = static_cast<uint8_t>(in.Fold(1, ATSFUZZ_MAX_STREAMS));
    operation.pasid = in.Fold(3, kMaxPasid + 1);
  }
  if (shape.queued) operation.queued = in.Fold(1, 2) != 0;
  if (shape.default_domain) {
    operation.default_domain = static_cast<DefaultDomain>(in.Fold(1, 2));
  }
  operation.faults = DecodeFaults(in, &operation.thread);
  return operation;
}

// Of a turn's actor: threads and SMMUs, the same in weak turns, and RCU.
constexpr uint32_t kStrongActors = kActors - 2;

void EncodeSchedule(const Schedule& schedule, Writer& out) {
  out.Put(schedule.size(), 2);
  for (const Turn& turn : schedule) {
    out.Put(turn.actor.is_rcu()
                ? 2 * kStrongActors
                : turn.actor.value - 1u + (turn.weak ? kStrongActors : 0),
            1);
    out.Put(turn.operation, 1);
    out.Put(turn.step, 2);
    out.Put(turn.plain, 1);
  }
}

Schedule DecodeSchedule(Reader& in) {
  Schedule schedule;
  const uint32_t count = in.Fold(2, kMaxTurns + 1);
  for (uint32_t i = 0; i < count && !in.AtEnd(); ++i) {
    Turn& turn = schedule.emplace_back();
    const uint32_t actor = in.Fold(1, 2 * kStrongActors + 1);
    turn.actor = actor == 2 * kStrongActors
                     ? Actor::Rcu()
                     : Actor{static_cast<uint8_t>(1 + actor % kStrongActors)};
    turn.weak = actor >= kStrongActors && turn.actor.is_thread();
    turn.operation = static_cast<uint8_t>(in.Get(1));
    turn.step = static_cast<uint16_t>(in.Get(2));
    turn.plain = static_cast<uint8_t>(in.Get(1));
    if (turn.step == Turn::kToTheEnd || !turn.actor.is_thread()) {
      turn.operation = turn.plain = 0;
    }
  }
  return schedule;
}

}  // namespace

std::vector<uint8_t> Encode(const Scenario& scenario) {
  Writer out;
  EncodeTopology(scenario.topology, out);
  EncodeSchedule(scenario.schedule, out);
  for (const Operation& operation : scenario.operations) {
    EncodeOperation(operation, out);
  }
  return out.Take();
}

Scenario Decode(std::span<const uint8_t> bytes) {
  Reader in(bytes);
  Scenario scenario;
  scenario.topology = DecodeTopology(in);
  scenario.schedule = DecodeSchedule(in);
  std::vector<uint32_t> pasids;
  while (!in.AtEnd() && scenario.operations.size() < kMaxDecodedOperations) {
    Operation operation = DecodeOperation(scenario.topology, in);
    if (in.overrun()) break;
    if (ShapeOf(operation.kind).domain && !operation.domain.valid()) continue;
    if (!AddPasid(operation, &pasids)) {
      operation.pasid = pasids[operation.pasid % pasids.size()];
    }
    scenario.operations.push_back(operation);
  }
  MakeThreadsValid(&scenario);
  return scenario;
}

}  // namespace atsfuzz::model
