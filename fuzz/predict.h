#ifndef ATSFUZZ_FUZZ_PREDICT_H_
#define ATSFUZZ_FUZZ_PREDICT_H_

#include "model/contract.h"
#include "model/scenario.h"

// What an operation will probably return, told without running it. Engines that
// compose scenarios use it to go on from a likely state; nothing depends on its
// being right.
namespace atsfuzz::fuzz {

// 0 or a negative errno. REQUIRES: contract.Allows(operation).
int PredictResult(const model::Contract& contract,
                  const model::Operation& operation);

// Tells `contract` of the operation, its implicit allocation included, as if it
// had returned what PredictResult says. REQUIRES: as above.
void ApplyPrediction(const model::Operation& operation,
                     model::Contract* contract);

// `scenario` without the operations that the contract would refuse if every
// other one returned what PredictResult says.
model::Scenario WithoutImpossible(const model::Scenario& scenario,
                                  const model::Capabilities& capabilities = {});

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PREDICT_H_
