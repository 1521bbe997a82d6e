#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "fuzz/byte_mutator.h"
#include "fuzz/faults.h"

// AFL++'s custom mutator: what libFuzzer gets from the target itself
// (fuzz/libfuzzer_target.cc), as a library that afl-fuzz loads.
//
//   AFL_CUSTOM_MUTATOR_LIBRARY=libatsfuzz_mutator.so
//   [ATSFUZZ_FAULTS=all] [ATSFUZZ_THREADS=3] afl-fuzz ...
//
// It knows no driver: what the target's lacks, the target leaves out.

namespace atsfuzz::services {
namespace {

// Whatever any driver has.
model::Capabilities Everything() {
  model::Capabilities all;
  all.pasids = all.replace_pasid = all.resets = all.groups = true;
  all.requires_ats = all.nesting = all.sva = all.direct = all.threads = true;
  return all;
}

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "atsfuzz's mutator: %s\n", message.c_str());
  std::exit(3);
}

fuzz::ByteMutator::Options ReadOptions() {
  fuzz::ByteMutator::Options options;
  options.capabilities = Everything();
  const char* faults = std::getenv("ATSFUZZ_FAULTS");
  const auto classes =
      fuzz::ParseFaultClasses(faults == nullptr ? "all" : faults);
  if (!classes.ok()) {
    Die("ATSFUZZ_FAULTS: " + std::string(classes.status().message()));
  }
  options.faults = *classes;
  options.threads = 3;
  const char* threads = std::getenv("ATSFUZZ_THREADS");
  if (threads != nullptr &&
      (!absl::SimpleAtoi(threads, &options.threads) || options.threads < 1 ||
       options.threads > ATSFUZZ_MAX_THREADS)) {
    Die("ATSFUZZ_THREADS: expected 1 to " +
        std::to_string(ATSFUZZ_MAX_THREADS));
  }
  options.capabilities.threads = options.threads > 1;
  return options;
}

// One instance of afl-fuzz.
struct Mutator {
  fuzz::ByteMutator mutator{ReadOptions()};
  uint32_t seed;
  std::vector<uint8_t> bytes;  // the last result, which afl-fuzz reads
};

}  // namespace
}  // namespace atsfuzz::services

extern "C" {

using atsfuzz::services::Mutator;

void* afl_custom_init(void*, unsigned int seed) {
  return new Mutator{.seed = seed, .bytes = {}};
}

void afl_custom_deinit(void* data) { delete static_cast<Mutator*>(data); }

// A mutant of `buffer`, or, one time in eight, its beginning with a part of
// `other`.
size_t afl_custom_fuzz(void* data, uint8_t* buffer, size_t size, uint8_t** out,
                       uint8_t* other, size_t other_size, size_t most) {
  Mutator& own = *static_cast<Mutator*>(data);
  const uint32_t seed = own.seed++;
  if (other != nullptr && other_size != 0 && seed % 8 == 7) {
    own.bytes =
        own.mutator.Cross({buffer, size}, {other, other_size}, seed, most);
  } else {
    own.bytes = own.mutator.Mutate({buffer, size}, seed, most);
  }
  *out = own.bytes.data();
  return own.bytes.size();
}
}
