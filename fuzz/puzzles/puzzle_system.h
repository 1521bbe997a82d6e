#ifndef ATSFUZZ_FUZZ_PUZZLES_PUZZLE_SYSTEM_H_
#define ATSFUZZ_FUZZ_PUZZLES_PUZZLE_SYSTEM_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/predict.h"
#include "fuzz/puzzles/puzzle.h"
#include "model/system.h"

namespace atsfuzz::fuzz {

// A puzzle as a system: operations return what was predicted, and the planted
// bug shows as a WARN in the kernel function `puzzle`. Nothing else of it can
// be observed.
class PuzzleSystem final : public model::System {
 public:
  explicit PuzzleSystem(const PuzzleCase& puzzle) : puzzle_(puzzle) {}

  absl::Status Boot(const model::Topology& topology) override {
    contract_.emplace(topology);
    bug_ = puzzle_.make(topology);
    events_.clear();
    ++boots_;
    return absl::OkStatus();
  }

  int Operate(const model::Operation& operation, model::FunctionId through,
              uint64_t physical) override {
    events_.clear();
    const int result = PredictResult(*contract_, operation);
    if (bug_->Step(*contract_, operation, result)) {
      atsfuzz_event warning = {};
      warning.kind = ATSFUZZ_EVENT_WARN;
      warning.smmu = warning.function = ATSFUZZ_NONE;
      warning.text = "the planted bug";
      warning.file = "puzzle.c";
      warning.kernel_function = "puzzle";
      warning.line = 1;
      events_.push_back(warning);
    }
    contract_->Apply(operation, result, physical);
    through_ = through;
    return result;
  }

  void Shutdown() override {
    events_.clear();
    ++shutdowns_;
  }
  const atsfuzz_observation& Observe() override { return observation_; }
  std::span<const atsfuzz_event> Events() override { return events_; }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

  int boots() const { return boots_; }
  int shutdowns() const { return shutdowns_; }
  // Of the last operation.
  model::FunctionId through() const { return through_; }

 private:
  const PuzzleCase& puzzle_;
  std::string name_ = "puzzle";
  const model::Capabilities capabilities_;
  std::optional<model::Contract> contract_;
  std::unique_ptr<Puzzle> bug_;
  std::vector<atsfuzz_event> events_;
  atsfuzz_observation observation_ = {};
  model::FunctionId through_;
  int boots_ = 0, shutdowns_ = 0;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PUZZLES_PUZZLE_SYSTEM_H_
