#ifndef ATSFUZZ_FUZZ_RECORDING_H_
#define ATSFUZZ_FUZZ_RECORDING_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/system.h"

namespace atsfuzz::fuzz {

// One call of System::Operate.
struct Call {
  model::Operation operation;
  model::FunctionId through;
  uint64_t physical = 0;
};

// Passes everything on to another system and writes the calls down: what a run
// asked of it, implicit allocations among them, so that it can be repeated
// without a runner. Snapshots are not offered: they would cut the record.
class Recording : public model::System {
 public:
  explicit Recording(model::System& system) : system_(system) {}

  // Since the last Boot.
  const std::vector<Call>& calls() const { return calls_; }

  absl::Status Boot(const model::Topology& topology) override {
    calls_.clear();
    return system_.Boot(topology);
  }
  int Operate(const model::Operation& operation, model::FunctionId through,
              uint64_t physical) override {
    calls_.push_back({operation, through, physical});
    return system_.Operate(operation, through, physical);
  }
  void Shutdown() override { system_.Shutdown(); }
  const atsfuzz_observation& Observe() override { return system_.Observe(); }
  std::span<const atsfuzz_event> Events() override { return system_.Events(); }
  bool Undefined() const override { return system_.Undefined(); }
  bool Locates() const override { return system_.Locates(); }
  std::vector<model::Location> Locate(const atsfuzz_event& event) override {
    return system_.Locate(event);
  }
  std::vector<model::Location> LastWriter(model::Fact fact) override {
    return system_.LastWriter(fact);
  }
  std::span<uint8_t> Coverage() override { return system_.Coverage(); }
  const model::Capabilities& capabilities() const override {
    return system_.capabilities();
  }
  const std::string& name() const override { return system_.name(); }

 private:
  model::System& system_;
  std::vector<Call> calls_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_RECORDING_H_
