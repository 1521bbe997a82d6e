#ifndef ATSFUZZ_NIGHTLY_SETTINGS_H_
#define ATSFUZZ_NIGHTLY_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What a night does: a TOML file that a person keeps.
//
//   seconds = 28800          # of the whole night
//   jobs = 2                 # processes that work at a time
//   slice-seconds = 120      # of one engine on one driver, before the next's
//   memory-megabytes = 8192  # of an engine with all its processes
//   corpus-megabytes = 64    # of one driver's corpus
//   history-nights = 400     # kept in detail; findings are kept for ever
//   machine = 0              # one number a machine: no two search alike
//
//   [[driver]]
//   name = "linux:6.12"      # as --driver takes it
//   patches = ["fix.patch"]  # on top of it, in this order
//   engines = ["mixed", "bounded", "libfuzzer"]
//   faults = "all"           # as --faults takes it
//   threads = 3
//   take-in = ["/srv/afl/6.12"]  # inputs that other engines found
//
// A [[driver]] needs its name only. Paths are relative to the file's folder.
namespace atsfuzz::nightly {

// One way to look for bugs. Beside these any strategy of `atsfuzz fuzz` is one.
inline constexpr char kWeakMemory[] = "weak-memory";
inline constexpr char kPlainStops[] = "plain-stops";
inline constexpr char kLibFuzzer[] = "libfuzzer";
// Not to be chosen: what other engines left in the folders of take-in.
inline constexpr char kTakenIn[] = "taken-in";

struct DriverSettings {
  std::string name;
  std::vector<std::string> patches;
  std::vector<std::string> engines = {"mixed", "libfuzzer"};
  std::string faults = "all";
  int threads = 3;
  std::vector<std::string> take_in;

  // What findings and corpus are kept by, as long as the file lists the driver
  // with these patches: "linux:6.12", "linux:6.12+fix.patch".
  std::string Label() const;
  // "--driver=... --patch=...".
  std::vector<std::string> Arguments() const;
};

struct Settings {
  double seconds = 8 * 3600;
  double slice_seconds = 120;
  int jobs = 2;
  uint64_t memory_megabytes = 8192;
  uint64_t corpus_megabytes = 64;
  int history_nights = 400;
  int machine = 0;
  std::vector<DriverSettings> drivers;
};

// InvalidArgument "file:line:column: what was found and what was expected".
absl::StatusOr<Settings> ParseSettings(absl::string_view text,
                                       const std::string& file);

// What a night does that nobody has written a file for, as such a file: the
// kernels that this project is about, and its model of them.
std::string DefaultSettings();

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_SETTINGS_H_
