#include "model/machine/interleaving.h"

#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/schedule.h"

namespace atsfuzz::machine {

MachineInterleaving::MachineInterleaving(const Machine& machine,
                                         const State& state, Recorder& recorder,
                                         TakeStep take_step, Returned returned)
    : machine_(machine),
      state_(state),
      recorder_(recorder),
      take_step_(std::move(take_step)),
      returned_(std::move(returned)) {}

void MachineInterleaving::Begin() { recorder_.Clear(); }

void MachineInterleaving::Start(int thread, const model::Operation& operation,
                                model::FunctionId /*through*/,
                                uint64_t physical) {
  // Locks know a thread by its id, and 0 is whoever runs outside of a block.
  threads_[thread] = {.thread = machine_.Begin(RequestOf(operation), thread),
                      .operation = operation,
                      .physical = physical};
}

model::Interleaving::Progress MachineInterleaving::Advance(
    int thread, const Stretch& stretch) {
  assert(stretch.steps > 0);
  Running& running = threads_[thread];
  recorder_.SetThread(thread);
  Progress progress;
  for (;;) {
    if (running.at_step) {
      if (machine_.IsBlocked(state_, running.thread)) {
        progress.stop = Stop::kBlocks;
        break;
      }
      if (!take_step_(running.thread)) {
        progress.stop = Stop::kReturned;
        progress.result = running.thread.result;
        returned_(running.operation, running.physical, progress.result);
        return progress;
      }
    }
    running.at_step = true;
    if (++progress.steps == stretch.steps) break;
  }
  recorder_.Stopped(machine_.Next(running.thread));
  return progress;
}

bool MachineInterleaving::IsReady(int thread) {
  return !machine_.IsBlocked(state_, threads_[thread].thread);
}

std::string MachineInterleaving::WaitsFor(int thread) {
  const Thread& waiting = threads_[thread].thread;
  const Step step = machine_.Next(waiting);
  if (step == Step::kUnref) return "the array's lock, which readers hold";
  const bool asid = step == Step::kLockAsid;
  const int holder =
      asid ? state_.asid_lock
           : state_.group_lock
                 [machine_.board().functions[waiting.request.function].leader];
  return absl::StrCat(asid ? "arm_smmu_asid_lock" : "group->mutex", ", which ",
                      ToText(model::Actor::Thread(holder - 1)), " holds");
}

std::vector<std::string> MachineInterleaving::Holds(int thread) {
  std::vector<std::string> locks;
  const uint8_t holder = static_cast<uint8_t>(thread + 1);
  for (const uint8_t lock : state_.group_lock) {
    if (lock == holder) locks.emplace_back("group->mutex");
  }
  if (state_.asid_lock == holder) locks.emplace_back("arm_smmu_asid_lock");
  return locks;
}

}  // namespace atsfuzz::machine
