#ifndef ATSFUZZ_FUZZ_RENUMBER_H_
#define ATSFUZZ_FUZZ_RENUMBER_H_

#include "model/scenario.h"

// The same scenario under other ids. Stream ids that belong to a function by
// default move with it; whether the result is valid, the caller checks.
namespace atsfuzz::fuzz {

// Without one thing and the operations that name it; later ids move down. VFs
// of a dropped function become PFs, its group is led by the next one; domains
// nested in a dropped one are plain; what was behind a dropped SMMU is behind
// none, and domains go to s0. REQUIRES: the thing exists; it is not the last
// function or SMMU.
model::Scenario Without(const model::Scenario& scenario, model::FunctionId id);
model::Scenario Without(const model::Scenario& scenario, model::DomainId id);
model::Scenario Without(const model::Scenario& scenario, model::SmmuId id);

// Every mention of `from` says `to` instead; `from` is dropped.
model::Scenario Merged(const model::Scenario& scenario, model::FunctionId from,
                       model::FunctionId to);
model::Scenario Merged(const model::Scenario& scenario, model::DomainId from,
                       model::DomainId to);
model::Scenario Merged(const model::Scenario& scenario, model::SmmuId from,
                       model::SmmuId to);

// `a` and `b` exchange their ids.
model::Scenario Swapped(const model::Scenario& scenario, model::FunctionId a,
                        model::FunctionId b);
model::Scenario Swapped(const model::Scenario& scenario, model::DomainId a,
                        model::DomainId b);
model::Scenario Swapped(const model::Scenario& scenario, model::SmmuId a,
                        model::SmmuId b);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_RENUMBER_H_
