#include "fuzz/generate.h"

#include <array>
#include <map>
#include <set>

#include "fuzz/machine.h"
#include "fuzz/predict.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/bytes.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Contract;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Operation;
using model::OperationKind;
using model::Scenario;
using model::Topology;

GenerateOptions Options(uint8_t faults, bool well_behaved) {
  GenerateOptions options;
  options.faults = faults;
  options.well_behaved = well_behaved;
  return options;
}

uint8_t ClassesIn(const Scenario& scenario) {
  uint8_t classes = 0;
  for (const Operation& operation : scenario.operations) {
    classes |= model::ClassesOf(operation.faults);
  }
  return classes;
}

RC_GTEST_PROP(Generate, GivesAMachineThatExistsAndOperationsThatItCanDo, ()) {
  const uint8_t faults = *rc::gen::inRange<uint8_t>(0, model::kAllFaults + 1);
  const bool well_behaved = *rc::gen::arbitrary<bool>();
  GenerateOptions options = Options(faults, well_behaved);
  options.capabilities = model::ArbitraryCapabilities();
  const Scenario scenario = *Scenarios(options);
  RC_ASSERT(model::Validate(scenario.topology).ok());
  RC_ASSERT(scenario.operations.size() <= 32u);
  RC_ASSERT(WithoutImpossible(scenario, options.capabilities) == scenario);
  RC_ASSERT(Restricted(scenario, options.capabilities) == scenario);
  RC_ASSERT((ClassesIn(scenario) & ~faults) == 0);
  RC_ASSERT(model::Decode(model::Encode(scenario)) == scenario);
}

RC_GTEST_PROP(Generate, GivesEqualScenariosForEqualSeeds, ()) {
  const uint64_t seed = *rc::gen::arbitrary<uint64_t>();
  const GenerateOptions options = Options(model::kAllFaults, false);
  RC_ASSERT(Generate(seed, options) == Generate(seed, options));
}

RC_GTEST_PROP(Generate, KeepsTheMachineThatItIsGiven, ()) {
  GenerateOptions options;
  options.topology = *Topologies();
  RC_ASSERT(Generate(*rc::gen::arbitrary<uint64_t>(), options).topology ==
            *options.topology);
}

RC_GTEST_PROP(Generate, GivesWellBehavedMachinesNothingThatTheKnownBugsNeed,
              ()) {
  const Scenario scenario = *Scenarios(Options(0, true));
  std::set<uint32_t> streams;
  for (const Function& function : scenario.topology.functions) {
    RC_ASSERT(function.kind == FunctionKind::kPf);
    RC_ASSERT(function.smmu.valid());
    RC_ASSERT(!function.untrusted);
    for (uint32_t stream : function.streams) {
      RC_ASSERT(stream < model::kSmmuStreamIds);
      RC_ASSERT(streams.insert(stream).second);
    }
  }
}

TEST(Generate, DiffersBySeed) {
  std::set<std::vector<uint8_t>> seen;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    seen.insert(model::Encode(Generate(seed, Options(0, false))));
  }
  EXPECT_GT(seen.size(), 950u);
}

TEST(Generate, BoundsTheLength) {
  GenerateOptions options;
  options.max_operations = 3;
  size_t longest = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const size_t length = Generate(seed, options).operations.size();
    ASSERT_GE(length, 1u);
    longest = std::max(longest, length);
  }
  EXPECT_EQ(longest, 3u);
}

// What well-behaved scenarios do, by the predicted results.
struct Census {
  std::array<int, model::kOperationKinds> effective = {};
  int operations = 0, predicted_effective = 0;
  int shared_attaches = 0, queued = 0, blocks = 0, ranges = 0, second_stage = 0;
};

void Count(const Contract& before, const Operation& operation, Census* census) {
  ++census->operations;
  // They do something, but nothing that a contract keeps.
  const bool unseen = operation.kind == OperationKind::kDma ||
                      operation.kind == OperationKind::kVdeviceFree ||
                      operation.kind == OperationKind::kGuestFlush;
  if (PredictResult(before, operation) != 0) return;
  if (!unseen && !before.ChangesState(operation)) return;
  ++census->predicted_effective;
  ++census->effective[static_cast<size_t>(operation.kind)];
  census->queued += operation.queued;
  if (operation.kind == OperationKind::kMap) {
    census->ranges += operation.pages > 1;
    census->blocks += operation.pages >= 512;
  }
  if (operation.kind != OperationKind::kAttach) return;
  const Topology& topology = before.topology();
  census->second_stage += topology.at(operation.domain).stage == 2;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    const auto& other = before.function(FunctionId(static_cast<uint8_t>(i)));
    if (other.attached && other.domain == operation.domain) {
      ++census->shared_attaches;
      break;
    }
  }
}

Census CensusOf(const model::Capabilities& capabilities) {
  Census census;
  GenerateOptions options = Options(0, true);
  options.capabilities = capabilities;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const Scenario scenario = Generate(seed, options);
    Contract contract(scenario.topology, capabilities);
    for (const Operation& operation : scenario.operations) {
      Count(contract, operation, &census);
      ApplyPrediction(operation, &contract);
    }
  }
  return census;
}

