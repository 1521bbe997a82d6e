#ifndef ATSFUZZ_FUZZ_RECORDING_H_
#define ATSFUZZ_FUZZ_RECORDING_H_

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/system.h"

namespace atsfuzz::fuzz {

// One call of System::Operate, or of Interleaving::Start: then the operation
// names its thread.
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
  // `tell` hears of each call before it is made, and may be null.
  using Tell = std::function<void(const Call& call)>;
  explicit Recording(model::System& system, Tell tell = nullptr)
      : system_(system), tell_(std::move(tell)), interleaving_(this) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Since the last Boot.
  const std::vector<Call>& calls() const { return calls_; }

  absl::Status Boot(const model::Topology& topology) override {
    calls_.clear();
    return system_.Boot(topology);
  }
  int Operate(const model::Operation& operation, model::FunctionId through,
              uint64_t physical) override {
    Note({operation, through, physical});
    return system_.Operate(operation, through, physical);
  }
  model::Interleaving* interleaving() override {
    return system_.interleaving() == nullptr ? nullptr : &interleaving_;
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
  class RecordingInterleaving : public model::Interleaving {
   public:
    explicit RecordingInterleaving(Recording* recording)
        : recording_(recording) {}

    void Begin() override { to().Begin(); }
    void Start(int thread, const model::Operation& operation,
               model::FunctionId through, uint64_t physical) override {
      recording_->Note({operation, through, physical});
      to().Start(thread, operation, through, physical);
    }
    Progress Advance(int thread, const Stretch& stretch) override {
      return to().Advance(thread, stretch);
    }
    model::Touched LastTouched() override { return to().LastTouched(); }
    bool IsReady(int thread) override { return to().IsReady(thread); }
    bool IsReady(model::SmmuId smmu) override { return to().IsReady(smmu); }
    void Advance(model::SmmuId smmu) override { to().Advance(smmu); }
    void MoveRcu() override { to().MoveRcu(); }
    bool IsRcuReady() override { return to().IsRcuReady(); }
    void AdvanceRcu() override { to().AdvanceRcu(); }
    bool PassTime() override { return to().PassTime(); }
    std::string WaitsFor(int thread) override { return to().WaitsFor(thread); }
    std::vector<std::string> Holds(int thread) override {
      return to().Holds(thread);
    }
    void End() override { to().End(); }

   private:
    model::Interleaving& to() { return *recording_->system_.interleaving(); }

    Recording* recording_;
  };

  void Note(const Call& call) {
    calls_.push_back(call);
    if (tell_) tell_(call);
  }

  model::System& system_;
  Tell tell_;
  RecordingInterleaving interleaving_;
  std::vector<Call> calls_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_RECORDING_H_
