#ifndef ATSFUZZ_MODEL_CAPABILITIES_H_
#define ATSFUZZ_MODEL_CAPABILITIES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "model/limits.h"
#include "model/operation.h"
#include "model/schedule.h"
#include "model/topology.h"

// What a scenario may use on a system, and the promises of its IOMMU core that
// differ from kernel to kernel. A generator makes only what a system can do;
// whoever reads a scenario tells what it cannot.
namespace atsfuzz::model {

// When a paging domain gets its page table and its tag.
enum class Finalised : uint8_t {
  kByAllocation,  // 7.x: allocated through a function
  // 6.12: a stage 2 domain of an SMMU that has both stages is allocated without
  // a device, for iommu_enable_nesting, and finalised by its first attach.
  kStage2Late,
  kByAttach,  // 6.1: every domain by its first attach
};

struct Capabilities {
  // ---- What scenarios may use.
  bool pasids = false;         // set-pasid, clear-pasid, dma with a PASID
  bool replace_pasid = false;  // replace-pasid
  bool resets = false;         // reset-begin, reset-end
  bool groups = false;         // several functions in one group
  bool requires_ats = false;   // functions that require ATS
  bool nesting = false;        // nested domains
  bool replace = true;         // replace
  uint8_t functions = ATSFUZZ_MAX_FUNCTIONS;
  uint8_t domains = ATSFUZZ_MAX_DOMAINS;
  uint8_t streams = ATSFUZZ_MAX_STREAMS;  // of one function
  uint16_t pages = ATSFUZZ_MAX_PAGES;     // of a domain
  uint32_t largest_pasid = (1u << 20) - 1;

  // ---- What the core and the driver promise.
  Finalised finalised = Finalised::kStage2Late;
  // pci_ats_supported of a VF asks the PF too (7.3, and 6.12 by backport).
  bool ats_asks_pf = true;

  bool sva = false;     // what scenarios may use: processes, bind, unbind, exit
  bool direct = false;  // the same: functions with reserved regions
  bool threads = false;      // the same: `par` blocks
  bool weak_memory = false;  // the same: weak turns
  bool plain_stops = false;  // the same: turns up to a plain access

  bool operator==(const Capabilities&) const = default;
};

// Whether operations of `kind` can be run.
bool HasKind(const Capabilities& capabilities, OperationKind kind);

// What both can do. The promises are those of `a`.
Capabilities Meet(const Capabilities& a, const Capabilities& b);

// OK, or Unimplemented: "v1 is in p0's group, and linux:6.12 runs groups of one
// function only". `system` is the system's name.
absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Topology& topology);
absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Topology& topology, const Operation& operation);
absl::Status Fits(const Capabilities& capabilities, const std::string& system,
                  const Schedule& schedule);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_CAPABILITIES_H_
