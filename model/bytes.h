#ifndef ATSFUZZ_MODEL_BYTES_H_
#define ATSFUZZ_MODEL_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/scenario.h"

// The compact form of a scenario that byte-level fuzzers keep in their corpora.
// Every byte string decodes to a scenario with a valid topology (out-of-range
// values are folded into range, a truncated tail is dropped), so that a blind
// mutation is still an input. Story and expectations are not encoded.
//
// Layout: a header of machine bytes (counts, then one fixed-size record per
// SMMU, function and domain), the schedule (a count, then one record per turn),
// then one record per operation: kind and argument bytes, a byte that says
// which fields follow, the thread, the fault fields. Threads that no `par`
// block can have are dropped.
namespace atsfuzz::model {

// decode(encode(s)) == s for every scenario with a valid topology and neither
// story nor expectations.
std::vector<uint8_t> Encode(const Scenario& scenario);
Scenario Decode(std::span<const uint8_t> bytes);

// The longest sequence of operations that Decode returns.
inline constexpr size_t kMaxDecodedOperations = 256;

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_BYTES_H_
