#ifndef ATSFUZZ_FUZZ_CRASH_H_
#define ATSFUZZ_FUZZ_CRASH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzz/signature.h"
#include "model/system.h"
#include "properties/violation.h"

// What is left of a process that died while a scenario ran, and how that
// becomes a violation like any other.
namespace atsfuzz::fuzz {

// A place in a loaded file, independent of where it was loaded.
struct Frame {
  std::string module;   // path of the shared object
  uint64_t offset = 0;  // file address, as addr2line takes it

  auto operator<=>(const Frame&) const = default;
};

// How a process ended before its work was done.
struct Death {
  bool hung = false;  // killed after making no progress for too long
  int signal = 0;     // that ended it; 0: it exited by itself
  // Sanitized programs: "heap-use-after-free", and the report's first lines.
  std::string error, report;
  std::vector<Frame> stack;  // innermost first; empty if nothing was recorded
};

// Makes fatal signals of this process write their stack to `page` (shared
// memory of CrashPageSize() bytes, zeroed) and end the process.
size_t CrashPageSize();
void RecordCrashesIn(void* page);
// What such a process left; no signal if it left nothing.
Death CrashIn(const void* page);

// The source places of `frames`, inlined calls included, innermost first. Needs
// addr2line; places that it does not know are left out. Answers are cached.
std::vector<model::Location> Symbolize(const std::vector<Frame>& frames);

// `progress` for a hang, else `memory-safe`. `operation` is the one that ran
// (its index and text); `stack` is the symbolized one.
properties::Violation ViolationOf(const Death& death,
                                  const std::vector<model::Location>& stack,
                                  size_t operation, absl::string_view text);

// SignatureOf for a violation whose place is `stack`.
Signature CrashSignature(const properties::Violation& violation,
                         uint8_t assumes,
                         const std::vector<model::Location>& stack);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_CRASH_H_
