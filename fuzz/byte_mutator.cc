#include "fuzz/byte_mutator.h"

#include <utility>

#include "fuzz/faults.h"
#include "fuzz/generate.h"
#include "fuzz/machine.h"
#include "fuzz/mutate.h"
#include "model/block.h"
#include "model/bytes.h"

namespace atsfuzz::fuzz {
namespace {

std::vector<uint8_t> Write(model::Scenario scenario, size_t room) {
  std::vector<uint8_t> bytes = model::Encode(scenario);
  while (bytes.size() > room) {
    if (scenario.operations.empty()) return {};
    scenario.operations.resize(scenario.operations.size() * 3 / 4);
    bytes = model::Encode(scenario);
  }
  return bytes;
}

}  // namespace

ByteMutator::ByteMutator(Options options) : options_(std::move(options)) {}

model::Scenario ByteMutator::Read(std::span<const uint8_t> bytes) const {
  model::Scenario scenario =
      Restricted(model::Decode(bytes), options_.capabilities);
  for (model::Operation& operation : scenario.operations) {
    operation.faults = OnlyClasses(operation.faults, options_.faults);
  }
  return scenario;
}

std::vector<uint8_t> ByteMutator::Mutate(std::span<const uint8_t> bytes,
                                         uint32_t seed, size_t room) const {
  model::Scenario scenario = Read(bytes);
  // The corpus grows by thousands, and no seed of it is picked twice.
  const std::vector<model::Scenario>& seeds = options_.seeds;
  if (!seeds.empty() && (scenario.operations.empty() || seed % 8 == 0)) {
    scenario =
        Restricted(seeds[seed / 8 % seeds.size()], options_.capabilities);
  }
  const bool wants_block =
      options_.threads > 1 && !model::BlockOf(scenario).exists();
  bool fresh = scenario.operations.empty() || (wants_block && seed % 4 == 0);
  if (!fresh) {
    scenario = fuzz::Mutate(scenario, seed, options_.faults,
                            options_.most_operations, options_.capabilities);
    fresh = options_.topology && !(scenario.topology == *options_.topology);
  }
  if (fresh) {
    GenerateOptions options;
    options.faults = options_.faults;
    options.max_operations = 16;
    options.threads = options_.threads;
    options.topology = options_.topology;
    options.capabilities = options_.capabilities;
    scenario = Generate(seed, options);
  }
  return Write(std::move(scenario), room);
}

std::vector<uint8_t> ByteMutator::Cross(std::span<const uint8_t> a,
                                        std::span<const uint8_t> b,
                                        uint32_t seed, size_t room) const {
  return Write(Crossover(Read(a), Read(b), seed, options_.most_operations),
               room);
}

}  // namespace atsfuzz::fuzz
