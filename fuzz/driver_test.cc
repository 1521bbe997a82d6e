// The real driver of Linux 6.12 under the engines: what RapidCheck generates,
// and the corpus.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/generate.h"
#include "fuzz/run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"
#include "rapidcheck.h"

namespace atsfuzz::fuzz {
namespace {

absl::StatusOr<std::unique_ptr<model::System>> Load() {
  auto quiet = [](const std::string&) {};
  auto tree = linux_driver::ObtainTree("6.12", {}, quiet);
  if (!tree.ok()) return tree.status();
  auto module =
      linux_driver::BuildModule(*tree, linux_driver::BuildKind::kPlain, quiet);
  if (!module.ok()) return module.status();
  return linux_driver::LoadModule(*module, tree->name);
}

class RealDriver : public testing::Test {
 protected:
  void SetUp() override {
    auto tree = linux_driver::ObtainTree("6.12", {}, [](const auto&) {});
    if (!tree.ok()) {
      GTEST_SKIP() << "no source of Linux 6.12: " << tree.status().message();
    }
    auto loaded = Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    system_ = *std::move(loaded);
  }

  std::unique_ptr<model::System> system_;
};

std::string Messages(const RunResult& result) {
  std::string messages;
  for (const auto& violation : result.violations) {
    messages += std::string(properties::InvariantName(violation.invariant)) +
                ": " + violation.message + "\n";
  }
  return messages;
}

TEST_F(RealDriver, BreaksNoInvariantOnWellBehavedMachines) {
  GenerateOptions options;
  options.well_behaved = true;
  uint64_t effective = 0;
  EXPECT_TRUE(rc::check([&] {
    const model::Scenario scenario = *Scenarios(options);
    RunOptions run;
    run.drop_impossible = true;
    const auto result = fuzz::Run(scenario, *system_, run);
    RC_ASSERT(result.ok());
    effective += result->effective;
    RC_LOG() << Messages(*result) << model::Print(scenario);
    RC_ASSERT(result->violations.empty());
  }));
  EXPECT_GT(effective, 500u);
}

// Everything that a run shows, event by event.
class Record : public RunListener {
 public:
  void OnStep(const model::Operation&, size_t, bool, int result,
              model::System& system,
              std::span<const properties::Violation>) override {
    bytes += std::to_string(result);
    for (atsfuzz_event event : system.Events()) {
      if (event.text != nullptr) bytes += event.text;
      event.text = event.file = event.kernel_function = nullptr;
      bytes.append(reinterpret_cast<const char*>(&event), sizeof(event));
    }
  }
  std::string bytes;
};

TEST_F(RealDriver, DoesTheSameThingTwice) {
  EXPECT_TRUE(rc::check([&] {
    GenerateOptions options;
    options.faults = model::kFaultEnableAts | model::kFaultConfigWrite;
    const model::Scenario scenario = *Scenarios(options);
    Record first, second;
    for (Record* record : {&first, &second}) {
      RunOptions run;
      run.drop_impossible = true;
      run.listener = record;
      RC_ASSERT(fuzz::Run(scenario, *system_, run).ok());
    }
    RC_ASSERT(!first.bytes.empty());
    RC_ASSERT(first.bytes == second.bytes);
  }));
}

// A crash would end this process: replay shows those (cli_test).
bool Crashes(const model::Scenario& scenario) {
  return std::any_of(scenario.expectations.begin(), scenario.expectations.end(),
                     [](const model::Expectation& expected) {
                       return expected.invariant == "memory-safe";
                     });
}

TEST_F(RealDriver, MeetsTheExpectationsOfEveryScenarioOfTheCorpus) {
  int judged = 0;
  for (const char* folder : {"corpus/seeds", "corpus/regressions"}) {
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      const auto scenario = model::ReadScenario(file.path().string());
      ASSERT_TRUE(scenario.ok()) << scenario.status();
      if (Crashes(*scenario)) continue;
      const auto result = fuzz::Run(*scenario, *system_);
      ASSERT_TRUE(result.ok()) << file.path() << ": " << result.status();
      std::vector<std::string> broken;
      for (const auto& violation : result->violations) {
        broken.emplace_back(properties::InvariantName(violation.invariant));
      }
      for (const model::Expectation& expected : scenario->expectations) {
        judged++;
        if (expected.invariant.empty()) {
          EXPECT_THAT(broken, testing::IsEmpty()) << file.path() << "\n"
                                                  << Messages(*result);
        } else {
          EXPECT_THAT(broken, testing::Contains(expected.invariant))
              << file.path();
        }
      }
    }
  }
  EXPECT_GE(judged, 12);
}

}  // namespace
}  // namespace atsfuzz::fuzz
