#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/address.h"
#include "reproduce/steps_parts.h"

namespace atsfuzz::reproduce {
namespace {

using model::Domain;
using model::DomainId;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Topology;

std::string SmmuItem(const model::Smmu& smmu, const std::string& name) {
  std::string text = absl::StrFormat(
      "%s: an SMMUv3 whose smallest granule is %d KiB: the STU that the driver "
      "asks for is %d",
      name, 1 << (smmu.PageShift() - 10), smmu.PageShift());
  if (!smmu.ats) text += "; without ATS (IDR0.ATS)";
  if (!smmu.stage1) text += "; without stage 1 (IDR0.S1P)";
  if (!smmu.stage2) text += "; without stage 2 (IDR0.S2P)";
  if (!smmu.range_invalidation) {
    text += "; without range invalidation (IDR3.RIL)";
  }
  return text;
}

std::string StreamsText(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  std::vector<std::string> ids;
  for (uint32_t stream : function.streams) {
    ids.push_back(absl::StrFormat("0x%x", stream));
  }
  std::string text =
      absl::StrCat("stream id", ids.size() == 1 ? " " : "s ",
                   absl::StrJoin(ids, ", "), " of ", Name(function.smmu));
  const std::set<uint32_t> different(function.streams.begin(),
                                     function.streams.end());
  if (different.size() < function.streams.size()) {
    text += " (a bridge in front of it repeats its id as an alias)";
  } else if (different.size() > 1) {
    text +=
        " (aliases of a bridge in front of it, or several entries of "
        "firmware's map)";
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const FunctionId other(static_cast<uint8_t>(i));
    const Function& there = topology.at(other);
    if (other == id || there.smmu != function.smmu) continue;
    for (uint32_t stream : there.streams) {
      if (!different.contains(stream)) continue;
      absl::StrAppend(&text, ", shared with ", Name(topology, other),
                      " (both behind one bridge)");
      break;
    }
  }
  return text;
}

std::string KindText(const Topology& topology, const Function& function) {
  switch (function.kind) {
    case FunctionKind::kPf:
      return "a PCI function";
    case FunctionKind::kVf:
      return absl::StrCat("a virtual function (SR-IOV) of ",
                          Name(topology, function.pf));
    case FunctionKind::kPlatform:
      return "a platform device";
  }
  return "";
}

std::string FunctionItem(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  std::string text =
      absl::StrCat(Name(topology, id), ": ", KindText(topology, function),
                   function.ats ? " with the ATS capability" : "");
  if (function.pasid_bits != 0) {
    absl::StrAppend(&text, ", offering ", 1u << function.pasid_bits, " PASIDs");
  }
  if (function.smmu.valid()) {
    absl::StrAppend(&text, ", ", StreamsText(topology, id));
  } else {
    text +=
        ", behind no SMMU: firmware (IORT, or iommu-map of the device "
        "tree) maps its requester id nowhere, so that the driver never "
        "sees it and nobody writes its STU";
  }
  if (function.leader.valid()) {
    absl::StrAppend(&text, "; in the IOMMU group of ",
                    Name(topology, function.leader),
                    " (no ACS separates the two)");
  }
  if (function.untrusted) {
    text +=
        "; behind a port that firmware marks as external "
        "(ExternalFacingPort, external-facing), so that the kernel refuses "
        "its ATS";
  }
  if (function.requires_ats) {
    text +=
        "; it works with ATS on only (pci_ats_required: CXL.cache, or a "
        "quirk)";
  }
  if (function.eager) {
    text +=
        "; it has DMA under way all the time, and asks again for what its "
        "ATC has lost";
  }
  if (function.direct_pages != 0) {
    const model::Smmu& smmu = topology.at(function.smmu);
    absl::StrAppendFormat(
        &text,
        "; firmware goes on using %d pages at 0x%x for it (an RMR of the IORT, "
        "or iommu-addresses of the device tree)",
        function.direct_pages, model::IovaOf(smmu, function.direct_page));
  }
  if (function.default_domain == model::DefaultDomain::kIdentity) {
    text +=
        "; the default domain of its group is identity: boot with "
        "iommu.passthrough=1";
  }
  return text;
}

const char* GuestText(model::GuestEntry guest) {
  switch (guest) {
    case model::GuestEntry::kStage1:
      return "translates by the guest's stage 1";
    case model::GuestEntry::kBypass:
      return "bypasses stage 1";
    case model::GuestEntry::kAbort:
      return "aborts";
  }
  return "";
}

std::string DomainItem(const Topology& topology, DomainId id) {
  const Domain& domain = topology.at(id);
  if (domain.process) {
    return absl::StrCat(Name(id), ": the address space of a process");
  }
  if (domain.parent.valid()) {
    return absl::StrCat(Name(id),
                        ": what a guest's stream table entry says, "
                        "which ",
                        GuestText(domain.guest),
                        domain.guest_ats ? " with EATS on" : "", ", nested in ",
                        Name(domain.parent));
  }
  return absl::StrCat(Name(id), ": a page table of stage ", domain.stage,
                      " of ", Name(domain.smmu));
}

}  // namespace

std::vector<std::string> MachineItems(const Topology& topology) {
  std::vector<std::string> items;
  for (size_t i = 0; i < topology.smmus.size(); ++i) {
    items.push_back(SmmuItem(topology.smmus[i],
                             Name(model::SmmuId(static_cast<uint8_t>(i)))));
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    items.push_back(
        FunctionItem(topology, FunctionId(static_cast<uint8_t>(i))));
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    items.push_back(DomainItem(topology, DomainId(static_cast<uint8_t>(i))));
  }
  return items;
}

std::vector<std::string> KernelOptions(const Steps& steps) {
  using properties::Invariant;
  std::vector<std::string> options = {"ARM_SMMU_V3", "VFIO_PCI"};
  if (steps.interfaces.iommufd) {
    options.insert(options.end(), {"IOMMUFD", "VFIO_DEVICE_CDEV"});
  }
  bool processes = false, guests = false, allocations = false;
  for (const Domain& domain : steps.scenario.topology.domains) {
    processes |= domain.process;
    guests |= domain.parent.valid();
  }
  for (const model::Operation& operation : steps.scenario.operations) {
    allocations |= (ClassesOf(operation.faults) & model::kFaultAlloc) != 0;
  }
  if (guests) options.emplace_back("ARM_SMMU_V3_IOMMUFD");
  if (processes) {
    options.insert(options.end(), {"ARM_SMMU_V3_SVA", "UACCE"});
  }
  if (allocations) {
    options.insert(options.end(),
                   {"FAILSLAB", "FAIL_PAGE_ALLOC", "FAULT_INJECTION_DEBUG_FS"});
  }
  if (steps.invariant == Invariant::kMemorySafe) options.emplace_back("KASAN");
  if (steps.invariant == Invariant::kNoLeak) {
    options.emplace_back("DEBUG_KMEMLEAK");
  }
  if (steps.invariant == Invariant::kDataRace) options.emplace_back("KCSAN");
  if (steps.invariant == Invariant::kLockDiscipline) {
    options.emplace_back("PROVE_LOCKING");
    options.emplace_back("DEBUG_ATOMIC_SLEEP");
  }
  if (steps.invariant == Invariant::kProgress) {
    options.emplace_back("DETECT_HUNG_TASK");
  }
  return options;
}

}  // namespace atsfuzz::reproduce
