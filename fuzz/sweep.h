#ifndef ATSFUZZ_FUZZ_SWEEP_H_
#define ATSFUZZ_FUZZ_SWEEP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fuzz/generate.h"
#include "fuzz/plan.h"
#include "fuzz/tally.h"
#include "model/scenario.h"

// The fail-nth sweep (the idea is that of the kernel's iommufd_fail_nth): every
// fault that can hit an operation, one at a time.
//
//  1. A scenario runs clean, without its own faults. What was implicit in it,
//     an allocation of a domain, becomes an operation, so that it can fail too;
//     operations that the kernel could not do leave. If the kernel dies in it,
//     what comes before is swept.
//  2. For each operation and each class of faults the clean run says how often
//     one could hit; the scenario runs again with exactly one, the n-th, for n
//     = 1, 2, ... until one is not consumed.
//
// Classes that cannot be numbered (a pci_enable_ats that fails) are placed once
// in each operation that asks for them. Number 64 is the last allocation and
// number 8 the last write to config space of one operation that can fail; what
// an operation asks for beyond is counted.
namespace atsfuzz::fuzz {

struct SweepOptions {
  uint8_t faults = model::kAllFaults;  // set of FaultClass
  std::vector<model::Scenario> scenarios;
  // After these, generated ones: scenario i from the seed and i. At most
  // `generated` of them; none: without end.
  bool generates = false;
  GenerateOptions generate;  // its faults are not used
  uint64_t seed = 1;
  std::optional<uint64_t> generated;
};

struct SweepCounts {
  uint64_t scenarios = 0;             // swept
  uint64_t operations = 0;            // of these
  uint64_t placed = 0, consumed = 0;  // faults
  uint64_t beyond = 0;                // could be hit, but have no number
};

class Sweep : public Plan {
 public:
  explicit Sweep(SweepOptions options);

  std::vector<model::Scenario> NextRound() override;
  void RoundDone(uint64_t first,
                 const std::vector<RunReport>& reports) override;

  const SweepCounts& counts() const { return counts_; }

 private:
  // A fault in an operation of a scenario of the batch.
  struct Placement {
    size_t scenario = 0;
    size_t operation = 0;
    model::FaultClass fault = model::kFaultAlloc;
    int number = 1;
    // The highest number of its operation and class so far: if it is consumed,
    // the next one is tried.
    bool last = false;
  };

  bool StartBatch();
  void CleanRunDone(size_t scenario, const RunReport& report);
  void Place(size_t scenario, const std::vector<OperationTally>& tallies);
  void FaultyRunDone(const Placement& placement, const RunReport& report);

  const SweepOptions options_;
  uint64_t next_generated_ = 0;
  uint64_t batch_size_;
  bool started_ = false;
  std::vector<model::Scenario> batch_;
  std::vector<int> clean_runs_;  // by scenario of the batch
  // What the next round runs: scenarios of the batch clean, or placements.
  std::vector<size_t> clean_;
  std::vector<Placement> placements_;
  SweepCounts counts_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SWEEP_H_
