// What a snapshot saves: the same 16 operations again and again on one machine,
// each time after a boot, or gone back to a snapshot behind the first `common`
// of them (0: behind the boot). The driver alone, plain build, one core;
// nothing is observed or judged. `common` is 15 where runs differ in their last
// operation: a sweep over its faults, an explorer, the end of a shrink.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/driver.h"
#include "fuzz/generate.h"
#include "fuzz/recording.h"
#include "fuzz/run.h"

namespace atsfuzz {
namespace {

using bench::Driver;
using fuzz::Call;
using Snapshot = model::System::Snapshot;

constexpr size_t kOperations = 16;
constexpr size_t kScenarios = 32;
// Runs of a scenario before the next one's turn; its snapshot is taken anew.
constexpr int64_t kRuns = 64;

struct Script {
  model::Topology topology;
  std::vector<Call> calls;
};

// Generated scenarios that enter the kernel 16 times, implicit allocations
// counted.
const std::vector<Script>& Scripts() {
  static const std::vector<Script> scripts = [] {
    std::vector<Script> found;
    fuzz::GenerateOptions options;
    options.well_behaved = true;
    options.capabilities = Driver().capabilities();
    for (uint64_t seed = 0; found.size() < kScenarios; seed++) {
      fuzz::Recording recording(Driver());
      const model::Scenario scenario = fuzz::Generate(seed, options);
      const auto result =
          fuzz::Run(scenario, recording, {.drop_impossible = true});
      if (!result.ok() || recording.calls().size() != kOperations) continue;
      found.push_back({scenario.topology, recording.calls()});
    }
    return found;
  }();
  return scripts;
}

void Boot(const Script& script) {
  if (!Driver().Boot(script.topology).ok()) std::exit(3);
}

void Operate(const Script& script, size_t first, size_t end) {
  for (size_t i = first; i < end; i++) {
    const Call& call = script.calls[i];
    Driver().Operate(call.operation, call.through, call.physical);
  }
}

// The scenario whose turn it is; `fresh` if it has just begun.
const Script& Turn(int64_t run, bool* fresh) {
  *fresh = run % kRuns == 0;
  return Scripts()[static_cast<size_t>(run / kRuns) % kScenarios];
}

void RebootedRuns(benchmark::State& state) {
  Scripts();
  int64_t run = 0;
  bool fresh = false;
  for (auto _ : state) {
    const Script& script = Turn(run++, &fresh);
    Boot(script);
    Operate(script, 0, kOperations);
  }
  state.SetItemsProcessed(run);
}
BENCHMARK(RebootedRuns);

// Taking the snapshots is part of the time.
void RestoredRuns(benchmark::State& state) {
  Scripts();
  const auto common = static_cast<size_t>(state.range(0));
  std::unique_ptr<Snapshot> snapshot;
  int64_t run = 0;
  bool fresh = false;
  for (auto _ : state) {
    const Script& script = Turn(run++, &fresh);
    if (fresh) {
      Boot(script);
      Operate(script, 0, common);
      snapshot = Driver().TakeSnapshot();
    } else {
      Driver().Restore(*snapshot);
    }
    Operate(script, common, kOperations);
  }
  state.SetItemsProcessed(run);
}
BENCHMARK(RestoredRuns)
    ->ArgName("common")
    ->Arg(0)
    ->Arg(4)
    ->Arg(8)
    ->Arg(12)
    ->Arg(15);

// The parts of a run, on the same machines.
void MachineBoots(benchmark::State& state) {
  Scripts();
  int64_t run = 0;
  bool fresh = false;
  for (auto _ : state) Boot(Turn(run++, &fresh));
  state.SetItemsProcessed(run);
}
BENCHMARK(MachineBoots);

void MachineRestores(benchmark::State& state) {
  const auto common = static_cast<size_t>(state.range(0));
  std::unique_ptr<Snapshot> snapshot;
  int64_t run = 0;
  bool fresh = false;
  for (auto _ : state) {
    const Script& script = Turn(run++, &fresh);
    if (fresh) {
      state.PauseTiming();
      Boot(script);
      Operate(script, 0, common);
      snapshot = Driver().TakeSnapshot();
      state.ResumeTiming();
    }
    Driver().Restore(*snapshot);
  }
  state.SetItemsProcessed(run);
}
BENCHMARK(MachineRestores)->ArgName("common")->Arg(0)->Arg(15);

}  // namespace
}  // namespace atsfuzz

BENCHMARK_MAIN();
