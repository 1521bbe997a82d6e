#ifndef ATSFUZZ_FUZZ_SANITIZED_H_
#define ATSFUZZ_FUZZ_SANITIZED_H_

#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzz/crash.h"
#include "fuzz/program.h"
#include "fuzz/round.h"
#include "model/scenario.h"
#include "properties/violation.h"

// Runs under AddressSanitizer and UndefinedBehaviorSanitizer. They need a
// program that has their runtimes, so another program does it (`atsfuzz
// worker`) and answers line for line in JSON:
//   -> {"scenarios": [text, ...]}
//   <- [{"invariants": [name, ...]} or {"death": {...}, "operation": N}, ...]
namespace atsfuzz::fuzz {

struct SanitizedRun {
  std::vector<std::string> invariants;  // violated; by name, in order
  std::optional<Death> death;
  size_t operation = 0;  // in which it died
};

class SanitizedProgram {
 public:
  // `argv`: the program with its arguments. Unavailable if it does not start.
  static absl::StatusOr<SanitizedProgram> Start(
      const std::vector<std::string>& argv);

  // In two halves, so that several programs can work at the same time.
  absl::Status Send(const std::vector<model::Scenario>& scenarios);
  absl::StatusOr<std::vector<SanitizedRun>> Receive();

 private:
  explicit SanitizedProgram(LineProgram program);

  LineProgram program_;
};

// The other side: answers every line of `in` until its end. A scenario that
// kills its process costs that process only.
void ServeSanitized(const LoadSystem& load, std::istream& in,
                    std::ostream& out);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SANITIZED_H_
