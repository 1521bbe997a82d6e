#include "fuzz/shrink.h"

#include <string>
#include <vector>

#include "fuzz/generate.h"
#include "fuzz/predict.h"
#include "fuzz/puzzles/puzzle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/text.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::OperationKind;
using model::Scenario;

// `count` random scenarios that show the puzzle's bug.
std::vector<Scenario> Inputs(const PuzzleCase& puzzle, size_t count) {
  GenerateOptions options;
  options.faults = puzzle.faults;
  options.max_operations = 48;
  std::vector<Scenario> inputs;
  for (uint64_t seed = 0; inputs.size() < count && seed < 400'000; ++seed) {
    Scenario scenario = Generate(seed, options);
    if (Shows(puzzle, scenario)) inputs.push_back(scenario);
  }
  return inputs;
}

class ShrinkPuzzle : public testing::TestWithParam<PuzzleCase> {};

TEST_P(ShrinkPuzzle, GivesTheKnownShortestFailureWhateverTheInput) {
  const PuzzleCase& puzzle = GetParam();
  const std::vector<Scenario> inputs = Inputs(puzzle, 50);
  ASSERT_EQ(inputs.size(), 50u);
  const Predicate shows = [&](const Scenario& s) { return Shows(puzzle, s); };
  for (const Scenario& input : inputs) {
    ShrinkStats stats;
    const Scenario shrunk = Shrink(input, shows, &stats);
    ASSERT_EQ(model::Print(shrunk), puzzle.minimum) << model::Print(input);
    EXPECT_LT(stats.attempts, 10'000u);
    EXPECT_FALSE(stats.interrupted);
  }
}

TEST_P(ShrinkPuzzle, LeavesAShrunkScenarioAsItIs) {
  const PuzzleCase& puzzle = GetParam();
  const auto minimum = model::Parse(puzzle.minimum, "minimum");
  ASSERT_TRUE(minimum.ok()) << minimum.status();
  ASSERT_TRUE(Shows(puzzle, *minimum));
  ShrinkStats stats;
  const Scenario again = Shrink(
      *minimum, [&](const Scenario& s) { return Shows(puzzle, s); }, &stats);
  EXPECT_EQ(model::Print(again), puzzle.minimum);
  EXPECT_EQ(stats.accepted, 0u);
  EXPECT_GT(stats.attempts, 0u);
}

// Every scenario that lacks one thing of `s`, or has one thing at its default.
// Written without the shrinker's own moves, whose omissions it would share.
std::vector<Scenario> OneStepSimpler(const Scenario& s) {
  std::vector<Scenario> simpler;
  const auto add = [&](const auto& change) {
    Scenario changed = s;
    change(changed);
    if (!(changed == s)) simpler.push_back(changed);
  };
  for (size_t i = 0; i < s.operations.size(); ++i) {
    add([&](Scenario& c) {
      c.operations.erase(c.operations.begin() + static_cast<ptrdiff_t>(i));
    });
    const Operation plain;
    add([&](Scenario& c) { c.operations[i].faults = plain.faults; });
    add([&](Scenario& c) { c.operations[i].stream = plain.stream; });
    add([&](Scenario& c) { c.operations[i].page = plain.page; });
    add([&](Scenario& c) { c.operations[i].pages = plain.pages; });
    add([&](Scenario& c) {
      c.operations[i].pages -= c.operations[i].pages > 1;
    });
    add([&](Scenario& c) { c.operations[i].queued = plain.queued; });
    add([&](Scenario& c) {
      c.operations[i].default_domain = plain.default_domain;
    });
  }
  for (size_t i = 0; i < s.topology.functions.size(); ++i) {
    const auto change = [&](const auto& with) {
      add([&](Scenario& c) { with(c.topology.functions[i]); });
    };
    change([](model::Function& f) { f.ats = false; });
    change([](model::Function& f) { f.untrusted = false; });
    change([](model::Function& f) { f.eager = false; });
    change([](model::Function& f) { f.pasid_bits = 0; });
    change([](model::Function& f) {
      f.default_domain = model::DefaultDomain::kDma;
    });
    change([](model::Function& f) {
      f.kind = model::FunctionKind::kPf;
      f.pf = model::FunctionId();
    });
    change([](model::Function& f) {
      f.smmu = model::SmmuId();
      f.streams.clear();
    });
    change([&](model::Function& f) {
      if (f.smmu.valid()) {
        f.streams =
            model::DefaultStreams(model::FunctionId(static_cast<uint8_t>(i)));
      }
    });
  }
  for (size_t i = 0; i < s.topology.domains.size(); ++i) {
    add([&](Scenario& c) { c.topology.domains[i].stage = 1; });
  }
  for (size_t i = 0; i < s.topology.smmus.size(); ++i) {
    add([&](Scenario& c) { c.topology.smmus[i] = model::Smmu(); });
  }
  return simpler;
}

TEST_P(ShrinkPuzzle, LosesTheBugWithAnyOneThingLess) {
  const PuzzleCase& puzzle = GetParam();
  const Predicate shows = [&](const Scenario& s) { return Shows(puzzle, s); };
  const std::vector<Scenario> inputs = Inputs(puzzle, 5);
  ASSERT_EQ(inputs.size(), 5u);
  for (const Scenario& input : inputs) {
    const Scenario shrunk = Shrink(input, shows);
    const std::vector<Scenario> simpler = OneStepSimpler(shrunk);
    ASSERT_GE(simpler.size(), shrunk.operations.size());
    for (const Scenario& scenario : simpler) {
      const bool exists = model::Validate(scenario.topology).ok();
      EXPECT_FALSE(exists && shows(scenario)) << model::Print(scenario);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Puzzles, ShrinkPuzzle, testing::ValuesIn(Puzzles()),
                         [](const auto& param_info) {
                           std::string name;
                           for (char c : std::string(param_info.param.name)) {
                             if (c != ' ') name.push_back(c);
                           }
                           return name;
                         });

TEST(Shrink, StopsWhenToldToWithTheBestSoFar) {
  const PuzzleCase& puzzle = Puzzles()[0];
  const Scenario input = Inputs(puzzle, 1).at(0);
  const Predicate shows = [&](const Scenario& s) { return Shows(puzzle, s); };
  ShrinkStats whole;
  Shrink(input, shows, &whole);
  ASSERT_GT(whole.attempts, 20u);
  int left = 20;
  ShrinkStats stats;
  const Scenario best =
      Shrink(input, shows, &stats, [&] { return --left < 0; });
  EXPECT_TRUE(stats.interrupted);
  EXPECT_EQ(stats.attempts, 20u);
  EXPECT_TRUE(shows(best));
  EXPECT_FALSE(Simpler(input, best));
}

TEST(Shrink, KeepsStoryAndExpectations) {
  const PuzzleCase& puzzle = Puzzles()[0];
  Scenario input = Inputs(puzzle, 1).at(0);
  input.story = {"A story."};
  input.expectations = {{"no-warning", ""}};
  const Scenario shrunk =
      Shrink(input, [&](const Scenario& s) { return Shows(puzzle, s); });
  EXPECT_EQ(shrunk.story, input.story);
  EXPECT_EQ(shrunk.expectations, input.expectations);
}

// The smallest scenario in which an operation of `kind` succeeds.
std::string Smallest(const std::string& text, OperationKind kind) {
  const auto succeeds = [kind](const Scenario& scenario) {
    model::Contract contract(scenario.topology);
    bool seen = false;
    for (const Operation& operation : scenario.operations) {
      if (!contract.Allows(operation).ok()) return false;
      seen |= operation.kind == kind && contract.ChangesState(operation) &&
              PredictResult(contract, operation) == 0;
      ApplyPrediction(operation, &contract);
    }
    return seen;
  };
  return model::Print(Shrink(*model::Parse(text, "test"), succeeds));
}

constexpr char kRich[] =
    "smmu s0\nsmmu s1\n"
    "pf p0 smmu=s1 ats\n"
    "pf p1 smmu=s0 ats pasids=1024 requires-ats\n"
    "pf p2 smmu=s0 ats pasids=256 group=p1\n"
    "domain d0 smmu=s0 stage=2\n"
    "domain d1 nested=d0 guest=stage1 ats\n"
    "domain d2 smmu=s0 stage=1\n"
    "probe p0\nprobe p1\nprobe p2\nclaim p1\nattach p2 d0\n"
    "replace p1 d1\ndetach p2\nset-pasid p2 77 d2\ndma p1 3 pasid=77\n"
    "reset-begin p2\nreset-end p2\nclear-pasid p1 77\n";

// Of a block of three threads only one schedule and a shorter one show it: a
// turn of the SMMU spares the thread that waits for it a step, so that without
// it, those behind it stand elsewhere.
void ExpectShortWay(const std::string& long_way, const std::string& short_way) {
  const std::string text =
      "smmu   s0\npf     p0  smmu=s0 ats\ndomain d0  smmu=s0 stage=1\n\n"
      "probe p0\nattach p0 d0\npar\n  thread\n    detach p0\n"
      "  thread\n    flush d0\n  thread\n    dma p0 0\nend\nschedule ";
  const auto from = model::Parse(text + long_way + "\n", "long.ats");
  const auto to = model::Parse(text + short_way + "\n", "short.ats");
  ASSERT_TRUE(from.ok()) << from.status();
  ASSERT_TRUE(to.ok()) << to.status();
  const Predicate shows = [&](const Scenario& scenario) {
    return scenario.operations == from->operations &&
           (scenario.schedule == from->schedule ||
            scenario.schedule == to->schedule);
  };
  const Scenario shrunk = Shrink(*from, shows);
  EXPECT_EQ(shrunk.schedule, to->schedule) << model::Print(shrunk);
}

TEST(Shrink, FindsTheFewestTurnsWhereEachShiftsTheOthersSteps) {
  ExpectShortWay("t1@12 s0 t2@7 t1@20 t0", "t1@21 t0");
}

TEST(Shrink, MergesTheTurnsOfAThreadThatNoOtherPartsFromEachOther) {
  ExpectShortWay("t0@17 s0 t0@36 rcu@1 t0@52 t2 t1", "t0@55 t2 t1");
}

TEST(Shrink, LetsGracePeriodsEndByThemselvesUnlessTheyMustNot) {
  ExpectShortWay("t0@17 rcu@1 t2@9 rcu@2 t1 rcu", "t0@17 t2@9 t1");
  ExpectShortWay("t0@17 rcu@1 t2@9 rcu@2 t1 rcu", "t0@17 rcu@1 t2@9");
}

TEST(Shrink, PasidsBecomeLow) {
  EXPECT_EQ(Smallest(kRich, OperationKind::kClearPasid),
            "smmu   s0\n"
            "pf     p0  smmu=s0\n"
            "domain d0  smmu=s0 stage=1\n"
            "\n"
            "probe p0\n"
            "set-pasid p0 1 d0\n"
            "clear-pasid p0 1\n");
}

TEST(Shrink, GroupsAndNestedDomainsGoUnlessTheyAreNeeded) {
  EXPECT_EQ(Smallest(kRich, OperationKind::kReplace),
            "smmu   s0\n"
            "pf     p0  smmu=s0\n"
            "domain d0  smmu=s0 stage=1\n"
            "domain d1  smmu=s0 stage=1\n"
            "\n"
            "probe p0\n"
            "claim p0\n"
            "attach p0 d0\n"
            "replace p0 d1\n");
  EXPECT_EQ(Smallest(kRich, OperationKind::kResetEnd),
            "smmu   s0\n"
            "pf     p0  smmu=s0\n"
            "\n"
            "probe p0\n"
            "reset-begin p0\n"
            "reset-end p0\n");
}

// Simpler is a strict total order: of two scenarios that differ, exactly one is
// simpler; and it is transitive.
RC_GTEST_PROP(Simpler, OrdersAllScenarios, ()) {
  GenerateOptions options;
  options.faults = model::kAllFaults;
  options.max_operations = 3;
  options.capabilities = model::AllCapabilities();
  std::vector<Scenario> s =
      *rc::gen::container<std::vector<Scenario>>(3, Scenarios(options));
  // Near ones: what the shrinker compares.
  s[1].topology = s[0].topology;
  s[2].operations = s[0].operations;
  RC_ASSERT(!Simpler(s[0], s[0]));
  for (const Scenario& a : s) {
    for (const Scenario& b : s) {
      if (a == b) continue;
      RC_ASSERT(Simpler(a, b) != Simpler(b, a));
      for (const Scenario& c : s) {
        RC_ASSERT(!(Simpler(a, b) && Simpler(b, c)) || Simpler(a, c));
      }
    }
  }
}

TEST(Simpler, PutsFewerOperationsBeforeAnythingElse) {
  const auto read = [](const std::string& text) {
    return *model::Parse(text, "test");
  };
  const Scenario one_operation = read(
      "smmu s0\nsmmu s1\npf p0 smmu=s1 ats\npf p1\nprobe p0 !alloc:master\n");
  const Scenario one_fault =
      read("smmu s0\npf p0 smmu=s0\nprobe p0 !alloc#1\nclaim p0\n");
  const Scenario two_functions =
      read("smmu s0\npf p0 smmu=s0\npf p1\nprobe p0\nclaim p0\n");
  const Scenario attribute =
      read("smmu s0\npf p0 smmu=s0 ats\nprobe p0\nclaim p0\n");
  const Scenario plain = read("smmu s0\npf p0 smmu=s0\nprobe p0\nclaim p0\n");
  EXPECT_TRUE(Simpler(one_operation, plain));
  EXPECT_TRUE(Simpler(plain, attribute));
  EXPECT_TRUE(Simpler(attribute, two_functions));
  EXPECT_TRUE(Simpler(two_functions, one_fault));
}

}  // namespace
}  // namespace atsfuzz::fuzz
