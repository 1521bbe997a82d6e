#ifndef ATSFUZZ_CLI_REPRODUCTION_H_
#define ATSFUZZ_CLI_REPRODUCTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/driver.h"
#include "model/scenario.h"
#include "properties/violation.h"

// What `atsfuzz reproduce` writes, by form.
namespace atsfuzz::cli {

struct ReproduceRequest {
  std::string path;
  model::Scenario scenario;
  // Instead of a scenario: an input of the fuzzer of invalidation arrays.
  bool of_arrays = false;
  std::string input;
  DriverFlags flags;
  std::string form;       // "c", "kunit", "steps"
  std::string violation;  // name of its invariant; empty: WantedViolation

  // "atsfuzz reproduce FILE --driver=... --as=c".
  std::string CommandLine() const;
};

// Which of these violations, in order of appearance, is asked for. Errors name
// the file and the driver.
absl::StatusOr<size_t> WantedOf(
    const ReproduceRequest& request, absl::string_view driver,
    const std::vector<properties::Invariant>& shown);

struct Reproduction {
  std::string text;                // the file
  std::vector<std::string> notes;  // lines for people, about it
};

// A C program that shows the violation on a driver module, tried on the module
// of the very driver.
absl::StatusOr<Reproduction> ReproduceAsC(const ReproduceRequest& request);

// What to do on a real machine, in words.
absl::StatusOr<Reproduction> ReproduceAsSteps(const ReproduceRequest& request);

// A KUnit case of the driver's invalidation arrays, run in the harness. It
// passes if the bug is in whoever calls their functions; a note says so.
absl::StatusOr<Reproduction> ReproduceAsKunit(const ReproduceRequest& request);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_REPRODUCTION_H_
