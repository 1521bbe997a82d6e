#ifndef ATSFUZZ_FUZZ_GENERATE_H_
#define ATSFUZZ_FUZZ_GENERATE_H_

#include <cstdint>
#include <optional>

#include "model/capabilities.h"
#include "model/scenario.h"
#include "rapidcheck.h"

// Random scenarios, valid by construction. Swarm: each scenario draws a subset
// of operation kinds, of topology features and of fault classes, and weights,
// and uses only these (Groce et al., Swarm Testing, ISSTA 2012).
namespace atsfuzz::fuzz {

struct GenerateOptions {
  // Fixes the machine; none: generated too.
  std::optional<model::Topology> topology;
  uint8_t faults = 0;       // set of FaultClass that may be used
  int max_operations = 32;  // 1 to this many, by size
  // More than 1: most scenarios end with a `par` block of up to so many
  // threads.
  int threads = 1;
  // PFs only, each behind an SMMU, trusted, distinct streams: nothing that the
  // known bugs need.
  bool well_behaved = false;
  // Only what a system with these can run is made; `topology` must fit them.
  model::Capabilities capabilities;
};

// One draw. Equal seeds and options: equal scenarios. The generator predicts
// outcomes with a Contract and prefers operations that change state; what the
// prediction gets wrong (a fault that did not hit, a probe that failed) leaves
// at most operations that Run drops.
model::Scenario Generate(uint64_t seed, const GenerateOptions& options);

// The same as a RapidCheck generator, for properties. Does not shrink: the
// shrinker of this project does (fuzz/shrink.h).
rc::Gen<model::Scenario> Scenarios(const GenerateOptions& options);
rc::Gen<model::Topology> Topologies(
    const model::Capabilities& capabilities = {});

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_GENERATE_H_
