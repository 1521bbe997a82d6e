#include "properties/violation.h"

#include <array>
#include <cstddef>

namespace atsfuzz::properties {
namespace {

// In the order of Invariant.
constexpr std::array<absl::string_view, kInvariants> kNames = {
    "no-warning",
    "memory-safe",
    "belief-matches-device",
    "count-matches-devices",
    "array-covers-attachments",
    "array-well-formed",
    "representations-agree",
    "translation-before-ats",
    "hitless-where-promised",
    "no-stale-atc",
    "no-stale-iotlb",
    "no-dma-after-unmap",
    "invalidations-exact",
    "commands-in-order",
    "failed-operation-changes-nothing",
    "attachment-as-returned",
    "streams-resolve",
    "pasid-then-ats",
    "stu-matches-granule",
    "tags-unique",
    "no-leak",
    "lock-discipline",
    "progress",
    "data-race",
};

}  // namespace

absl::string_view InvariantName(Invariant invariant) {
  return kNames[static_cast<size_t>(invariant)];
}

std::optional<Invariant> InvariantByName(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Invariant>(i);
  }
  return std::nullopt;
}

}  // namespace atsfuzz::properties
