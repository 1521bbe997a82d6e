#ifndef ATSFUZZ_MODEL_TOPOLOGY_H_
#define ATSFUZZ_MODEL_TOPOLOGY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "model/ids.h"
#include "model/limits.h"

// The machine of a scenario: SMMUs, PCI and platform functions, and the domains
// that operations may use. A topology is fixed for a run; what is probed,
// allocated or attached is state, not topology.
namespace atsfuzz::model {

// Translation granules that an SMMU supports (IDR5.GRAN*), as a set of bits.
enum GranuleBit : uint8_t { kGranule4K = 1, kGranule16K = 2, kGranule64K = 4 };

struct Smmu {
  uint8_t granules = kGranule4K;   // non-empty set of GranuleBit
  bool stage1 = true;              // IDR0.S1P; at least one stage is present
  bool stage2 = true;              // IDR0.S2P
  bool ats = true;                 // IDR0.ATS
  bool range_invalidation = true;  // IDR3.RIL

  // log2 of the smallest granule in bytes: 12, 14 or 16. It is the STU that the
  // driver asks for, and the size of a scenario's page.
  int PageShift() const;
  bool operator==(const Smmu&) const = default;
};

enum class FunctionKind : uint8_t { kPf, kVf, kPlatform };
enum class DefaultDomain : uint8_t { kDma, kIdentity };

struct Function {
  FunctionKind kind = FunctionKind::kPf;
  FunctionId pf;           // a VF's physical function; none otherwise
  SmmuId smmu;             // none: behind no SMMU
  bool ats = false;        // has the ATS capability; platform functions never
  bool untrusted = false;  // pci_dev.untrusted: the kernel refuses ATS
  // The function asks again, after every command that an SMMU consumes, for
  // each page that it has used and that its ATC has lost: the busiest device
  // that the specification allows.
  bool eager = false;
  // log2 of the PASIDs offered; 0: no PASID capability. At most 20.
  uint8_t pasid_bits = 0;
  // Stream ids as firmware lists them, 1 to ATSFUZZ_MAX_STREAMS, possibly
  // repeated or shared with other functions; empty only behind no SMMU.
  std::vector<uint32_t> streams;
  DefaultDomain default_domain = DefaultDomain::kDma;
  // The function whose group it is in (`group=p0`): an earlier one behind the
  // same SMMU that leads its own group, of the same default domain and trust.
  // None: it leads its own.
  FunctionId leader;
  // pci_ats_required (`requires-ats`): a PF or VF that works with ATS on only.
  bool requires_ats = false;
  // Pages that firmware uses through the function (`direct=3..6`, of the
  // smallest granule of its SMMU) and that the kernel therefore maps onto
  // themselves in the default domain: a reserved region of type
  // IOMMU_RESV_DIRECT. None: 0 pages. Rule: of_iommu_get_resv_regions
  // (drivers/iommu/of_iommu.c), iommu_create_device_direct_mappings (iommu.c).
  uint16_t direct_page = 0, direct_pages = 0;

  bool operator==(const Function&) const = default;
};

// What a guest's stream table entry says; drivers/iommu/arm/arm-smmu-v3/
// arm-smmu-v3-iommufd.c, arm_smmu_make_nested_domain_ste.
enum class GuestEntry : uint8_t { kStage1, kBypass, kAbort };

struct Domain {
  SmmuId smmu;
  uint8_t stage = 1;  // 1 or 2; must be one that the SMMU has

  // A nested domain (`domain d1 nested=d0 guest=stage1 ats`): an earlier
  // declared stage-2 domain of an SMMU with both stages. SMMU and stage are the
  // parent's. A guest's stage-1 tables map every page onto itself.
  DomainId parent;
  GuestEntry guest = GuestEntry::kStage1;
  bool guest_ats = false;  // the guest's EATS; only with GuestEntry::kStage1

  // The address space of a process (`domain d1 smmu=s0 process`), of stage 1,
  // not nested: functions behind the SMMU are bound to it. What the kernel
  // makes for the process on another SMMU is another domain, and not said here.
  bool process = false;

  bool operator==(const Domain&) const = default;
};

// The most pages of a function's reserved region.
inline constexpr uint16_t kMaxDirectPages = 16;

// The largest stream id a function may list: 16 bits, as IDR1.SIDSIZE says, and
// one bit more, so that "out of the SMMU's range" can be said.
inline constexpr uint32_t kMaxStreamId = 0x1ffff;
inline constexpr uint32_t kSmmuStreamIds = 0x10000;

struct Topology {
  std::vector<Smmu> smmus;          // at most ATSFUZZ_MAX_SMMUS
  std::vector<Function> functions;  // at most ATSFUZZ_MAX_FUNCTIONS
  std::vector<Domain> domains;      // at most ATSFUZZ_MAX_DOMAINS

  const Smmu& at(SmmuId id) const { return smmus[id.value]; }
  const Function& at(FunctionId id) const { return functions[id.value]; }
  const Domain& at(DomainId id) const { return domains[id.value]; }
  // The function that leads the group of `id`.
  FunctionId LeaderOf(FunctionId id) const {
    return at(id).leader.valid() ? at(id).leader : id;
  }
  // The PASID of a process: the kernel takes the lowest that is free on the
  // whole system (iommu_alloc_global_pasid), and other processes, which no
  // scenario names, have those below.
  uint32_t ProcessPasid(DomainId id) const { return id.value + 1u; }
  // The process that has `pasid`, or none.
  DomainId ProcessOf(uint32_t pasid) const {
    return pasid != 0 && pasid <= domains.size() && domains[pasid - 1].process
               ? DomainId(static_cast<uint8_t>(pasid - 1))
               : DomainId();
  }
  // The domain whose attachments count those of `id`: a nested one's parent.
  DomainId CountedBy(DomainId id) const {
    return at(id).parent.valid() ? at(id).parent : id;
  }

  bool operator==(const Topology&) const = default;
};

// The names that the text uses: `s0`, `p0` / `v1` / `f2` by kind and index in
// the topology, `d0`.
std::string Name(SmmuId id);
std::string Name(const Topology& topology, FunctionId id);
std::string Name(DomainId id);
absl::string_view GuestName(GuestEntry guest);  // "stage1", "bypass", "abort"

// The stream ids a function gets when the text names none: one id, distinct by
// function, 0x100 * (index + 1).
std::vector<uint32_t> DefaultStreams(FunctionId id);

// pci_ats_supported: the function has the capability and is trusted. A kernel
// whose check `asks_pf` wants the same of a VF's PF.
bool SupportsAts(const Topology& topology, FunctionId id, bool asks_pf);

// The functions of the group of `id`, itself included: bit i is function i.
uint16_t MembersOf(const Topology& topology, FunctionId id);

// OK, or InvalidArgument with the reason why no machine looks like this: a VF
// of a VF, a domain of a stage that its SMMU lacks, ATS on a platform device,
// ...
absl::Status Validate(const Topology& topology);

// The same for one thing, given those declared before it; the message does not
// name the thing itself.
absl::Status Validate(const Topology& topology, SmmuId id);
absl::Status Validate(const Topology& topology, FunctionId id);
absl::Status Validate(const Topology& topology, DomainId id);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_TOPOLOGY_H_
