// Schedules of a `par` block of three threads (an attach, an unmap with its
// sync, the function's own access) on one core, plain build: another order each
// time, from the snapshot behind the operations before it. Then the same under
// the checker, each run from a boot on; and what a switch of fibers costs.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/driver.h"
#include "fuzz/block_run.h"
#include "fuzz/recording.h"
#include "fuzz/run.h"
#include "fuzz/strategy.h"
#include "linux/fiber.h"
#include "model/text.h"

namespace atsfuzz {
namespace {

using bench::Driver;
using fuzz::Strategy;

const model::Scenario& TheScenario() {
  static const auto scenario = model::Parse(
      "smmu   s0\n"
      "pf     p0  smmu=s0 ats default=identity\n"
      "pf     p1  smmu=s0 ats\n"
      "domain d0  smmu=s0 stage=1\n"
      "probe p0\n"
      "probe p1\n"
      "attach p1 d0\n"
      "map d0 0\n"
      "par\n"
      "  thread\n"
      "    attach p0 d0\n"
      "  thread\n"
      "    unmap d0 0\n"
      "  thread\n"
      "    dma p0 0\n"
      "end\n",
      "schedules.cc");
  if (!scenario.ok()) std::abort();
  return *scenario;
}

// What the strategies are called in the benchmarks' names.
Strategy StrategyOf(const benchmark::State& state) {
  return static_cast<Strategy>(state.range(0));
}

void RestoredSchedules(benchmark::State& state) {
  const model::Scenario& scenario = TheScenario();
  const model::Block block = BlockOf(scenario);
  model::Scenario before = scenario;
  before.operations.resize(block.first);
  before.schedule.clear();
  fuzz::Recording recording(Driver());
  if (!fuzz::Run(before, recording).ok()) std::abort();
  if (!Driver().Boot(scenario.topology).ok()) std::exit(3);
  model::Contract contract(scenario.topology, Driver().capabilities());
  for (const fuzz::Call& call : recording.calls()) {
    const int result =
        Driver().Operate(call.operation, call.through, call.physical);
    contract.Apply(call.operation, result, call.physical);
    // The runs' own end is not theirs.
    if (call.operation.kind == model::OperationKind::kMap) break;
  }
  const auto snapshot = Driver().TakeSnapshot();
  const std::vector<uint64_t> physical(block.end - block.first);
  uint64_t seed = 0, steps = 0, switches = 0;
  for (auto _ : state) {
    Driver().Restore(*snapshot);
    const auto schedules = fuzz::SchedulesFor({.strategy = StrategyOf(state)},
                                              seed++, scenario.schedule);
    const auto ran = fuzz::RunBlock(scenario, block, physical, contract,
                                    Driver(), {.scheduler = schedules->Next()});
    if (!ran.ok() || ran->stuck.kind != properties::Stuck::kNot) std::abort();
    steps += ran->steps;
    switches += ran->schedule.size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(seed));
  const auto runs = static_cast<double>(seed);
  state.counters["steps"] = static_cast<double>(steps) / runs;
  state.counters["turns"] = static_cast<double>(switches) / runs;
}
BENCHMARK(RestoredSchedules)
    ->ArgName("strategy")
    ->Arg(static_cast<int>(Strategy::kRandom))
    ->Arg(static_cast<int>(Strategy::kPct))
    ->Arg(static_cast<int>(Strategy::kPos))
    ->Arg(static_cast<int>(Strategy::kBytes));

void JudgedSchedules(benchmark::State& state) {
  const model::Scenario& scenario = TheScenario();
  uint64_t seed = 0;
  for (auto _ : state) {
    const auto schedules = fuzz::SchedulesFor({.strategy = StrategyOf(state)},
                                              seed++, scenario.schedule);
    const auto ran =
        fuzz::Run(scenario, Driver(), {.scheduler = schedules->Next()});
    if (!ran.ok()) std::abort();
  }
  state.SetItemsProcessed(static_cast<int64_t>(seed));
}
BENCHMARK(JudgedSchedules)
    ->ArgName("strategy")
    ->Arg(static_cast<int>(Strategy::kRandom))
    ->Arg(static_cast<int>(Strategy::kPct));

// There and back: two switches.
void FiberSwitches(benchmark::State& state) {
  linux_driver::Fiber fiber;
  fiber.Start([&] {
    for (;;) fiber.Leave();
  });
  for (auto _ : state) fiber.Resume();
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(FiberSwitches);

}  // namespace
}  // namespace atsfuzz

BENCHMARK_MAIN();
