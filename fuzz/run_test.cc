#include "fuzz/run.h"

#include <algorithm>
#include <cerrno>

#include "fuzz/generate.h"
#include "fuzz/puzzles/puzzle_system.h"
#include "fuzz/shrink.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::Scenario;
using properties::Invariant;
using properties::Violation;
using testing::ElementsAre;
using testing::HasSubstr;

Scenario Read(const std::string& text) {
  absl::StatusOr<Scenario> scenario = model::Parse(text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

const PuzzleCase& PuzzleCalled(const std::string& name) {
  for (const PuzzleCase& puzzle : Puzzles()) {
    if (puzzle.name == name) return puzzle;
  }
  ADD_FAILURE() << name;
  return Puzzles()[0];
}

bool Warns(const Violation& violation) {
  return violation.invariant == Invariant::kNoWarning;
}

// Everything that Run tells, a line each.
class Log final : public RunListener {
 public:
  void OnBoot(model::System&, std::span<const Violation>) override {
    lines.push_back("boot");
  }
  void OnStep(const Operation& operation, size_t index, bool implicit,
              int result, model::System& system,
              std::span<const Violation> violations) override {
    std::string line(model::ShapeOf(operation.kind).name);
    line += " " + std::to_string(index) + " " + std::to_string(result);
    if (implicit) line += " implicit";
    for (const Violation& violation : violations) {
      if (Warns(violation)) line += " warns";
    }
    lines.push_back(line);
    if (operation.kind == model::OperationKind::kDomainNew) {
      through = dynamic_cast<PuzzleSystem&>(system).through();
    }
  }
  void OnShutdown(model::System&, std::span<const Violation>) override {
    lines.push_back("shutdown");
  }

  std::vector<std::string> lines;
  model::FunctionId through;
};

constexpr char kMachine[] =
    "smmu s0\n"
    "pf p0 smmu=s0 default=identity\n"
    "pf p1 smmu=s0\n"
    "domain d0 smmu=s0 stage=1\n";

TEST(Run, TellsEveryKernelEntryInOrderAndTheImplicitAllocationFirst) {
  PuzzleSystem system(PuzzleCalled("attach after unclaim"));
  Log log;
  const Scenario scenario =
      Read(std::string(kMachine) + "probe p1\nattach p1 d0\nclaim p1\n");
  const auto result = fuzz::Run(scenario, system, {.listener = &log});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(log.lines,
              ElementsAre("boot", "probe 0 0", "domain-new 1 0 implicit",
                          "attach 1 0", "claim 2 -16", "shutdown"));
  EXPECT_EQ(log.through, model::FunctionId(1));
  EXPECT_THAT(result->results, ElementsAre(0, 0, -EBUSY));
  EXPECT_THAT(result->kept, ElementsAre(0u, 1u, 2u));
}

TEST(Run, CountsAsEffectiveWhatReturnedZeroAndChangedState) {
  PuzzleSystem system(PuzzleCalled("attach after unclaim"));
  // The claim fails, the flush has nothing to flush, the device reaches
  // nothing, and set-default says what is so already.
  const Scenario scenario =
      Read(std::string(kMachine) +
           "probe p1\nset-default p1 dma\nattach p1 d0\nclaim p1\nmap d0 0\n"
           "flush d0\ndma p1 0\nunmap d0 0 queued\nflush d0\ndetach p1\n");
  const auto result = fuzz::Run(scenario, system);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->results.size(), 10u);
  EXPECT_EQ(result->effective, 6u);
}

TEST(Run, RefusesWhatTheKernelCouldNotDoAndSaysWhich) {
  PuzzleSystem system(PuzzleCalled("attach after unclaim"));
  const Scenario scenario =
      Read(std::string(kMachine) + "probe p0\nprobe p1\nunclaim p1\n");
  const auto result = fuzz::Run(scenario, system);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("operation 3, `unclaim p1`: p1's group is not owned"));
  EXPECT_EQ(system.shutdowns(), system.boots());
}

