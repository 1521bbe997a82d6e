#ifndef ATSFUZZ_FUZZ_SIGNATURE_H_
#define ATSFUZZ_FUZZ_SIGNATURE_H_

#include <string>
#include <vector>

#include "model/operation.h"
#include "model/system.h"
#include "properties/violation.h"

// The identity of a finding, stable across seeds, runs and unrelated edits of
// the kernel: invariant + aspect + driver function + hash of the source line's
// text (never its number) + assumption class.
namespace atsfuzz::fuzz {

struct Signature {
  properties::Invariant invariant = properties::Invariant::kNoWarning;
  uint8_t assumes = 0;   // set of FaultClass; 0: honest
  std::string function;  // driver function or model step; "" if unknown
  // "belief-matches-device-3f2a91": folder name and key. Equal strings, equal
  // signatures.
  std::string text;

  bool operator==(const Signature& other) const { return text == other.text; }
  auto operator<=>(const Signature& other) const { return text <=> other.text; }
};

// The signature of a violation that `system` has just shown: must be called
// before the next operation, with a system that Locates() (otherwise the
// function is unknown and signatures are coarser). `assumes` is the set of
// fault classes that the scenario uses.
Signature SignatureOf(const properties::Violation& violation, uint8_t assumes,
                      model::System& system);

// The frame a violation is attributed to: the innermost one that is not part of
// the plumbing every command goes through (arm_smmu_cmdq_*, entry writers,
// locks). Unknown if the stack is empty.
model::Location Blame(const std::vector<model::Location>& stack);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SIGNATURE_H_
