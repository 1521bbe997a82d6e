#ifndef ATSFUZZ_FUZZ_SHRINK_H_
#define ATSFUZZ_FUZZ_SHRINK_H_

#include <cstdint>
#include <functional>

#include "model/capabilities.h"
#include "model/scenario.h"

// The shrinker: the smallest scenario that still shows the same signature.
//
// Result is minimal in the strict sense: removing any one operation, fault,
// function, domain or SMMU, or replacing any one argument or attribute by a
// simpler one, loses the signature. Shrinking a result changes nothing. The
// order of attempts is fixed, and the result is canonical (names, stream ids,
// pages, order of independent operations), so two inputs with the same
// signature usually give the same scenario.
namespace atsfuzz::fuzz {

// True if the scenario runs and shows the wanted signature.
using Predicate = std::function<bool(const model::Scenario&)>;

struct ShrinkStats {
  uint64_t attempts = 0;
  uint64_t accepted = 0;
  bool interrupted = false;
};

// `scenario` must satisfy `fails`. `stop` is asked now and then; when it says
// true the best so far is returned and stats.interrupted is set.
// `capabilities`: the system's, whose promises tell what is possible.
model::Scenario Shrink(const model::Scenario& scenario, const Predicate& fails,
                       ShrinkStats* stats = nullptr,
                       const std::function<bool()>& stop = nullptr,
                       const model::Capabilities& capabilities = {});

// The order the shrinker descends: lexicographic by operations, faults,
// functions, domains, SMMUs, and then the cost of arguments and attributes.
bool Simpler(const model::Scenario& a, const model::Scenario& b);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SHRINK_H_
