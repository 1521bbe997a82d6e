#include "fuzz/faults.h"

namespace atsfuzz::fuzz {

using model::Faults;
using model::OperationKind;

Faults DrawFault(Dice& dice, OperationKind kind, uint8_t classes) {
  Faults faults;
  // Operations on domains write no config space; accesses and flushes allocate
  // nothing either.
  if (kind == OperationKind::kDma || kind == OperationKind::kFlush) return {};
  if (!model::ShapeOf(kind).function) classes &= model::kFaultAlloc;
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
  return kept;
}

}  // namespace atsfuzz::fuzz