// In a thousand operations that change state.
void ExpectEachKindOf(const model::Capabilities& capabilities, int least) {
  const Census census = CensusOf(capabilities);
  ASSERT_GT(census.operations, 40'000);
  EXPECT_GT(census.predicted_effective, census.operations * 8 / 10);
  for (int i = 0; i < model::kOperationKinds; ++i) {
    const auto kind = static_cast<OperationKind>(i);
    const int share = census.effective[i] * 1000 / census.predicted_effective;
    if (HasKind(capabilities, kind)) {
      EXPECT_GT(share, least) << model::ShapeOf(kind).name;
    } else {
      EXPECT_EQ(census.effective[i], 0) << model::ShapeOf(kind).name;
    }
  }
}

TEST(Generate, UsesEveryKindOfASystemThatCanDoMore) {
  ExpectEachKindOf(model::AllCapabilities(), 5);
}

TEST(Generate, UsesEveryKindOftenOnWellBehavedMachines) {
  ExpectEachKindOf({}, 25);
  const Census census = CensusOf({});
  EXPECT_GT(census.shared_attaches, 500);
  EXPECT_GT(census.second_stage, 500);
  EXPECT_GT(census.queued, 500);
  EXPECT_GT(census.ranges, 500);
  EXPECT_GT(census.blocks, 100);
}

// Traits of machines that some finding may need.
std::map<std::string, int> TraitsOf(const Topology& topology) {
  std::map<std::string, int> traits;
  traits["two SMMUs"] = topology.smmus.size() == 2;
  traits["all functions"] = topology.functions.size() == ATSFUZZ_MAX_FUNCTIONS;
  traits["all domains"] = topology.domains.size() == ATSFUZZ_MAX_DOMAINS;
  std::set<uint32_t> used;
  for (const Function& function : topology.functions) {
    traits["platform"] |= function.kind == FunctionKind::kPlatform;
    traits["untrusted"] |= function.untrusted;
    traits["eager"] |= function.eager;
    traits["pasids"] |= function.pasid_bits != 0;
    traits["several streams"] |= function.streams.size() > 1;
    std::set<uint32_t> own;
    for (uint32_t stream : function.streams) {
      traits["repeated stream"] |= !own.insert(stream).second;
      traits["stream out of range"] |= stream >= model::kSmmuStreamIds;
    }
    for (uint32_t stream : own) {
      traits["shared stream"] |= !used.insert(stream).second;
    }
    if (function.kind != FunctionKind::kVf || !function.smmu.valid()) continue;
    const Function& pf = topology.at(function.pf);
    traits["VF of a PF behind no SMMU"] |= !pf.smmu.valid();
    traits["VF of a PF with another STU"] |=
        pf.smmu.valid() && topology.at(pf.smmu).PageShift() !=
                               topology.at(function.smmu).PageShift();
  }
  for (const model::Smmu& smmu : topology.smmus) {
    traits["SMMU without ATS"] |= !smmu.ats;
    traits["SMMU of one stage"] |= !smmu.stage1 || !smmu.stage2;
    traits["several granules"] |= smmu.granules == 7;
  }
  return traits;
}

// Those of a system that can do more.
std::map<std::string, int> NewTraitsOf(const Topology& topology) {
  std::map<std::string, int> traits;
  for (const Function& function : topology.functions) {
    traits["group"] |= function.leader.valid();
    traits["group of a VF and its PF"] |=
        function.leader.valid() && function.leader == function.pf;
    traits["requires ATS"] |= function.requires_ats;
  }
  for (const model::Domain& domain : topology.domains) {
    if (!domain.parent.valid()) continue;
    traits["guest with ATS"] |= domain.guest_ats;
    traits["guest without"] |=
        domain.guest == model::GuestEntry::kStage1 && !domain.guest_ats;
    traits["bypassing guest"] |= domain.guest == model::GuestEntry::kBypass;
    traits["aborting guest"] |= domain.guest == model::GuestEntry::kAbort;
  }
  return traits;
}

TEST(Generate, ReachesEveryTraitOfAMachine) {
  std::map<std::string, int> counts;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const Scenario scenario = Generate(seed, Options(0, false));
    for (const auto& [trait, has] : TraitsOf(scenario.topology)) {
      counts[trait] += has;
    }
  }
  EXPECT_EQ(counts.size(), 16u);
  for (const auto& [trait, count] : counts) EXPECT_GT(count, 50) << trait;
}

TEST(Generate, ReachesTheTraitsThatASystemCanDo) {
  GenerateOptions options = Options(0, false);
  options.capabilities = model::AllCapabilities();
  std::map<std::string, int> counts;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    for (const auto& [trait, has] :
         NewTraitsOf(Generate(seed, options).topology)) {
      counts[trait] += has;
    }
  }
  EXPECT_EQ(counts.size(), 7u);
  for (const auto& [trait, count] : counts) EXPECT_GT(count, 50) << trait;
}

TEST(Generate, UsesEveryFaultClassAndEverySiteWhenAllowed) {
  std::map<uint8_t, int> classes;
  uint16_t sites = 0;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const Scenario scenario = Generate(seed, Options(model::kAllFaults, false));
    for (const Operation& operation : scenario.operations) {
      ++classes[model::ClassesOf(operation.faults)];
      sites |= operation.faults.alloc_sites;
    }
  }
  EXPECT_EQ(sites, (1 << model::kAllocSites) - 1);
  for (uint8_t fault : {1, 2, 4, 8}) EXPECT_GT(classes[fault], 500);
}

}  // namespace
}  // namespace atsfuzz::fuzz