TEST(Run, DropsWhatTheKernelCouldNotDoWhenAskedTo) {
  PuzzleSystem system(PuzzleCalled("attach after unclaim"));
  const Scenario scenario = Read(
      std::string(kMachine) +
      "unclaim p0\nprobe p0\ndetach p0\nclaim p0\nrelease p1\nunclaim p0\n");
  const auto result = fuzz::Run(scenario, system, {.drop_impossible = true});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->kept, ElementsAre(1u, 3u, 5u));
  EXPECT_THAT(result->results, ElementsAre(0, 0, 0));
  const Scenario kept = Kept(scenario, *result);
  EXPECT_EQ(kept.topology, scenario.topology);
  ASSERT_EQ(kept.operations.size(), 3u);
  EXPECT_EQ(kept.operations[2], scenario.operations[5]);
}

TEST(Run, TellsWhatTheSystemHasNotGotBeforeAnythingRan) {
  PuzzleSystem system(PuzzleCalled("disable warns"));
  const Scenario scenario = Read(
      "smmu s0\npf p0 smmu=s0 ats pasids=2\ndomain d0 smmu=s0 stage=1\n"
      "probe p0\nset-pasid p0 1 d0\nclaim p0\n");
  const auto result = fuzz::Run(scenario, system);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(std::string(result.status().message()),
            "operation 2, `set-pasid p0 1 d0`: puzzle has no PASIDs");
  EXPECT_EQ(system.boots(), 0);
  const auto dropped = fuzz::Run(scenario, system, {.drop_impossible = true});
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_THAT(dropped->kept, ElementsAre(0u, 2u));
  const Scenario group = Read(
      "smmu s0\npf p0 smmu=s0\n"
      "pf p1 smmu=s0 group=p0\nprobe p0\n");
  EXPECT_EQ(fuzz::Run(group, system, {.drop_impossible = true}).status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(Run, CountsAViolationsOperationAmongThoseThatRan) {
  PuzzleSystem system(PuzzleCalled("disable warns"));
  const Scenario scenario = Read(
      "smmu s0\npf p0 ats\nvf v1 of=p0 smmu=s0 ats\n"
      "unclaim v1\nprobe v1\ndetach v1\nclaim v1\n");
  const auto result = fuzz::Run(scenario, system, {.drop_impossible = true});
  ASSERT_TRUE(result.ok()) << result.status();
  int warnings = 0;
  for (const Violation& violation : result->violations) {
    if (!Warns(violation)) continue;
    ++warnings;
    EXPECT_EQ(violation.operation, 1u);
    EXPECT_EQ(violation.event, 0);
  }
  EXPECT_EQ(warnings, 1);
}

// The whole chain on a system that is not the driver: generate, run under the
// checker, drop, shrink.
TEST(Run, FindsAndShrinksEveryPuzzle) {
  for (const PuzzleCase& puzzle : Puzzles()) {
    PuzzleSystem system(puzzle);
    const auto warns = [&](const Scenario& scenario, bool drop) {
      const auto result =
          fuzz::Run(scenario, system, {.drop_impossible = drop});
      if (!result.ok()) return Scenario();
      return std::any_of(result->violations.begin(), result->violations.end(),
                         Warns)
                 ? Kept(scenario, *result)
                 : Scenario();
    };
    GenerateOptions options;
    options.faults = puzzle.faults;
    options.max_operations = 48;
    Scenario found;
    for (uint64_t seed = 0; found.operations.empty() && seed < 20'000; ++seed) {
      found = warns(Generate(seed, options), true);
    }
    ASSERT_FALSE(found.operations.empty()) << puzzle.name;
    const Scenario shrunk = Shrink(found, [&](const Scenario& scenario) {
      return !warns(scenario, false).operations.empty();
    });
    EXPECT_EQ(model::Print(shrunk), puzzle.minimum) << puzzle.name;
  }
}

}  // namespace
}  // namespace atsfuzz::fuzz
