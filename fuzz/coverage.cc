#include "fuzz/coverage.h"

#include <bit>
#include <cstring>

namespace atsfuzz::fuzz {
namespace {

// Bit of a count: 0 for 1, 1 for 2, 2 for 3, 3 for 4-7, ... 7 for 128 and more.
uint32_t BucketOf(uint8_t count) {
  if (count <= 3) return count - 1u;
  const auto bits = static_cast<uint32_t>(std::bit_width(count));  // 3 .. 8
  return bits == 7 ? 6 : (bits == 8 ? 7 : bits);
}

}  // namespace

std::vector<uint32_t> Coverage::NewFeatures(
    std::span<const uint8_t> counters) const {
  std::vector<uint32_t> features;
  for (size_t edge = 0; edge < counters.size(); ++edge) {
    uint64_t eight = 0;
    if (edge % 8 == 0 && edge + 8 <= counters.size()) {
      std::memcpy(&eight, &counters[edge], 8);
      if (eight == 0) {
        edge += 7;
        continue;
      }
    }
    if (counters[edge] == 0) continue;
    const uint32_t bucket = BucketOf(counters[edge]);
    if (edge >= seen_.size() || (seen_[edge] >> bucket & 1) == 0) {
      features.push_back(static_cast<uint32_t>(edge) * 8 + bucket);
    }
  }
  return features;
}

bool Coverage::Add(const std::vector<uint32_t>& features) {
  bool added = false;
  for (const uint32_t feature : features) {
    const size_t edge = feature / 8;
    if (edge >= seen_.size()) seen_.resize(edge + 1);
    const auto bit = static_cast<uint8_t>(1u << feature % 8);
    if ((seen_[edge] & bit) != 0) continue;
    if (seen_[edge] == 0) ++edges_;
    seen_[edge] |= bit;
    added = true;
  }
  return added;
}

}  // namespace atsfuzz::fuzz
