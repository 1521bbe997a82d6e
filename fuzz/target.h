#ifndef ATSFUZZ_FUZZ_TARGET_H_
#define ATSFUZZ_FUZZ_TARGET_H_

#include <memory>
#include <string>

#include "model/system.h"

// What the fuzz target (fuzz/libfuzzer_target.cc) takes from the program that
// it is part of: one chooses its driver when it starts, another has it inside.
namespace atsfuzz::fuzz {

struct TargetSetup {
  std::unique_ptr<model::System> system;
  // What counts where the environment says nothing.
  std::string faults = "none";  // as ATSFUZZ_FAULTS takes it
  int threads = 1;              // as ATSFUZZ_THREADS
  std::string known;            // as ATSFUZZ_KNOWN; empty: no file
};

// Each program has one definition. Called once, before any input; may change
// the engine's arguments. Dies if there is no system.
TargetSetup SetUpTarget(int* argc, char*** argv);

// Says why this program cannot run, and exits with status 3.
[[noreturn]] void Die(const std::string& message);

// From now on no violation of this signature, or of the invariant of this name,
// ends the process.
void LearnKnown(const std::string& name);

// What stands before the signature in the line that tells of a violation.
inline constexpr char kViolationPrefix[] = "atsfuzz-libfuzzer: violation ";

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_TARGET_H_
