#ifndef ATSFUZZ_FUZZ_DESIGN_H_
#define ATSFUZZ_FUZZ_DESIGN_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/machine/design.h"
#include "model/operation.h"
#include "model/scenario.h"
#include "properties/violation.h"

// Which fixes suffice? Of all combinations of the fix switches, those whose
// abstract machine keeps every invariant, by assumption.
//
//  1. The question is about ATS state. So machines have PFs and VFs with one
//     stream id each, distinct, one to a group, and one domain; no PASIDs, no
//     resets, no nesting: what a kernel gets wrong there no fix switch repairs.
//     Memory is short for what may fail, not for attaches that must succeed:
//     the core WARNs by design when those fail.
//  2. A set is refuted by a scenario that violates any invariant of the
//     reference checker under the assumption, and is given with the shortest.
//  3. It is called sufficient if none was found (a) by breadth-first search
//  over
//     the states of each small machine of Machines(), with every operation but
//     those on pages, up to `depth` operations or until no state is new, and
//     (b) in `runs` generated scenarios, pages included. That is a bounded
//     search and no proof.
//  4. A sufficient and usable set is minimal if no such set makes fewer of the
//     same choices.
namespace atsfuzz::fuzz {

// What may go wrong: nothing, or one class of faults that a driver could see. A
// lost config write it cannot see.
inline constexpr std::array<uint8_t, 4> kAssumptions = {
    0, model::kFaultPrepareAts, model::kFaultEnableAts, model::kFaultAlloc};
// "honest", "prepare-ats", ...
absl::string_view AssumptionName(uint8_t faults);

struct Verdict {
  bool sufficient = false, minimal = false;
  // Of an insufficient set.
  model::Scenario counterexample;
  properties::Violation violation;
  // Whether the breadth-first searches saw every state that there is.
  bool complete = false;
  uint64_t states = 0, operations = 0;
};

struct DesignSet {
  machine::Design design;
  // A function without ATS can be probed. A design that refuses it keeps every
  // invariant and is of no use: it is never minimal.
  bool usable = false;
  // The choices that differ from none: "vf-stu-check=on".
  std::vector<std::string> switches;
  std::array<Verdict, kAssumptions.size()> verdicts;
};

struct DesignOptions {
  machine::Design base;  // its fix switches are ignored
  int depth = 6;
  uint64_t runs = 2000;
  uint64_t seed = 1;
  // True: end with the sets that are finished.
  std::function<bool()> interrupted;
  std::function<void(size_t done, size_t sets)> progress;
};

// Every combination, from none on; fewer if interrupted.
std::vector<DesignSet> SearchDesigns(const DesignOptions& options);

// The verdict on one design under one assumption; `minimal` is not set.
Verdict JudgeDesign(const machine::Design& design, uint8_t faults,
                    const DesignOptions& options);

// Whether a function without ATS can be probed.
bool IsUsable(const machine::Design& design);

// The small machines of rule 3.
std::vector<model::Topology> Machines();

// `base` without any fix, and the text of the fixes of a design.
machine::Design WithoutFixes(const machine::Design& base);
std::vector<std::string> FixesOf(const machine::Design& design);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_DESIGN_H_
