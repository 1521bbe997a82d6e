#ifndef ATSFUZZ_FUZZ_BYTE_MUTATOR_H_
#define ATSFUZZ_FUZZ_BYTE_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/capabilities.h"
#include "model/scenario.h"

// Mutation for engines that keep bytes (model/bytes.h): libFuzzer's custom
// mutator and AFL++'s are both made of this.
namespace atsfuzz::fuzz {

class ByteMutator {
 public:
  struct Options {
    model::Capabilities capabilities;         // all that is ever made
    uint8_t faults = 0;                       // set of FaultClass
    size_t most_operations = 64;              // of the scenarios that are made
    int threads = 1;                          // more: with `par` blocks
    std::optional<model::Topology> topology;  // of every scenario
    std::vector<model::Scenario> seeds;       // to begin with, now and then
  };

  explicit ByteMutator(Options options);

  // What the bytes say, without all that the options do not have.
  model::Scenario Read(std::span<const uint8_t> bytes) const;

  // The bytes of a scenario that is like the one in `bytes`, or of a new one if
  // that is empty. At most `room` bytes, for which last operations are left
  // out; none if not even the machine fits. Deterministic in `seed`.
  std::vector<uint8_t> Mutate(std::span<const uint8_t> bytes, uint32_t seed,
                              size_t room) const;

  // The beginning of `a`, continued by a part of `b`. As above.
  std::vector<uint8_t> Cross(std::span<const uint8_t> a,
                             std::span<const uint8_t> b, uint32_t seed,
                             size_t room) const;

 private:
  const Options options_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_BYTE_MUTATOR_H_
