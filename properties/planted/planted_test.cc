// Each invariant goes red on the real driver: every patch in this folder plants
// one bug in the kernel's own source. With it, the scenario that its header
// gives breaks the invariant that it names; without it, the scenario does not.
// races/ has those that only some orders of threads show.

#include "properties/planted/planted.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzz/investigate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"
#include "properties/violation.h"

namespace atsfuzz {
namespace {

namespace fs = std::filesystem;

// The invariants that the scenario breaks with `patches`, and how.
absl::StatusOr<std::map<std::string, properties::Violation>> Broken(
    const Planted& planted, const std::vector<std::string>& patches) {
  auto scenario = model::Parse(planted.scenario, "planted");
  if (!scenario.ok()) return scenario.status();
  auto tree =
      linux_driver::ObtainTree(planted.kernel, patches, [](const auto&) {});
  if (!tree.ok()) return tree.status();
  // Only the instrumented build sees data races, has weak memory, or stops at
  // plain accesses.
  const bool races = planted.invariant == "data-race";
  const bool instrumented = races || model::HasWeakTurns(scenario->schedule) ||
                            model::StopsAtPlainAccesses(scenario->schedule);
  auto module = linux_driver::BuildModule(
      *tree,
      instrumented ? linux_driver::BuildKind::kInstrumented
                   : linux_driver::BuildKind::kPlain,
      [](const auto&) {});
  if (!module.ok()) return module.status();
  const auto load = [&] {
    auto system = linux_driver::LoadModule(*module, tree->name);
    if (system.ok()) (*system)->AskForDataRaces(races);
    return system;
  };
  const auto system = load();
  if (!system.ok()) return system.status();
  // In a process of its own: what uses freed memory may crash.
  const fuzz::Investigator investigator(
      load, nullptr, [] { return false; }, (*system)->capabilities());
  const auto examination = investigator.Examine(*scenario);
  if (!examination.ok()) return examination.status();
  std::map<std::string, properties::Violation> found;
  for (const fuzz::Sighting& sighting : examination->sightings) {
    found.emplace(properties::InvariantName(sighting.violation.invariant),
                  sighting.violation);
  }
  return found;
}

class PlantedBug : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    const std::string kernel = ReadPlanted(GetParam()).kernel;
    auto tree = linux_driver::ObtainTree(kernel, {}, [](const auto&) {});
    if (!tree.ok()) {
      GTEST_SKIP() << "no source of Linux " << kernel << ": "
                   << tree.status().message();
    }
  }
};

TEST_P(PlantedBug, BreaksTheInvariantThatItNames) {
  const Planted planted = ReadPlanted(GetParam());
  ASSERT_FALSE(planted.scenario.empty()) << planted.patch;
  auto broken = Broken(planted, {planted.patch});
  ASSERT_TRUE(broken.ok()) << planted.patch << ": " << broken.status();
  ASSERT_THAT(*broken, testing::Contains(testing::Key(planted.invariant)))
      << planted.patch;
  const properties::Violation& violation = broken->at(planted.invariant);
  if (!planted.found.empty()) {
    EXPECT_EQ(violation.found, planted.found);
  }
  EXPECT_THAT(violation.message, testing::HasSubstr(planted.says));
}

TEST_P(PlantedBug, IsAllThatTheScenarioNeeds) {
  const Planted planted = ReadPlanted(GetParam());
  auto broken = Broken(planted, {});
  ASSERT_TRUE(broken.ok()) << planted.patch << ": " << broken.status();
  // 6.1 breaks commands-in-order at every attach of a second function.
  if (planted.kernel == "6.1") broken->erase("commands-in-order");
  EXPECT_THAT(*broken, testing::IsEmpty()) << planted.patch;
}

INSTANTIATE_TEST_SUITE_P(Patches, PlantedBug,
                         testing::ValuesIn(PlantedPatches()),
                         [](const auto& test) {
                           return PlantedName(test.param);
                         });

// With the bug of the livelock, and functions that all have ATS, the wait ends
// when the attach goes on: however long the schedule makes it.
TEST(PlantedBugs, AWaitThatAnotherThreadEndsIsNoLivelock) {
  Planted planted = ReadPlanted("properties/planted/races/livelock.patch");
  for (int stop = 10; stop < 90; stop += 4) {
    planted.scenario = absl::StrCat(
        "smmu s0\n"
        "pf p0 smmu=s0 ats\n"
        "pf p1 smmu=s0 ats default=identity\n"
        "domain d0 smmu=s0 stage=1\n"
        "probe p0\n"
        "probe p1\n"
        "attach p0 d0\n"
        "map d0 0\n"
        "par\n"
        "thread\n"
        "attach p1 d0\n"
        "thread\n"
        "unmap d0 0\n"
        "end\n"
        "schedule t0@",
        stop, " t1\n");
    auto broken = Broken(planted, {planted.patch});
    ASSERT_TRUE(broken.ok()) << broken.status();
    EXPECT_THAT(*broken, testing::IsEmpty()) << planted.scenario;
  }
}

// Without its smp_mb() an unmap may load the domain's array early, but not the
// one that a grace period has freed: that begins after the new one is seen,
// though the attach that has asked for it still has interrupts off.
TEST(PlantedBugs, WhoReadsAfterAGracePeriodSeesWhatCameBeforeIt) {
  Planted planted =
      ReadPlanted("properties/planted/races/barrier-missing.patch");
  planted.scenario =
      "smmu s0\n"
      "pf p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n"
      "probe p0\n"
      "map d0 0\n"
      "par\n"
      "thread\n"
      "unmap d0 0\n"
      "thread\n"
      "attach p0 d0\n"
      "end\n"
      "schedule t0@1 t1@12~ rcu t1 rcu t0~\n";
  auto broken = Broken(planted, {planted.patch});
  ASSERT_TRUE(broken.ok()) << broken.status();
  EXPECT_THAT(*broken, testing::IsEmpty());
}

TEST(PlantedBugs, CoverEveryInvariant) {
  std::set<std::string> named;
  for (const fs::path& path : PlantedPatches())
    named.insert(ReadPlanted(path).invariant);
  for (int i = 0; i < properties::kInvariants; i++) {
    const auto invariant = static_cast<properties::Invariant>(i);
    EXPECT_THAT(named, testing::Contains(
                           std::string(properties::InvariantName(invariant))));
  }
}

}  // namespace
}  // namespace atsfuzz
