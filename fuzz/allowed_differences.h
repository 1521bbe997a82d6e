#ifndef ATSFUZZ_FUZZ_ALLOWED_DIFFERENCES_H_
#define ATSFUZZ_FUZZ_ALLOWED_DIFFERENCES_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzz/observed.h"

// What may differ between two systems that are compared: the whole list, each
// with its reason. A comparison counts how often each was needed.
namespace atsfuzz::fuzz {

// A pair that differs: what each side saw of one subject, null if nothing.
// `operation` is the one that ran, null at boot and shutdown.
struct DifferingPair {
  const model::Operation* operation;
  const Observed* left;
  const Observed* right;
};

struct AllowedDifference {
  absl::string_view name, reason;
  bool (*matches)(const DifferingPair& pair);
};
std::span<const AllowedDifference> AllowedDifferences();

// The index of "undefined" in AllowedDifferences().
inline constexpr int kUndefined = 0;

// The index in AllowedDifferences() of the one that allows `pair`, or -1. Never
// one in return values, belief, counters, live entries, STE and CD contents,
// ATC and IOTLB contents: for those the list is not even asked.
int AllowedBy(const DifferingPair& pair);
// True for the kinds just named.
bool MustAgree(ObservedKind kind);

// How often each was needed, by index.
using AllowedCounts = std::vector<uint64_t>;

// Adds `more` to `counts`.
void Add(const AllowedCounts& more, AllowedCounts* counts);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_ALLOWED_DIFFERENCES_H_
