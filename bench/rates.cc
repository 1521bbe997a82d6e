// How fast the pieces are, side by side in one run: the real driver alone, the
// driver looked at, the driver under the whole checker, a boot, the generator.
// One core, plain build, in process. `bench/run` builds and runs it.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "bench/driver.h"
#include "fuzz/generate.h"
#include "fuzz/run.h"
#include "model/text.h"

namespace atsfuzz {
namespace {

using model::Operation;
using model::OperationKind;

using bench::Driver;

// A PF with ATS in its identity domain, and a stage-1 domain to attach.
model::Scenario OnePf() {
  return *model::Parse(
      "smmu s0\n"
      "pf p0 smmu=s0 ats default=identity\n"
      "domain d0 smmu=s0 stage=1\n"
      "probe p0\n"
      "domain-new d0\n",
      "bench");
}

void BootOnePf(model::System& system) {
  const model::Scenario scenario = OnePf();
  if (!system.Boot(scenario.topology).ok()) std::exit(3);
  for (const Operation& operation : scenario.operations) {
    system.Operate(operation, model::FunctionId(0), 0);
  }
}

Operation On(OperationKind kind) {
  Operation operation;
  operation.kind = kind;
  operation.function = model::FunctionId(0);
  operation.domain = model::DomainId(0);
  return operation;
}

void AttachDetachPairs(benchmark::State& state, bool observe) {
  model::System& system = Driver();
  BootOnePf(system);
  const Operation attach = On(OperationKind::kAttach);
  const Operation detach = On(OperationKind::kDetach);
  for (auto _ : state) {
    system.Operate(attach, {}, 0);
    if (observe) benchmark::DoNotOptimize(system.Observe());
    system.Operate(detach, {}, 0);
    if (observe) benchmark::DoNotOptimize(system.Observe());
  }
  state.SetItemsProcessed(state.iterations());
}

void DriverAlonePairs(benchmark::State& state) {
  AttachDetachPairs(state, false);
}
BENCHMARK(DriverAlonePairs);

void DriverObservedPairs(benchmark::State& state) {
  AttachDetachPairs(state, true);
}
BENCHMARK(DriverObservedPairs);

void Boots(benchmark::State& state) {
  model::System& system = Driver();
  const model::Scenario scenario = OnePf();
  for (auto _ : state) {
    benchmark::DoNotOptimize(system.Boot(scenario.topology).ok());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Boots);

fuzz::GenerateOptions WellBehaved(int operations) {
  fuzz::GenerateOptions options;
  options.well_behaved = true;
  options.max_operations = operations;
  return options;
}

// Operations of generated scenarios, each judged by every invariant; boots and
// shutdowns included, generation not.
void CheckedOperations(benchmark::State& state) {
  model::System& system = Driver();
  std::vector<model::Scenario> scenarios;
  for (uint64_t seed = 0; seed < 512; seed++) {
    scenarios.push_back(
        fuzz::Generate(seed, WellBehaved(static_cast<int>(state.range(0)))));
  }
  fuzz::RunOptions options;
  options.drop_impossible = true;
  int64_t operations = 0;
  size_t next = 0;
  for (auto _ : state) {
    auto result =
        fuzz::Run(scenarios[next++ % scenarios.size()], system, options);
    if (result.ok()) operations += static_cast<int64_t>(result->kept.size());
  }
  state.SetItemsProcessed(operations);
}
BENCHMARK(CheckedOperations)->Arg(16)->Arg(64);

void GeneratedOperations(benchmark::State& state) {
  int64_t operations = 0;
  uint64_t seed = 0;
  for (auto _ : state) {
    operations += static_cast<int64_t>(
        fuzz::Generate(seed++, WellBehaved(32)).operations.size());
  }
  state.SetItemsProcessed(operations);
}
BENCHMARK(GeneratedOperations);

}  // namespace
}  // namespace atsfuzz

BENCHMARK_MAIN();
