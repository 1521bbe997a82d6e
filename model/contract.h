#ifndef ATSFUZZ_MODEL_CONTRACT_H_
#define ATSFUZZ_MODEL_CONTRACT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "model/capabilities.h"
#include "model/mapping.h"
#include "model/operation.h"
#include "model/topology.h"

// What the kernel's callers can do, and what follows from what they did. The
// contract knows only the topology, the operations and their return values: it
// refuses what no caller does (unclaim of a group that nobody owns, unmap of a
// page that is not mapped, release of an attached function), and it tells the
// checker what each function's traffic must go through now.
//
// Legal to try though it fails, hence never refused: claim of an owned group
// (-EPERM) or of one with PASIDs (-EBUSY), attach while attached (-EBUSY), a
// domain of another SMMU (-EINVAL), set-default of an owned group (-EPERM),
// probe behind no SMMU (-ENODEV), set-pasid of a PASID in use (-EBUSY), beyond
// the function's or with a domain of stage 2 (-EINVAL), replace-pasid of one
// that is not set (-EINVAL), whatever attaches during a reset (-EBUSY), bind of
// a function without PASIDs or without enough of them (-ENOSPC, -EOVERFLOW), or
// behind an SMMU that cannot share the CPU's tables.
namespace atsfuzz::model {

// What a function's traffic must go through, by the last successful operation.
enum class Route : uint8_t {
  kUnprobed,  // no driver record: whatever the SMMU does by default (abort)
  kBlocked,
  kIdentity,
  kDefaultDma,  // the group's own DMA domain: nothing is mapped in it
  kDomain,      // a declared domain
};

// A PASID that a group has in use.
struct PasidState {
  uint32_t pasid = 0;
  DomainId domain;
  uint8_t users = 1;  // binds without their unbind, if it is a process's
  bool operator==(const PasidState&) const = default;
};

// What the kernel keeps by group (owned, attached, group domain, default
// domain, PASIDs) is the same for every probed function of a group.
struct FunctionState {
  bool probed = false;
  bool probe_tried = false;  // on the bus: probed or failed to, not released
  bool owned = false;        // claimed
  bool attached = false;     // attach or replace since the last detach
  // Where its traffic must go now: kBlocked while it is parked.
  Route route = Route::kUnprobed;
  DomainId domain;  // valid when route == kDomain
  // Where its group is, parked or not.
  Route group_route = Route::kUnprobed;
  DomainId group_domain;  // valid when group_route == kDomain
  DefaultDomain default_domain = DefaultDomain::kDma;
  // By PASID. A function without PASIDs (pasid_bits == 0) is skipped by the
  // core and has none, though its group may.
  std::vector<PasidState> pasids;
  // reset-begins without their reset-end.
  uint8_t reset_depth = 0;
  // In a reset that the core takes note of (the function supports ATS): RID and
  // PASIDs are blocked meanwhile, and `pasids` says what is restored.
  bool parked = false;
};

struct DomainState {
  bool allocated = false;
  bool finalised = false;  // has a page table: allocated through a function, or
                           // attached once (see Capabilities::finalised)
  Mappings mappings;       // the live ones
  // Unmapped without a sync; cleared by flush and by domain-free. None of these
  // pages is mapped: an IOVA is not handed out again before the flush.
  Mappings unflushed;
  // A process that has exited, and to which functions are bound still. A
  // process is `allocated` while it lives: from the first map or bind that
  // succeeds.
  bool exited = false;

  // The live mapping that covers `page`, or null. Valid until the next Apply.
  const Mapping* Find(uint16_t page) const {
    return model::Find(mappings, page);
  }
  // The same among the unflushed ones.
  const Mapping* FindUnflushed(uint16_t page) const {
    return model::Find(unflushed, page);
  }
};

class Contract {
 public:
  explicit Contract(const Topology& topology,
                    const Capabilities& capabilities = {});

  // OK, or FailedPrecondition with the reason why the kernel could not do
  // `operation` now, in words of the kernel ("v0's group is not owned: ...").
  absl::Status Allows(const Operation& operation) const;

  // Whether running `operation` allocates its domain first, implicitly, because
  // no domain-new has: through the lowest-numbered probed function behind the
  // domain's SMMU (what names a function prefers that one). That
  // allocation takes no faults of the operation.
  bool AllocatesDomain(const Operation& operation) const;
  // The function such an allocation (or a domain-new) goes through. Invalid:
  // none is probed, and Allows refuses.
  FunctionId AllocatesThrough(const Operation& operation) const;

  // Whether allocation finalises the domain; a nested one is finalised when it
  // is allocated. Others as Capabilities::finalised says.
  bool FinalisedByAllocation(DomainId domain) const;

  // Records the outcome of an operation that Allows accepted. `result` is 0 or
  // a negative errno; `physical` is the address of the first page that a map
  // got.
  void Apply(const Operation& operation, int result, uint64_t physical);
  // Records the implicit allocation of an operation's domain.
  void ApplyAllocation(DomainId domain, int result);

  // True if Apply(operation, 0, ...) would change what the contract knows, so
  // that a detach of a detached group or a flush does not count as progress.
  bool ChangesState(const Operation& operation) const;

  const FunctionState& function(FunctionId id) const;
  // The PASIDs that the group of `id` has in use, by PASID: the core's
  // pasid_array. Also those that `id`, without PASIDs, is skipped for.
  const std::vector<PasidState>& GroupPasids(FunctionId id) const;
  // What group `id` has of a process, or null: it is not bound to it.
  const PasidState* BondOf(FunctionId id, DomainId process) const;
  // A group other than that of `id` is bound to the process.
  bool BoundElsewhere(FunctionId id, DomainId process) const;
  // A probed function of the group of `id`, or none.
  FunctionId ProbedMember(FunctionId id) const;
  // A function of the group of `id` is parked: attaches give -EBUSY meanwhile.
  bool InReset(FunctionId id) const;
  const DomainState& domain(DomainId id) const;
  const Topology& topology() const { return topology_; }
  const Capabilities& capabilities() const { return capabilities_; }

 private:
  Topology topology_;
  Capabilities capabilities_;
  // Changes each probed function of the group of `id`.
  template <typename Change>
  void ChangeGroup(FunctionId id, const Change& change);
  void MoveGroup(FunctionId id, Route route, DomainId domain);
  void ApplyProbe(FunctionId id);
  void ApplyRelease(FunctionId id);
  void ApplyPasid(const Operation& operation);
  void ApplyReset(FunctionId id, bool begin);
  void ApplyBond(const Operation& operation);
  void ApplyExit(DomainId id);

  std::vector<FunctionState> functions_;
  std::vector<std::vector<PasidState>> group_pasids_;  // by leader
  std::vector<DomainState> domains_;
};

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_CONTRACT_H_
