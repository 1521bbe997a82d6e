#ifndef ATSFUZZ_LINUX_INTERLEAVING_H_
#define ATSFUZZ_LINUX_INTERLEAVING_H_

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "linux/fiber.h"
#include "linux/module.h"
#include "model/system.h"

namespace atsfuzz::linux_driver {

// The threads of a module: a fiber each.
class ModuleInterleaving : public model::Interleaving {
 public:
  // An operation as the module wants it.
  using ToRequest = std::function<atsfuzz_request(
      const model::Operation& operation, model::FunctionId through,
      uint64_t physical)>;

  // `threads` must outlive it.
  ModuleInterleaving(const atsfuzz_threads* threads, ToRequest to_request);

  void Begin() override;
  void Start(int thread, const model::Operation& operation,
             model::FunctionId through, uint64_t physical) override;
  Progress Advance(int thread, const Stretch& stretch) override;
  model::Touched LastTouched() override;
  bool IsReady(int thread) override;
  bool IsReady(model::SmmuId smmu) override;
  void Advance(model::SmmuId smmu) override;
  void MoveRcu() override;
  bool IsRcuReady() override;
  void AdvanceRcu() override;
  bool PassTime() override;
  std::string WaitsFor(int thread) override;
  std::vector<std::string> Holds(int thread) override;
  void End() override;

 private:
  struct Thread {
    Fiber fiber;
    atsfuzz_request request;
    int result = 0;
  };

  const atsfuzz_threads* threads_;
  const ToRequest to_request_;
  std::array<Thread, 1 + ATSFUZZ_MAX_THREADS> stacks_;
  Fiber* running_ = nullptr;
  bool touches_unknown_ = false;  // of the last move
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_INTERLEAVING_H_
