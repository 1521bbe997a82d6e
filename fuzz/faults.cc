#include "fuzz/faults.h"

namespace atsfuzz::fuzz {

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

// Most operations complete their commands with few CMD_SYNCs.
uint8_t DrawSync(Dice& dice) {
  return static_cast<uint8_t>(1u << dice.Below(dice.Chance(85) ? 3 : 8));
}

}  // namespace

Faults DrawFault(Dice& dice, OperationKind kind, uint8_t classes) {
  Faults faults;
  if (kind == OperationKind::kDma) return {};
  if (!model::ShapeOf(kind).function) classes &= OfDomains(kind);
  // The driver prepares ATS in a probe and nowhere else.
  if (kind != OperationKind::kProbe) {
    classes &= static_cast<uint8_t>(~model::kFaultPrepareAts);
  }
  if (classes == 0) return {};
  switch (1 << dice.Bit(classes)) {
    case model::kFaultAlloc:
      if (dice.Chance(30)) {
        faults.alloc_sites =
            static_cast<uint16_t>(1u << dice.Below(model::kAllocSites));
      } else {
        // Most operations allocate less than eight times; a map of a large
        // range allocates more often.
        const uint32_t most = dice.Chance(85) ? 8 : 64;
        faults.alloc_numbers = uint64_t{1} << dice.Below(most);
      }
      break;
    case model::kFaultPrepareAts:
      faults.prepare_ats = true;
      break;
    case model::kFaultEnableAts:
      faults.enable_ats = true;
      break;
    case model::kFaultConfigWrite:
      faults.config_writes =
          static_cast<uint8_t>(1u << dice.Below(dice.Chance(85) ? 3 : 8));
      break;
    case model::kFaultCmdSync:
      faults.cmd_syncs = DrawSync(dice);
      break;
    case model::kFaultAtcTimeout:
      // No kernel sends ATC invalidations more than a few times in a call.
      faults.atc_timeouts = static_cast<uint8_t>(1u << dice.Below(2));
      break;
  }
  return faults;
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
