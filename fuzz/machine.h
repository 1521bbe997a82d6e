#ifndef ATSFUZZ_FUZZ_MACHINE_H_
#define ATSFUZZ_FUZZ_MACHINE_H_

#include <cstdint>
#include <vector>

#include "fuzz/dice.h"
#include "model/capabilities.h"
#include "model/scenario.h"

// Random machines and parts of machines, for the generator and the mutator.
namespace atsfuzz::fuzz {

// A valid topology that fits `capabilities`. `well_behaved`: as GenerateOptions
// says.
model::Topology DrawTopology(Dice& dice, bool well_behaved,
                             const model::Capabilities& capabilities = {});

// Draws function `id` of `topology` afresh; ids below it must be filled in. The
// result is valid, except that a VF of `id` may have lost its PF.
model::Function DrawFunction(Dice& dice, const model::Topology& topology,
                             model::FunctionId id, bool well_behaved,
                             const model::Capabilities& capabilities = {});
model::Smmu DrawSmmu(Dice& dice);
// Domain `id`, of a stage that its SMMU has or nested in one below it.
model::Domain DrawDomain(Dice& dice, const model::Topology& topology,
                         model::DomainId id,
                         const model::Capabilities& capabilities = {});

// Makes any topology valid by the smallest changes: references out of range are
// folded, a VF without PF becomes a PF, a function that cannot be in its group
// leaves it, a domain takes a stage that its SMMU has. For mutated machines.
void MakeValid(model::Topology* topology);

// Folds the ids, streams and ranges of an operation into what `topology` has
// and sets the arguments that its kind does not use to their defaults. Returns
// false if the operation names a domain and there is none.
bool FitOperation(const model::Topology& topology, model::Operation* operation);

// Names PASIDs of the first operations in the last ones, so that there are not
// more different ones than a scenario may have.
void FitPasids(std::vector<model::Operation>* operations);

// `scenario` without what `capabilities` lack: things, attributes, operations.
model::Scenario Restricted(const model::Scenario& scenario,
                           const model::Capabilities& capabilities);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_MACHINE_H_
