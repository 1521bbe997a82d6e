#include "linux/interleaving.h"

#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/schedule.h"

namespace atsfuzz::linux_driver {

ModuleInterleaving::ModuleInterleaving(const atsfuzz_threads* threads,
                                       ToRequest to_request)
    : threads_(threads), to_request_(std::move(to_request)) {}

void ModuleInterleaving::Begin() {
  threads_->begin(
      [](void* data) {
        static_cast<ModuleInterleaving*>(data)->running_->Leave();
      },
      this);
}

void ModuleInterleaving::Start(int thread, const model::Operation& operation,
                               model::FunctionId through, uint64_t physical) {
  Thread& stack = stacks_[thread];
  stack.request = to_request_(operation, through, physical);
  stack.fiber.Start(
      [this, &stack] { stack.result = threads_->operate(&stack.request); });
}

ModuleInterleaving::Progress ModuleInterleaving::Advance(
    int thread, const Stretch& stretch) {
  assert(stretch.steps > 0);
  Thread& stack = stacks_[thread];
  running_ = &stack.fiber;
  touches_unknown_ = stretch.weak;
  threads_->select(static_cast<uint32_t>(thread), stretch.steps, stretch.plain,
                   stretch.weak);
  stack.fiber.Resume();
  const uint32_t left = threads_->steps_left();
  Progress progress = {.steps = stretch.steps - left};
  if (!stack.fiber.active()) {
    progress.stop = Stop::kReturned;
    progress.result = stack.result;
    return progress;
  }
  switch (threads_->status(static_cast<uint32_t>(thread))) {
    case ATSFUZZ_THREAD_WAITING:
      progress.stop = Stop::kBlocks;
      break;
    case ATSFUZZ_THREAD_SPINNING:
      progress.stop = Stop::kSpins;
      break;
    default:
      progress.at_plain = left != 0;
      break;
  }
  return progress;
}

model::Touched ModuleInterleaving::LastTouched() {
  uint32_t count = 0;
  const atsfuzz_touch* touches = threads_->touched(&count);
  if (touches_unknown_ || count == ATSFUZZ_NOT_ALL) return std::nullopt;
  return std::span(touches, count);
}

bool ModuleInterleaving::IsReady(int thread) {
  return threads_->ready(static_cast<uint32_t>(thread)) != 0;
}

bool ModuleInterleaving::IsReady(model::SmmuId smmu) {
  return threads_->smmu_ready(smmu.value) != 0;
}

void ModuleInterleaving::Advance(model::SmmuId smmu) {
  touches_unknown_ = false;
  threads_->smmu_step(smmu.value);
}

void ModuleInterleaving::MoveRcu() { threads_->hold_grace_periods(); }

bool ModuleInterleaving::IsRcuReady() {
  return threads_->grace_period_ready() != 0;
}

void ModuleInterleaving::AdvanceRcu() {
  touches_unknown_ = true;  // of all CPUs
  threads_->move_grace_periods();
}

bool ModuleInterleaving::PassTime() { return threads_->pass_time() != 0; }

std::string ModuleInterleaving::WaitsFor(int thread) {
  const atsfuzz_wait* wait = threads_->wait(static_cast<uint32_t>(thread));
  if (wait == nullptr) return "an answer that does not come";
  if (wait->holder != ATSFUZZ_NONE && wait->holder > ATSFUZZ_MAX_THREADS) {
    return "a lock that was overwritten, or freed: no thread holds it";
  }
  return absl::StrCat(
      wait->lock == nullptr ? "a lock" : wait->lock, ", which ",
      wait->holder == ATSFUZZ_NONE
          ? std::string("readers hold")
          : absl::StrCat(
                ToText(model::Actor::Thread(static_cast<int>(wait->holder))),
                " holds"));
}

std::vector<std::string> ModuleInterleaving::Holds(int thread) {
  std::vector<std::string> locks;
  for (uint32_t i = 0;; ++i) {
    const char* lock = threads_->held(static_cast<uint32_t>(thread), i);
    if (lock == nullptr) return locks;
    locks.emplace_back(lock);
  }
}

void ModuleInterleaving::End() { threads_->end(); }

}  // namespace atsfuzz::linux_driver
