// Each planted bug (properties/planted) is reproduced by a C program that
// compiles without a warning, fails on the kernel with the bug, and passes on
// the kernel without it.

#include "properties/planted/planted.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"
#include "properties/violation.h"
#include "reproduce/program.h"
#include "reproduce/recorded_run.h"
#include "reproduce/run_program.h"

namespace atsfuzz::reproduce {
namespace {

namespace fs = std::filesystem;
using linux_driver::BuildKind;
using linux_driver::Tree;

void Silent(const std::string& line) {}

absl::StatusOr<std::string> Module(const std::string& kernel,
                                   const std::vector<std::string>& patches,
                                   BuildKind kind) {
  const auto tree = linux_driver::ObtainTree(kernel, patches, Silent);
  if (!tree.ok()) return tree.status();
  return linux_driver::BuildModule(*tree, kind, Silent);
}

class ProgramOfAPlantedBug : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    planted_ = ReadPlanted(GetParam());
    auto tree = linux_driver::ObtainTree(planted_.kernel, {}, Silent);
    if (!tree.ok()) {
      GTEST_SKIP() << "no source of Linux " << planted_.kernel << ": "
                   << tree.status().message();
    }
    const auto scenario = model::Parse(planted_.scenario, "planted");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    scenario_ = *scenario;
    build_ = BuildFor(scenario_, races());
    const auto module = Module(planted_.kernel, {planted_.patch}, build_);
    ASSERT_TRUE(module.ok()) << module.status();
    module_ = *module;
  }

  bool races() const { return planted_.invariant == "data-race"; }

  void Record() {
    const auto load = [&] {
      auto system = linux_driver::LoadModule(module_, "patched");
      if (system.ok()) (*system)->AskForDataRaces(races());
      return system;
    };
    const auto run = reproduce::Record(load, scenario_);
    ASSERT_TRUE(run.ok()) << run.status();
    run_ = *run;
  }

  // The violation that the patch names; null: the run died of it.
  const Shown* Wanted() const {
    const auto invariant = properties::InvariantByName(planted_.invariant);
    const auto at = std::find_if(
        run_.shown.begin(), run_.shown.end(), [&](const Shown& shown) {
          return shown.violation.invariant == invariant;
        });
    EXPECT_TRUE(at != run_.shown.end() || run_.death) << planted_.patch;
    return at == run_.shown.end() ? nullptr : &*at;
  }

  Planted planted_;
  model::Scenario scenario_;
  BuildKind build_ = BuildKind::kPlain;
  std::string module_;
  RecordedRun run_;
};

TEST_P(ProgramOfAPlantedBug, FailsWithTheBugAndPassesWithoutIt) {
  Record();
  if (HasFatalFailure()) return;
  const auto text = TextOf({.scenario = scenario_,
                            .run = run_,
                            .shown = Wanted(),
                            .violation = planted_.invariant,
                            .driver = "the patched kernel",
                            .made_by = "a test",
                            .module = "a module's path",
                            .build = build_,
                            .data_races = races()});
  ASSERT_TRUE(text.ok()) << text.status();
  const auto sound = Module(planted_.kernel, {}, build_);
  ASSERT_TRUE(sound.ok()) << sound.status();
  for (const char* compiler : {"clang", "gcc"}) {
    const auto with = RunProgram(*text, compiler, build_, module_);
    ASSERT_TRUE(with.ok()) << with.status() << "\n" << *text;
    EXPECT_EQ(with->status, 1) << *text << with->output;
    const auto without = RunProgram(*text, compiler, build_, *sound);
    ASSERT_TRUE(without.ok()) << without.status();
    EXPECT_EQ(without->status, 0) << *text << without->output;
  }
}

INSTANTIATE_TEST_SUITE_P(Patches, ProgramOfAPlantedBug,
                         testing::ValuesIn(PlantedPatches()),
                         [](const auto& test) {
                           return PlantedName(test.param);
                         });

}  // namespace
}  // namespace atsfuzz::reproduce
