#include "fuzz/mutate.h"

#include <algorithm>
#include <map>
#include <string>

#include "fuzz/generate.h"
#include "fuzz/machine.h"
#include "fuzz/shrink_cost.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/bytes.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::Scenario;

constexpr size_t kMost = 24;

GenerateOptions AllFaults() {
  GenerateOptions options;
  options.faults = model::kAllFaults;
  return options;
}

// Ids and arguments are those that the machine has.
bool Fits(const Scenario& scenario) {
  const model::Topology& t = scenario.topology;
  return std::all_of(
      scenario.operations.begin(), scenario.operations.end(),
      [&](const Operation& operation) {
        const model::OperationShape& shape = model::ShapeOf(operation.kind);
        return (shape.function ? operation.function.value < t.functions.size()
                               : !operation.function.valid()) &&
               (shape.domain ? operation.domain.value < t.domains.size()
                             : !operation.domain.valid()) &&
               operation.pages >= 1 &&
               operation.page + operation.pages <= ATSFUZZ_MAX_PAGES;
      });
}

RC_GTEST_PROP(Mutate, GivesAMachineThatExistsAndOperationsThatNameItsParts,
              ()) {
  const uint8_t faults = *rc::gen::inRange<uint8_t>(0, model::kAllFaults + 1);
  const model::Capabilities capabilities = model::ArbitraryCapabilities();
  Scenario scenario = *model::ArbitraryMachineCode();
  for (int round = 0; round < 20; ++round) {
    scenario = Mutate(scenario, *rc::gen::arbitrary<uint64_t>(), faults, kMost,
                      capabilities);
    RC_ASSERT(Restricted(scenario, capabilities) == scenario);
    RC_ASSERT(model::Validate(scenario.topology).ok());
    RC_ASSERT(Fits(scenario));
    RC_ASSERT(scenario.operations.size() <= kMost);
    RC_ASSERT(model::Decode(model::Encode(scenario)) == scenario);
    for (const Operation& operation : scenario.operations) {
      RC_ASSERT((model::ClassesOf(operation.faults) & ~faults) == 0);
    }
  }
}

RC_GTEST_PROP(Mutate, IsDeterministicInTheSeed, ()) {
  const Scenario scenario = *Scenarios(AllFaults());
  const uint64_t seed = *rc::gen::arbitrary<uint64_t>();
  RC_ASSERT(Mutate(scenario, seed, model::kAllFaults, kMost) ==
            Mutate(scenario, seed, model::kAllFaults, kMost));
}

RC_GTEST_PROP(Crossover, KeepsTheFirstMachineAndNamesOnlyItsParts, ()) {
  const Scenario a = *model::ArbitraryMachineCode();
  const Scenario b = *model::ArbitraryMachineCode();
  const Scenario child =
      Crossover(a, b, *rc::gen::arbitrary<uint64_t>(), kMost);
  RC_ASSERT(child.topology == a.topology);
  RC_ASSERT(Fits(child));
  RC_ASSERT(child.operations.size() <= kMost);
  RC_ASSERT(model::Decode(model::Encode(child)) == child);
}

TEST(Crossover, TakesFromBoth) {
  int both = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    GenerateOptions options = AllFaults();
    const Scenario a = Generate(seed, options);
    options.topology = a.topology;
    const Scenario b = Generate(seed + 1000, options);
    const Scenario child = Crossover(a, b, seed, 100);
    if (child.operations.size() < 2 || a.operations.empty()) continue;
    const auto in = [](const Operation& operation, const Scenario& from) {
      return std::find(from.operations.begin(), from.operations.end(),
                       operation) != from.operations.end();
    };
    both += in(child.operations.front(), a) && in(child.operations.back(), b);
  }
  EXPECT_GT(both, 50);
}

size_t Faults(const Scenario& scenario) {
  size_t faults = 0;
  for (const Operation& operation : scenario.operations) {
    faults += CountFaults(operation.faults);
  }
  return faults;
}

// What one mutation did to a scenario, as far as its result tells.
std::string Effect(const Scenario& before, const Scenario& after) {
  const auto& s = before.topology;
  const auto& t = after.topology;
  if (t.functions.size() > s.functions.size()) return "function added";
  if (t.functions.size() < s.functions.size()) return "function dropped";
  if (t.domains.size() > s.domains.size()) return "domain added";
  if (t.domains.size() < s.domains.size()) return "domain dropped";
  if (t.smmus.size() > s.smmus.size()) return "SMMU added";
  if (t.smmus.size() < s.smmus.size()) return "SMMU dropped";
  if (t.smmus != s.smmus) return "SMMU changed";
  if (t.domains != s.domains) return "domain changed";
  if (t.functions != s.functions) return "function changed";
  const size_t old = before.operations.size();
  const size_t now = after.operations.size();
  if (now > old + 1) return "several inserted";
  if (now == old + 1) return "one inserted";
  if (now + 1 < old) return "several deleted";
  if (now + 1 == old) return "one deleted";
  if (Faults(after) > Faults(before)) return "fault set";
  if (Faults(after) < Faults(before)) return "fault cleared";
  const bool same =
      std::is_permutation(before.operations.begin(), before.operations.end(),
                          after.operations.begin());
  if (same) return after == before ? "nothing" : "order changed";
  return "argument changed";
}

TEST(Mutate, ReachesEveryKindOfChange) {
  std::map<std::string, int> effects;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const Scenario scenario = Generate(seed % 50, AllFaults());
    ++effects[Effect(scenario, Mutate(scenario, seed, model::kAllFaults, 100))];
  }
  for (const char* effect :
       {"function added", "function dropped", "domain added", "domain dropped",
        "SMMU added", "SMMU dropped", "SMMU changed", "domain changed",
        "function changed", "several inserted", "one inserted",
        "several deleted", "one deleted", "fault set", "fault cleared",
        "order changed", "argument changed"}) {
    EXPECT_GT(effects[effect], 10) << effect;
  }
  EXPECT_LT(effects["nothing"], 800);
}

}  // namespace
}  // namespace atsfuzz::fuzz
