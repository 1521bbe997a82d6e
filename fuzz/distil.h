#ifndef ATSFUZZ_FUZZ_DISTIL_H_
#define ATSFUZZ_FUZZ_DISTIL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/round.h"
#include "model/capabilities.h"
#include "model/scenario.h"

namespace atsfuzz::fuzz {

struct DistilOptions {
  LoadSystem load;  // called in child processes only
  model::Capabilities capabilities;
  uint64_t most_bytes = UINT64_MAX;   // of what is kept, as Encode has it
  std::function<bool()> interrupted;  // asked every few milliseconds
};

struct Distilled {
  std::vector<size_t> kept;  // indices, the smallest scenario first
  uint64_t edges = 0, edges_covered = 0;
  bool interrupted = false;  // nothing can be said of what was not run
};

// Which scenarios of a corpus are enough for all that it covers: the smallest
// first, each that covers something which none before it does, as long as there
// is room. A scenario that kills the system covers nothing. The same corpus in
// any order keeps the same scenarios, but for equals.
absl::StatusOr<Distilled> Distil(const std::vector<model::Scenario>& corpus,
                                 const DistilOptions& options);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_DISTIL_H_
