#include "fuzz/generate.h"

#include <algorithm>
#include <cassert>

#include "fuzz/compose.h"
#include "fuzz/compose_block.h"
#include "fuzz/dice.h"
#include "fuzz/machine.h"

namespace atsfuzz::fuzz {
namespace {

// `size` 0..100 bounds the length, as RapidCheck's sizes do.
model::Scenario Draw(Dice& dice, const GenerateOptions& options, int size) {
  assert(options.max_operations >= 1);
  model::Scenario scenario;
  scenario.topology =
      options.topology
          ? *options.topology
          : DrawTopology(dice, options.well_behaved, options.capabilities);
  // What comes before a block only prepares it.
  const int longest = options.threads > 1 ? std::min(options.max_operations, 12)
                                          : options.max_operations;
  const uint32_t most = std::max(1, longest * size / 100);
  const uint32_t length =
      std::max(dice.Between(1, most), dice.Between(1, most));
  scenario.operations.reserve(length);
  Composer composer(scenario.topology, options.faults, &dice,
                    options.capabilities);
  while (scenario.operations.size() < length) {
    const std::optional<model::Operation> operation = composer.Next();
    if (!operation) break;
    composer.Apply(*operation);
    scenario.operations.push_back(*operation);
  }
  if (scenario.operations.empty()) {
    // A machine on which nothing works. The first function is no VF, so its
    // probe can be tried.
    model::Operation probe;
    probe.function = model::FunctionId(0);
    scenario.operations.push_back(probe);
  }
  if (options.threads > 1 && dice.Chance(90)) {
    AppendBlock({.threads = options.threads,
                 .faults = options.faults,
                 .capabilities = options.capabilities},
                dice, &scenario);
  }
  return scenario;
}

}  // namespace

model::Scenario Generate(uint64_t seed, const GenerateOptions& options) {
  Dice dice(seed);
  return Draw(dice, options, 100);
}

rc::Gen<model::Scenario> Scenarios(const GenerateOptions& options) {
  return rc::Gen<model::Scenario>(
      [options](const rc::Random& random, int size) {
        Dice dice(random);
        return rc::shrinkable::just(Draw(dice, options, std::min(size, 100)));
      });
}

rc::Gen<model::Topology> Topologies(const model::Capabilities& capabilities) {
  return rc::Gen<model::Topology>(
      [capabilities](const rc::Random& random, int) {
        Dice dice(random);
        return rc::shrinkable::just(DrawTopology(dice, false, capabilities));
      });
}

}  // namespace atsfuzz::fuzz
