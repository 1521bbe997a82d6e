#ifndef ATSFUZZ_FUZZ_PUZZLES_PUZZLE_H_
#define ATSFUZZ_FUZZ_PUZZLES_PUZZLE_H_

#include <memory>
#include <string>
#include <vector>

#include "fuzz/predict.h"
#include "model/contract.h"
#include "model/scenario.h"

// Puzzles: tiny systems with a planted bug whose shortest failure is known. The
// engines are tested on them.
namespace atsfuzz::fuzz {

class Puzzle {
 public:
  virtual ~Puzzle() = default;
  // One operation: `before` holds before it. True if the planted bug shows.
  virtual bool Step(const model::Contract& before,
                    const model::Operation& operation, int result) = 0;
};

struct PuzzleCase {
  const char* name;
  uint8_t faults;  // classes that its inputs need
  std::unique_ptr<Puzzle> (*make)(const model::Topology& topology);
  const char* minimum;  // the shortest failure, canonical
};

// All puzzles (puzzles/puzzles.cc).
const std::vector<PuzzleCase>& Puzzles();

// True if the scenario is possible and shows the bug. Results are as predicted.
inline bool Shows(const PuzzleCase& puzzle, const model::Scenario& scenario) {
  model::Contract contract(scenario.topology);
  const std::unique_ptr<Puzzle> system = puzzle.make(scenario.topology);
  bool shown = false;
  for (const model::Operation& operation : scenario.operations) {
    if (!contract.Allows(operation).ok()) return false;
    const int result = PredictResult(contract, operation);
    shown |= system->Step(contract, operation, result);
    ApplyPrediction(operation, &contract);
  }
  return shown;
}

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PUZZLES_PUZZLE_H_
