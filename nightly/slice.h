#ifndef ATSFUZZ_NIGHTLY_SLICE_H_
#define ATSFUZZ_NIGHTLY_SLICE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nightly/history.h"
#include "nightly/process.h"
#include "nightly/settings.h"

// One engine at work on one driver, as a program of its own: whatever becomes
// of it, the night goes on, and what it has written is taken in.
//
// All of it lies in a work folder: `slice.json` says what runs, `output.json`
// is what `atsfuzz fuzz --json` prints, `findings/` what it found. A slice
// whose night was killed is taken in by the next one if its output is whole.
namespace atsfuzz::nightly {

// The programs, and the limits of each.
struct Programs {
  std::string atsfuzz, libfuzzer;  // the latter may be empty: there is none
  std::function<bool()> interrupted;
};

struct SlicePlan {
  NightNumber night = 0;
  int64_t number = 0;
  int64_t seed = 0;
  DriverSettings driver;
  std::string engine;
  double seconds = 0;
  // Signatures of this driver's findings: not to be shrunk again.
  std::vector<std::string> seen;
};

// What came of a slice.
struct SliceResult {
  Slice slice;
  std::vector<Found> found;
  std::vector<std::string> seen;  // of SlicePlan::seen, those that it met
  bool interrupted = false;
};

// Runs it in the empty folder `work`, on the corpus in `corpus`, to which it
// adds. Unavailable only if the folder cannot be written; all else that may go
// wrong is Slice::trouble.
absl::StatusOr<SliceResult> RunSlice(const SlicePlan& plan,
                                     const Settings& settings,
                                     const Programs& programs,
                                     const std::string& work,
                                     const std::string& corpus);

// Runs the scenarios of the folder `inputs` once, like RunSlice. The engine is
// told as `plan` has it.
absl::StatusOr<SliceResult> RunInputs(const SlicePlan& plan,
                                      const Settings& settings,
                                      const Programs& programs,
                                      const std::string& work,
                                      const std::string& inputs);

// What a slice left in `work`. NotFound if there is none, or it did not come to
// its end.
absl::StatusOr<SliceResult> LeftBehind(const std::string& work);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_SLICE_H_
