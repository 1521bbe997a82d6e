#include "fuzz/faults.h"

#include <cassert>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace atsfuzz::fuzz {

using model::FaultClass;
using model::Faults;
using model::OperationKind;

namespace {

// Operations on domains write no config space, flushes allocate nothing, and
// only those that invalidate give the SMMU commands.
uint8_t OfDomains(OperationKind kind) {
  switch (kind) {
    case OperationKind::kUnmap:
      return model::kFaultAlloc | model::kFaultCmdSync |
             model::kFaultAtcTimeout;
    case OperationKind::kFlush:
      return model::kFaultCmdSync | model::kFaultAtcTimeout;
    case OperationKind::kDomainFree:
      return model::kFaultAlloc | model::kFaultCmdSync;
    default:
      return model::kFaultAlloc;
  }
}

// Most operations do few of what can fail.
int DrawNumber(Dice& dice, FaultClass fault) {
  uint32_t most = 1;
  switch (fault) {
    case model::kFaultAlloc:
      // A map of a large range allocates often.
      most = dice.Chance(85) ? 8 : 64;
      break;
    case model::kFaultConfigWrite:
    case model::kFaultCmdSync:
      most = dice.Chance(85) ? 3 : 8;
      break;
    case model::kFaultAtcTimeout:
      // No kernel sends ATC invalidations more than a few times in a call.
      most = 2;
      break;
    default:
      return 1;
  }
  return 1 + static_cast<int>(dice.Below(most));
}

}  // namespace

int Numbers(FaultClass fault) {
  switch (fault) {
    case model::kFaultAlloc:
      return 64;
    case model::kFaultConfigWrite:
    case model::kFaultCmdSync:
    case model::kFaultAtcTimeout:
      return 8;
    default:
      return 1;
  }
}

Faults FaultAt(FaultClass fault, int number) {
  assert(number >= 1 && number <= Numbers(fault));
  Faults faults;
  switch (fault) {
    case model::kFaultAlloc:
      faults.alloc_numbers = uint64_t{1} << (number - 1);
      break;
    case model::kFaultPrepareAts:
      faults.prepare_ats = true;
      break;
    case model::kFaultEnableAts:
      faults.enable_ats = true;
      break;
    case model::kFaultConfigWrite:
      faults.config_writes = static_cast<uint8_t>(1u << (number - 1));
      break;
    case model::kFaultCmdSync:
      faults.cmd_syncs = static_cast<uint8_t>(1u << (number - 1));
      break;
    case model::kFaultAtcTimeout:
      faults.atc_timeouts = static_cast<uint8_t>(1u << (number - 1));
      break;
  }
  return faults;
}

Faults DrawFault(Dice& dice, OperationKind kind, uint8_t classes) {
  Faults faults;
  if (kind == OperationKind::kDma) return {};
  if (!model::ShapeOf(kind).function) classes &= OfDomains(kind);
  // The driver prepares ATS in a probe and nowhere else.
  if (kind != OperationKind::kProbe) {
    classes &= static_cast<uint8_t>(~model::kFaultPrepareAts);
  }
  if (classes == 0) return {};
  const auto fault = static_cast<FaultClass>(1 << dice.Bit(classes));
  if (fault == model::kFaultAlloc && dice.Chance(30)) {
    faults.alloc_sites =
        static_cast<uint16_t>(1u << dice.Below(model::kAllocSites));
    return faults;
  }
  return FaultAt(fault, DrawNumber(dice, fault));
}

absl::StatusOr<uint8_t> ParseFaultClasses(absl::string_view text) {
  if (text == "none") return 0;
  if (text == "all") return model::kAllFaults;
  uint8_t classes = 0;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    uint8_t found = 0;
    std::vector<absl::string_view> names;
    for (int i = 0; i < model::kFaultClasses; ++i) {
      const auto fault = static_cast<FaultClass>(1 << i);
      names.push_back(model::FaultClassName(fault));
      if (name == names.back()) found = fault;
    }
    if (found == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("found `", name, "`, expected none, all or a list of ",
                       absl::StrJoin(names, ", ")));
    }
    classes |= found;
  }
  return classes;
}

Faults OnlyClasses(const Faults& faults, uint8_t classes) {
  Faults kept;
  if (classes & model::kFaultAlloc) {
    kept.alloc_numbers = faults.alloc_numbers;
    kept.alloc_sites = faults.alloc_sites;
  }
  if (classes & model::kFaultPrepareAts) kept.prepare_ats = faults.prepare_ats;
  if (classes & model::kFaultEnableAts) kept.enable_ats = faults.enable_ats;
  if (classes & model::kFaultConfigWrite) {
    kept.config_writes = faults.config_writes;
  }
  if (classes & model::kFaultCmdSync) kept.cmd_syncs = faults.cmd_syncs;
  if (classes & model::kFaultAtcTimeout) {
    kept.atc_timeouts = faults.atc_timeouts;
  }
  return kept;
}

}  // namespace atsfuzz::fuzz
