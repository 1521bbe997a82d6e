#ifndef ATSFUZZ_MODEL_OPERATION_H_
#define ATSFUZZ_MODEL_OPERATION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/ids.h"
#include "model/topology.h"

// What a scenario does, one kernel call (or one device access) an operation.
// An operation is a small value: generators, mutators and the shrinker copy
// millions of them.
namespace atsfuzz::model {

enum class OperationKind : uint8_t {
  kProbe,       // probe f           iommu_probe_device, at bus add
  kRelease,     // release f         iommu_release_device, at removal
  kClaim,       // claim f           iommu_group_claim_dma_owner of f's group
  kUnclaim,     // unclaim f         iommu_group_release_dma_owner
  kAttach,      // attach f d        iommu_attach_group
  kReplace,     // replace f d       iommu_replace_group_handle
  kDetach,      // detach f          iommu_detach_group
  kSetDefault,  // set-default f identity|dma    sysfs `type` of f's group
  kMap,         // map d P[..Q]      iommu_map of fresh physical pages
  kUnmap,       // unmap d P[..Q] [queued]  iommu_unmap, strict unless queued
  kFlush,       // flush d           iommu_flush_iotlb_all
  kDma,         // dma f P [stream=K]  the device accesses page P
  kDomainNew,   // domain-new d      iommu_paging_domain_alloc (or 6.x nesting)
  kDomainFree,  // domain-free d     iommu_domain_free
  kSetPasid,    // set-pasid f N d      iommu_attach_device_pasid
  kReplacePasid,  // replace-pasid f N d  iommu_replace_device_pasid
  kClearPasid,    // clear-pasid f N      iommu_detach_device_pasid
  kResetBegin,  // reset-begin f     pci_dev_reset_iommu_prepare, then the reset
  kResetEnd,    // reset-end f       pci_dev_reset_iommu_done
  // Of a function whose group is in a nested domain:
  kVdeviceFree,  // vdevice-free f   IOMMU_DESTROY of f's vDEVICE
  kGuestFlush,   // guest-flush f    IOMMU_HWPT_INVALIDATE: all that is f's
                 // guest's
  kBind,         // bind f d          iommu_sva_bind_device
  kUnbind,       // unbind f d        iommu_sva_unbind_device
  kExit,         // exit d            the process's last thread ends: exit_mmap
};
inline constexpr int kOperationKinds = 24;

// On a process, three kinds mean what the process does itself: map is mmap,
// unmap is munmap (the notifier runs instead of a gather's sync), flush is
// flush_tlb_mm.

// Where the driver or its core allocates, by purpose and not by function name,
// so that a scenario means the same on the model and on every kernel.
enum class AllocSite : uint8_t {
  kMaster,       // the driver's record of a function
  kStreams,      // its stream array
  kStreamTable,  // a second-level stream table
  kCdTable,      // a CD table (first level, or linear)
  kCdLeaf,       // a second-level CD table
  kAttachment,   // arm_smmu_master_domain
  kDomain,       // arm_smmu_domain
  kPageTable,    // io-pgtable instance or table page
  kId,           // ASID or VMID
  kGroup,        // iommu_group, its name, links and members
  kCore,         // any other allocation of the IOMMU core
  kMerge,        // an invalidation array (7.1+)
};
inline constexpr int kAllocSites = 12;

// What the environment does wrong during one operation. All clear: honest.
struct Faults {
  // Bit n-1: the operation's n-th allocation (n = 1 .. 64) fails.
  uint64_t alloc_numbers = 0;
  // Bit s: every allocation at AllocSite s fails.
  uint16_t alloc_sites = 0;
  bool prepare_ats = false;  // pci_prepare_ats fails with -EIO, does nothing
  bool enable_ats = false;   // pci_enable_ats fails with -EIO, does nothing
  // Bit n-1: the n-th write to PCI config space (n = 1 .. 8) is lost.
  uint8_t config_writes = 0;
  // Bit n-1: the SMMU stalls before the commands that the operation's n-th
  // CMD_SYNC (n = 1 .. 8) completes. The driver waits for it until its timeout;
  // the SMMU goes on when the driver next gives it a command, be that in a
  // later operation. A CMD_SYNC that completes the same commands as the one
  // right before it counts with it: how many of them the update of one entry
  // takes is the driver's affair. One that completes nothing does not count.
  uint8_t cmd_syncs = 0;
  // Bit n-1: no function answers the ATC invalidations that the n-th CMD_SYNC
  // among those that complete any (counted alike) waits for. The ATCs stay as
  // they are, and the SMMU stops with CERROR_ATC_INV_SYNC; once the driver has
  // acknowledged the error, the repeated CMD_SYNC completes, since nothing is
  // outstanding any more.
  uint8_t atc_timeouts = 0;

  bool any() const { return *this != Faults{}; }
  bool operator==(const Faults&) const = default;
};

// Fault classes, as a bit set: what `--faults` selects, what a run may use and
// what a finding assumes.
enum FaultClass : uint8_t {
  kFaultAlloc = 1,
  kFaultPrepareAts = 2,
  kFaultEnableAts = 4,
  kFaultConfigWrite = 8,
  kFaultCmdSync = 16,
  kFaultAtcTimeout = 32,
};
inline constexpr int kFaultClasses = 6;
inline constexpr uint8_t kAllFaults = 63;
uint8_t ClassesOf(const Faults& faults);
// "alloc", "prepare-ats", "enable-ats", "config-write", "cmd-sync",
// "atc-timeout".
absl::string_view FaultClassName(FaultClass fault);

struct Operation {
  OperationKind kind = OperationKind::kProbe;
  FunctionId function;  // kinds that name a function (see Uses)
  DomainId domain;      // kinds that name a domain
  uint8_t stream = 0;   // kDma: index into the function's streams
  // kSetPasid, kReplacePasid, kClearPasid: 1 .. 2^20 - 1. kDma: 0 for traffic
  // without PASID.
  uint32_t pasid = 0;
  uint16_t page = 0;    // kMap, kUnmap, kDma: first page
  uint16_t pages = 1;   // kMap, kUnmap: number of pages, 1 or more
  bool queued = false;  // kUnmap: no IOTLB sync until a flush
  DefaultDomain default_domain = DefaultDomain::kDma;  // kSetDefault
  Faults faults;
  // Of the `par` block, from 1 on (model/block.h); 0: outside of it.
  uint8_t thread = 0;

  bool operator==(const Operation&) const = default;
};

// Which arguments a kind has, for printers, mutators and the shrinker.
struct OperationShape {
  absl::string_view name;  // as in the text: "set-default"
  bool function = false, domain = false, page = false, range = false,
       stream = false, queued = false, default_domain = false;
  // Has a PASID as its second argument (kDma has it as `pasid=N`).
  bool pasid = false;
  // The kernel's callers rely on it: a failure is a kernel WARN, not an error.
  bool must_succeed = false;
};
const OperationShape& ShapeOf(OperationKind kind);
absl::string_view AllocSiteName(AllocSite site);

inline constexpr uint32_t kMaxPasid = (1u << 20) - 1;

// Notes the PASID that `operation` names, if any, among the different ones of a
// scenario. False, and nothing noted, if it would be one too many.
bool AddPasid(const Operation& operation, std::vector<uint32_t>* pasids);

// One line of scenario text, without newline: "attach v0 d0  !alloc#3".
std::string ToText(const Topology& topology, const Operation& operation);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_OPERATION_H_
