#include "model/topology.h"

#include <bit>
#include <cassert>

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {
namespace {

constexpr uint8_t kAllGranules = kGranule4K | kGranule16K | kGranule64K;
constexpr uint8_t kMaxPasidBits = 20;

absl::Status Bad(absl::string_view reason) {
  return absl::InvalidArgumentError(reason);
}

absl::Status ValidateVf(const Topology& topology, FunctionId id) {
  const FunctionId pf = topology.at(id).pf;
  if (!pf.valid() || pf >= id || topology.at(pf).kind != FunctionKind::kPf) {
    return Bad("a VF belongs to a PF that is declared before it");
  }
  return absl::OkStatus();
}

absl::Status ValidatePlatform(const Function& function) {
  if (function.ats || function.untrusted || function.pasid_bits != 0 ||
      function.requires_ats) {
    return Bad(
        "a platform device is not a PCI function: it has no ATS, no PASID "
        "capability and no pci_dev.untrusted");
  }
  // arm_smmu_device_group
  if (function.leader.valid()) {
    return Bad("a platform device has a group of its own");
  }
  return absl::OkStatus();
}

absl::Status ValidateDirect(const Function& function) {
  if (function.direct_pages == 0) {
    return function.direct_page == 0
               ? absl::OkStatus()
               : Bad("a reserved region has at least one page");
  }
  if (!function.smmu.valid()) {
    return Bad(
        "a function behind no SMMU needs no reserved region: nothing "
        "translates its accesses");
  }
  if (function.direct_pages > kMaxDirectPages ||
      function.direct_page + function.direct_pages > ATSFUZZ_MAX_PAGES) {
    return Bad(absl::StrCat("a reserved region has at most ", kMaxDirectPages,
                            " pages, the last of them ", ATSFUZZ_MAX_PAGES - 1,
                            " at most"));
  }
  return absl::OkStatus();
}

absl::Status ValidateStreams(const Function& function) {
  if (!function.smmu.valid()) {
    return function.streams.empty()
               ? absl::OkStatus()
               : Bad("a function behind no SMMU has no stream ids");
  }
  if (function.streams.empty() ||
      function.streams.size() > ATSFUZZ_MAX_STREAMS) {
    return Bad(absl::StrCat("a function behind an SMMU has 1 to ",
                            ATSFUZZ_MAX_STREAMS, " stream ids"));
  }
  for (uint32_t stream : function.streams) {
    if (stream > kMaxStreamId) {
      return Bad(absl::StrCat("stream id 0x", absl::Hex(stream),
                              " is beyond the largest, 0x",
                              absl::Hex(kMaxStreamId)));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateGroup(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  if (!function.leader.valid()) return absl::OkStatus();
  if (function.leader >= id) {
    return Bad("a group is named by a function that is declared before");
  }
  const Function& leader = topology.at(function.leader);
  const std::string name = Name(topology, function.leader);
  if (leader.kind == FunctionKind::kPlatform) {
    return Bad(
        absl::StrCat("the platform device ", name, " has a group of its own"));
  }
  if (leader.leader.valid()) {
    return Bad(absl::StrCat(name, " is in ", Name(topology, leader.leader),
                            "'s group: name that"));
  }
  if (!function.smmu.valid() || function.smmu != leader.smmu) {
    return Bad(absl::StrCat("the functions of a group are behind one SMMU, ",
                            name, "'s"));
  }
  if (function.default_domain != leader.default_domain) {
    return Bad(absl::StrCat("a group has one default domain, ", name, "'s"));
  }
  if (function.untrusted != leader.untrusted) {
    return Bad(
        absl::StrCat("the functions of a group are trusted, or none is, "
                     "as ",
                     name, " says"));
  }
  return absl::OkStatus();
}

absl::Status ValidateNested(const Topology& topology, DomainId id) {
  const Domain& domain = topology.at(id);
  if (!domain.parent.valid()) {
    if (domain.guest == GuestEntry::kStage1 && !domain.guest_ats) {
      return absl::OkStatus();
    }
    return Bad("a domain that is not nested has no guest");
  }
  if (domain.parent >= id) {
    return Bad("a nested domain's parent is declared before it");
  }
  const Domain& parent = topology.at(domain.parent);
  const std::string name = Name(domain.parent);
  if (parent.parent.valid()) {
    return Bad(absl::StrCat(name, " is nested itself: a parent is not"));
  }
  if (parent.stage != 2 || !topology.at(parent.smmu).stage1) {
    return Bad(absl::StrCat(name,
                            " cannot be a parent: one is of stage 2, of an "
                            "SMMU that has both stages"));
  }
  if (domain.smmu != parent.smmu || domain.stage != parent.stage) {
    return Bad("a nested domain has the SMMU and the stage of its parent");
  }
  if (domain.guest_ats && domain.guest != GuestEntry::kStage1) {
    return Bad("a guest's EATS needs guest=stage1");
  }
  return absl::OkStatus();
}

absl::Status ValidateProcess(const Topology& topology, DomainId id) {
  const Domain& domain = topology.at(id);
  if (!domain.process) return absl::OkStatus();
  if (domain.stage != 1 || domain.parent.valid()) {
    return Bad("a process's address space is of stage 1 and not nested");
  }
  int processes = 0;
  for (size_t i = 0; i <= id.value; ++i) {
    processes += topology.domains[i].process ? 1 : 0;
  }
  if (processes > ATSFUZZ_MAX_PROCESSES) {
    return Bad(absl::StrCat("a machine has at most ", ATSFUZZ_MAX_PROCESSES,
                            " processes"));
  }
  return absl::OkStatus();
}

template <typename IdType>
absl::Status ValidateEach(const Topology& topology, size_t count,
                          std::string (*name)(const Topology&, IdType)) {
  for (size_t i = 0; i < count; ++i) {
    const IdType id(static_cast<uint8_t>(i));
    if (absl::Status status = Validate(topology, id); !status.ok()) {
      return Bad(absl::StrCat(name(topology, id), ": ",
                              absl::string_view(status.message())));
    }
  }
  return absl::OkStatus();
}

std::string SmmuName(const Topology&, SmmuId id) { return Name(id); }
std::string FunctionName(const Topology& topology, FunctionId id) {
  return Name(topology, id);
}
std::string DomainName(const Topology&, DomainId id) { return Name(id); }

}  // namespace

int Smmu::PageShift() const {
  assert(granules != 0);
  return 12 + 2 * std::countr_zero(granules);
}

std::string Name(SmmuId id) { return absl::StrCat("s", id.value); }

std::string Name(const Topology& topology, FunctionId id) {
  static constexpr char kLetters[] = {'p', 'v', 'f'};
  const char letter = kLetters[static_cast<int>(topology.at(id).kind)];
  return absl::StrCat(absl::string_view(&letter, 1), id.value);
}

std::string Name(DomainId id) { return absl::StrCat("d", id.value); }

absl::string_view GuestName(GuestEntry guest) {
  switch (guest) {
    case GuestEntry::kStage1:
      return "stage1";
    case GuestEntry::kBypass:
      return "bypass";
    case GuestEntry::kAbort:
      return "abort";
  }
  assert(false && "every entry has a name");
  return "";
}

std::vector<uint32_t> DefaultStreams(FunctionId id) {
  return {0x100u * (id.value + 1u)};
}

absl::Status Validate(const Topology& topology, SmmuId id) {
  const Smmu& smmu = topology.at(id);
  if (smmu.granules == 0 || (smmu.granules & ~kAllGranules) != 0) {
    return Bad("an SMMU has at least one granule of 4K, 16K, 64K");
  }
  if (!smmu.stage1 && !smmu.stage2) {
    return Bad("an SMMU has stage 1, stage 2 or both");
  }
  return absl::OkStatus();
}

absl::Status Validate(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  if (function.smmu.valid() && function.smmu.value >= topology.smmus.size()) {
    return Bad("there is no such SMMU");
  }
  if (function.kind == FunctionKind::kVf) {
    if (auto status = ValidateVf(topology, id); !status.ok()) return status;
  } else if (function.pf.valid()) {
    return Bad("only a VF belongs to a PF");
  }
  if (function.kind == FunctionKind::kPlatform) {
    if (auto status = ValidatePlatform(function); !status.ok()) return status;
  }
  if (function.kind == FunctionKind::kVf && function.pasid_bits != 0) {
    return Bad("a VF shares its PF's PASIDs: say pasids= at the PF");
  }
  if (function.pasid_bits > kMaxPasidBits) {
    return Bad("PCI offers at most 2^20 PASIDs");
  }
  if (auto status = ValidateGroup(topology, id); !status.ok()) return status;
  if (auto status = ValidateDirect(function); !status.ok()) return status;
  return ValidateStreams(function);
}

absl::Status Validate(const Topology& topology, DomainId id) {
  const Domain& domain = topology.at(id);
  if (domain.smmu.value >= topology.smmus.size()) {
    return Bad("a domain belongs to an SMMU");
  }
  const Smmu& smmu = topology.at(domain.smmu);
  if (domain.stage != 1 && domain.stage != 2) {
    return Bad("a domain's stage is 1 or 2");
  }
  if (!(domain.stage == 1 ? smmu.stage1 : smmu.stage2)) {
    return Bad(absl::StrCat(Name(domain.smmu), " has no stage ", domain.stage));
  }
  if (auto status = ValidateProcess(topology, id); !status.ok()) return status;
  return ValidateNested(topology, id);
}

bool SupportsAts(const Topology& topology, FunctionId id, bool asks_pf) {
  const Function& function = topology.at(id);
  if (!function.ats || function.untrusted) return false;
  return !asks_pf || function.kind != FunctionKind::kVf ||
         SupportsAts(topology, function.pf, asks_pf);
}

uint16_t MembersOf(const Topology& topology, FunctionId id) {
  uint16_t members = 0;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId other(static_cast<uint8_t>(i));
    if (topology.LeaderOf(other) == topology.LeaderOf(id)) members |= 1u << i;
  }
  return members;
}

absl::Status Validate(const Topology& topology) {
  if (topology.smmus.empty() || topology.smmus.size() > ATSFUZZ_MAX_SMMUS) {
    return Bad(
        absl::StrCat("a machine has 1 to ", ATSFUZZ_MAX_SMMUS, " SMMUs"));
  }
  if (topology.functions.empty() ||
      topology.functions.size() > ATSFUZZ_MAX_FUNCTIONS) {
    return Bad(absl::StrCat("a machine has 1 to ", ATSFUZZ_MAX_FUNCTIONS,
                            " functions"));
  }
  if (topology.domains.size() > ATSFUZZ_MAX_DOMAINS) {
    return Bad(absl::StrCat("a machine has at most ", ATSFUZZ_MAX_DOMAINS,
                            " domains"));
  }
  if (auto status =
          ValidateEach<SmmuId>(topology, topology.smmus.size(), SmmuName);
      !status.ok()) {
    return status;
  }
  if (auto status = ValidateEach<FunctionId>(
          topology, topology.functions.size(), FunctionName);
      !status.ok()) {
    return status;
  }
  return ValidateEach<DomainId>(topology, topology.domains.size(), DomainName);
}

}  // namespace atsfuzz::model
