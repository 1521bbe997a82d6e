#ifndef ATSFUZZ_MODEL_MACHINE_INTERLEAVING_H_
#define ATSFUZZ_MODEL_MACHINE_INTERLEAVING_H_

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "model/machine/machine.h"
#include "model/machine/recorder.h"
#include "model/system.h"

namespace atsfuzz::machine {

// Operations side by side on the abstract machine: their steps are its atomic
// ones, and an SMMU consumes within them, so that it is never a turn's actor.
//
// What weak memory allows is an order of these steps (Design): a load that
// comes before an earlier store, where a barrier is missing.
class MachineInterleaving : public model::Interleaving {
 public:
  // Takes the next step of a thread that is not blocked. False: it has
  // returned.
  using TakeStep = std::function<bool(Thread& thread)>;
  // An operation has returned.
  using Returned = std::function<void(const model::Operation& operation,
                                      uint64_t physical, int result)>;

  // All must outlive it.
  MachineInterleaving(const Machine& machine, const State& state,
                      Recorder& recorder, TakeStep take_step,
                      Returned returned);

  void Begin() override;
  void Start(int thread, const model::Operation& operation,
             model::FunctionId through, uint64_t physical) override;
  Progress Advance(int thread, const Stretch& stretch) override;
  bool IsReady(int thread) override;
  bool IsReady(model::SmmuId) override { return false; }
  void Advance(model::SmmuId) override {}
  bool PassTime() override { return false; }
  std::string WaitsFor(int thread) override;
  std::vector<std::string> Holds(int thread) override;
  void End() override {}

 private:
  struct Running {
    Thread thread;
    model::Operation operation;
    uint64_t physical = 0;
    bool at_step = false;  // stands before its next step, or before the call
  };

  const Machine& machine_;
  const State& state_;
  Recorder& recorder_;
  const TakeStep take_step_;
  const Returned returned_;
  std::array<Running, 1 + ATSFUZZ_MAX_THREADS> threads_;
};

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_INTERLEAVING_H_
