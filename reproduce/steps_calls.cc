#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/address.h"
#include "reproduce/steps_parts.h"

namespace atsfuzz::reproduce {
namespace {

using model::Contract;
using model::DomainId;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Topology;

constexpr char kAttach[] = "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
constexpr char kDetach[] = "VFIO_DEVICE_DETACH_IOMMUFD_PT";

// An operation in its place.
struct Place {
  const RecordedCall& call;
  const Operation& operation;
  const Contract& before;
  const UserInterfaces& has;

  const Topology& topology() const { return before.topology(); }
  std::string function() const { return Name(topology(), operation.function); }
  std::string domain() const { return Name(operation.domain); }
  std::string device() const {
    return absl::StrCat("/sys/bus/pci/devices/", function());
  }
  // The functions of its group that are there, as "p0 and p1".
  std::string Group() const {
    std::vector<std::string> names;
    const uint16_t members = model::MembersOf(topology(), operation.function);
    for (uint8_t i = 0; i < topology().functions.size(); ++i) {
      if ((members >> i & 1) != 0 && before.function(FunctionId(i)).probed) {
        names.push_back(Name(topology(), FunctionId(i)));
      }
    }
    return absl::StrJoin(names, " and ");
  }
  bool owned() const { return before.function(operation.function).owned; }
};

std::string Pages(const Place& place) {
  const model::Smmu& smmu =
      place.topology().at(place.topology().at(place.operation.domain).smmu);
  return absl::StrFormat("IOVA 0x%x, 0x%x bytes",
                         model::IovaOf(smmu, place.operation.page),
                         uint64_t{place.operation.pages} << smmu.PageShift());
}

Means Probe(const Place& place) {
  const model::Function& function =
      place.topology().at(place.operation.function);
  switch (function.kind) {
    case model::FunctionKind::kVf:
      return {
          absl::StrCat("make the virtual functions: write their number to "
                       "/sys/bus/pci/devices/",
                       Name(place.topology(), function.pf), "/sriov_numvfs")};
    case model::FunctionKind::kPlatform:
      return {absl::StrCat("bind ", place.function(),
                           "'s driver: write its name to the driver's bind "
                           "file")};
    case model::FunctionKind::kPf:
      break;
  }
  return {
      "the function appears on the bus: plug it in, or write 1 to "
      "/sys/bus/pci/rescan after its remove file; at boot it has happened "
      "already"};
}

Means Release(const Place& place) {
  const model::Function& function =
      place.topology().at(place.operation.function);
  switch (function.kind) {
    case model::FunctionKind::kVf:
      return {
          absl::StrCat("remove the virtual functions: write 0 to "
                       "/sys/bus/pci/devices/",
                       Name(place.topology(), function.pf), "/sriov_numvfs")};
    case model::FunctionKind::kPlatform:
      return {absl::StrCat("remove the device of ", place.function(),
                           " (unload the module that made it)")};
    case model::FunctionKind::kPf:
      break;
  }
  return {absl::StrCat("write 1 to ", place.device(), "/remove")};
}

Means Claim(const Place& place) {
  if (!place.has.iommufd) {
    return {absl::StrCat("bind ", place.Group(),
                         " to vfio-pci, open the group's file below /dev/vfio "
                         "and give it a container (VFIO_GROUP_SET_CONTAINER)")};
  }
  return {absl::StrCat("bind ", place.Group(),
                       " to vfio-pci (driver_override), open ",
                       place.function(),
                       "'s file below /dev/vfio/devices, and "
                       "VFIO_DEVICE_BIND_IOMMUFD with a descriptor of "
                       "/dev/iommu")};
}

// Why an attach cannot be asked for: nobody but a driver attaches a group that
// is in use by its drivers.
std::string NotOwned(const Place& place) {
  if (place.owned()) return "";
  return absl::StrCat(
      "nobody has claimed the group of ", place.function(),
      ": VFIO and iommufd claim it first; only a kernel driver that manages "
      "its "
      "own domain (iommu_attach_group, iommu_attach_device) attaches without");
}

Means Attach(const Place& place) {
  if (!place.has.iommufd) {
    return {absl::StrCat("VFIO_SET_IOMMU of the container that stands for ",
                         place.domain(), ", or of a group that joins it"),
            NotOwned(place)};
  }
  return {absl::StrCat(kAttach, " of ", place.function(), " with the pt_id of ",
                       place.domain()),
          NotOwned(place)};
}

Means Replace(const Place& place) {
  return {absl::StrCat(kAttach, " of ", place.function(),
                       ", which is attached, "
                       "with the pt_id of ",
                       place.domain()),
          place.has.iommufd ? NotOwned(place)
                            : "this kernel has no such call of iommufd"};
}

Means Detach(const Place& place) {
  if (!place.has.iommufd) {
    return {"VFIO_GROUP_UNSET_CONTAINER, or the group's file is closed"};
  }
  return {absl::StrCat(kDetach, " of ", place.function()),
          place.owned() ? "" : "the driver that attached it detaches it"};
}

Means SetDefault(const Place& place) {
  const bool identity =
      place.operation.default_domain == model::DefaultDomain::kIdentity;
  return {absl::StrCat("unbind the drivers of ", place.Group(), ", and write ",
                       identity ? "identity" : "DMA", " to ", place.device(),
                       "/iommu_group/type")};
}

Means Map(const Place& place) {
  if (place.topology().at(place.operation.domain).process) {
    return {absl::StrCat("the process of ", place.domain(),
                         " maps memory (mmap) and touches it: ", Pages(place))};
  }
  return {absl::StrCat(place.has.iommufd ? "IOMMU_IOAS_MAP of the IOAS of "
                                         : "VFIO_IOMMU_MAP_DMA of ",
                       place.domain(), ": ", Pages(place))};
}

Means Unmap(const Place& place) {
  if (place.topology().at(place.operation.domain).process) {
    return {absl::StrCat("the process of ", place.domain(), " munmaps ",
                         Pages(place))};
  }
  Means means{absl::StrCat(place.has.iommufd
                               ? "IOMMU_IOAS_UNMAP of the IOAS of "
                               : "VFIO_IOMMU_UNMAP_DMA of ",
                           place.domain(), ": ", Pages(place))};
  if (place.operation.queued) {
    means.obstacle =
        "it leaves the IOTLB as it is until a flush, as only the DMA API's "
        "flush queue does (iommu.strict=0), in a default domain";
  }
  return means;
}

Means Flush(const Place& place) {
  if (place.topology().at(place.operation.domain).process) {
    return {absl::StrCat("the process of ", place.domain(),
                         " makes the kernel flush its whole TLB: it forks, or "
                         "changes the protection of much memory (mprotect)")};
  }
  return {absl::StrCat("iommu_flush_iotlb_all of ", place.domain()),
          "the DMA API's flush queue does so by itself, when it is full or its "
          "timer ends"};
}

Means Dma(const Place& place) {
  const Operation& operation = place.operation;
  const model::SmmuId smmu = place.topology().at(operation.function).smmu;
  std::string how = absl::StrCat(
      place.function(), "'s own DMA engine reads or writes ",
      smmu.valid() ? absl::StrFormat("IOVA 0x%x",
                                     model::IovaOf(place.topology().at(smmu),
                                                   operation.page))
                   : "memory");
  if (operation.pasid != 0) {
    absl::StrAppend(&how, " with PASID ", operation.pasid);
  }
  if (operation.stream != 0) {
    absl::StrAppend(&how, " by its stream id number ", operation.stream);
  }
  absl::StrAppend(&how,
                  ": give it a descriptor (a queue entry of a NIC, of "
                  "NVMe, of a DMA engine) that says so");
  return {how};
}

Means DomainNew(const Place& place) {
  const model::Domain& domain = place.topology().at(place.operation.domain);
  const std::string through =
      place.call.call.through.valid()
          ? Name(place.topology(), place.call.call.through)
          : "a function";
  if (domain.parent.valid()) {
    return {absl::StrCat(
                "IOMMU_VIOMMU_ALLOC (IOMMU_VIOMMU_TYPE_ARM_SMMUV3) for ",
                through, " with the pt_id of ", Name(domain.parent),
                ", IOMMU_VDEVICE_ALLOC for each function, and IOMMU_HWPT_ALLOC "
                "(IOMMU_HWPT_DATA_ARM_SMMUV3) with the vIOMMU as pt_id and the "
                "guest's stream table entry as data"),
            place.has.vdevices ? "" : "this kernel has no IOMMU_VDEVICE_ALLOC"};
  }
  if (!place.has.hwpts) {
    const bool nesting = domain.stage == 2 && place.has.nesting_containers;
    return {absl::StrCat(
        "open /dev/vfio/vfio: a container for ", place.domain(), " (",
        nesting ? "VFIO_TYPE1_NESTING_IOMMU" : "VFIO_TYPE1v2_IOMMU",
        "); its domain is made with the first group")};
  }
  if (domain.stage == 2) {
    return {
        absl::StrCat("IOMMU_IOAS_ALLOC, and IOMMU_HWPT_ALLOC with "
                     "IOMMU_HWPT_ALLOC_NEST_PARENT for ",
                     through)};
  }
  return {absl::StrCat("IOMMU_IOAS_ALLOC, and IOMMU_HWPT_ALLOC for ", through,
                       " (or let the first attach to the IOAS do it)")};
}

Means DomainFree(const Place& place) {
  return {absl::StrCat(place.has.hwpts ? "IOMMU_DESTROY of the HWPT of "
                                       : "close the container of ",
                       place.domain())};
}

Means Pasid(const Place& place) {
  const bool clear = place.operation.kind == OperationKind::kClearPasid;
  Means means;
  if (clear) {
    means.how = absl::StrCat(kDetach, " of ", place.function(),
                             " with VFIO_DEVICE_DETACH_PASID and PASID ",
                             place.operation.pasid);
  } else {
    means.how = absl::StrCat(kAttach, " of ", place.function(),
                             " with VFIO_DEVICE_ATTACH_PASID, PASID ",
                             place.operation.pasid, " and the pt_id of ",
                             place.domain());
    if (place.has.pasids) {
      means.how += ", a HWPT of IOMMU_HWPT_ALLOC_PASID";
    }
  }
  if (!place.has.pasids) {
    means.obstacle =
        "this kernel has no VFIO_DEVICE_ATTACH_PASID: only a kernel driver "
        "attaches a PASID (iommu_attach_device_pasid)";
  } else if (!place.owned() && !clear) {
    means.obstacle = NotOwned(place);
  }
  return means;
}

Means Reset(const Place& place) {
  if (place.operation.kind == OperationKind::kResetEnd) {
    return {absl::StrCat("the reset of ", place.function(), " ends")};
  }
  return {absl::StrCat(
      "a function level reset of ", place.function(), " begins: write 1 to ",
      place.device(),
      "/reset, or VFIO_DEVICE_RESET. It takes 100 ms and more: what comes "
      "before its end is done by another process meanwhile")};
}

Means VdeviceFree(const Place& place) {
  return {absl::StrCat("IOMMU_DESTROY of ", place.function(), "'s vDEVICE")};
}

Means GuestFlush(const Place& place) {
  return {absl::StrCat("IOMMU_HWPT_INVALIDATE of the vIOMMU of ",
                       place.function(),
                       " (IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3) with the "
                       "guest's commands that invalidate everything")};
}

Means Bind(const Place& place) {
  if (place.operation.kind == OperationKind::kUnbind) {
    return {absl::StrCat("the process of ", place.domain(), " closes ",
                         place.function(), "'s file")};
  }
  return {absl::StrCat(
      "the process of ", place.domain(), " opens ", place.function(),
      " through a driver that binds it (iommu_sva_bind_device), "
      "as uacce does for a file with UACCE_DEV_SVA")};
}

Means Exit(const Place& place) {
  return {absl::StrCat("kill the process of ", place.domain(),
                       ": its address space goes (exit_mmap) before its files "
                       "are closed")};
}

Means Dispatch(const Place& place) {
  switch (place.operation.kind) {
    case OperationKind::kProbe:
      return Probe(place);
    case OperationKind::kRelease:
      return Release(place);
    case OperationKind::kClaim:
      return Claim(place);
    case OperationKind::kUnclaim:
      return {absl::StrCat("close ", place.function(), "'s VFIO file")};
    case OperationKind::kAttach:
      return Attach(place);
    case OperationKind::kReplace:
      return Replace(place);
    case OperationKind::kDetach:
      return Detach(place);
    case OperationKind::kSetDefault:
      return SetDefault(place);
    case OperationKind::kMap:
      return Map(place);
    case OperationKind::kUnmap:
      return Unmap(place);
    case OperationKind::kFlush:
      return Flush(place);
    case OperationKind::kDma:
      return Dma(place);
    case OperationKind::kDomainNew:
      return DomainNew(place);
    case OperationKind::kDomainFree:
      return DomainFree(place);
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
    case OperationKind::kClearPasid:
      return Pasid(place);
    case OperationKind::kResetBegin:
    case OperationKind::kResetEnd:
      return Reset(place);
    case OperationKind::kVdeviceFree:
      return VdeviceFree(place);
    case OperationKind::kGuestFlush:
      return GuestFlush(place);
    case OperationKind::kBind:
    case OperationKind::kUnbind:
      return Bind(place);
    case OperationKind::kExit:
      return Exit(place);
  }
  return {};
}

}  // namespace

Means MeansOf(const RecordedCall& call, const Contract& before,
              const UserInterfaces& interfaces) {
  return Dispatch({call, call.call.operation, before, interfaces});
}

std::vector<std::string> FaultItems(const model::Faults& faults) {
  std::vector<std::string> items;
  if (faults.alloc_numbers != 0 || faults.alloc_sites != 0) {
    items.emplace_back(
        "an allocation fails: write N to /proc/thread-self/fail-nth before the "
        "system call, N = 1, 2, ... until it is the right one (the numbers "
        "here count the IOMMU's allocations alone); pages that the SMMU reads "
        "come from fail_page_alloc");
  }
  if (faults.prepare_ats || faults.enable_ats) {
    items.push_back(absl::StrCat(
        faults.prepare_ats ? "pci_prepare_ats" : "pci_enable_ats",
        " fails with -EIO: user space cannot make it; a kretprobe on it, or "
        "a line in the driver, can"));
  }
  if (faults.config_writes != 0) {
    items.emplace_back(
        "a write to the function's config space is lost: the link or the "
        "function is broken; in a model of the machine (QEMU) it can be "
        "dropped");
  }
  if (faults.cmd_syncs != 0) {
    items.emplace_back(
        "the SMMU stalls for longer than the driver waits (1 s) and then goes "
        "on: a matter of hardware, or of a model of it");
  }
  if (faults.atc_timeouts != 0) {
    items.emplace_back(
        "the function does not answer an ATC invalidation: it is being reset, "
        "or its link is down");
  }
  return items;
}

}  // namespace atsfuzz::reproduce
