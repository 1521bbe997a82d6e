#ifndef ATSFUZZ_FUZZ_LOCKSTEP_H_
#define ATSFUZZ_FUZZ_LOCKSTEP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/difference.h"
#include "model/scenario.h"
#include "model/system.h"

// Runs one scenario on two systems, kernel entry by kernel entry, and stops at
// the first thing that they show differently. One contract decides what is
// possible: as long as the systems return the same, it is theirs both.
namespace atsfuzz::fuzz {

struct LockstepOptions {
  // Operations that the kernel could not do are dropped instead of refused.
  bool drop_impossible = false;
  // Told before a side is entered: whose turn it is, and which of the
  // scenario's operations runs (0: the boot; n + 1: operation n; their number
  // + 1: the shutdown). What a crash is blamed on.
  std::function<void(uint64_t turn, Side side)> entering;
};

struct LockstepResult {
  std::optional<Difference> difference;
  // Indices of the scenario's operations that ran.
  std::vector<uint32_t> kept;
  // Of them, those that returned 0 and changed what the contract knows.
  uint32_t effective = 0;
  // Both kernels died in the same operation, or what a real one does from here
  // on is undefined: there is nothing more to compare.
  bool died = false;
  AllowedCounts allowed;
};

// FailedPrecondition if an operation is impossible and not to be dropped, or if
// the machine comes up on neither side.
absl::StatusOr<LockstepResult> RunLockstep(const model::Scenario& scenario,
                                           model::System& left,
                                           model::System& right,
                                           const LockstepOptions& options = {});

// Runs a scenario on one side alone, for what its operations return, up to
// `operations` of them. True if that kernel says that it died in the last one,
// or that it is undefined whether it did.
bool DiesAlone(const model::Scenario& scenario, size_t operations,
               const model::Capabilities& capabilities, model::System& system,
               const std::function<void(uint64_t turn)>& entering);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_LOCKSTEP_H_
