#ifndef ATSFUZZ_FUZZ_COVERAGE_H_
#define ATSFUZZ_FUZZ_COVERAGE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// Which edges of the code under test have been seen, and how often in one run:
// 1, 2, 3, 4-7, 8-15, 16-31, 32-127 or 128 and more times. An edge with such a
// count is a feature.
namespace atsfuzz::fuzz {

class Coverage {
 public:
  // The features of a run that are not known yet, in increasing order.
  std::vector<uint32_t> NewFeatures(std::span<const uint8_t> counters) const;
  // Makes them known. True if one was not.
  bool Add(const std::vector<uint32_t>& features);

  // Edges with a known feature.
  size_t edges() const { return edges_; }

 private:
  std::vector<uint8_t> seen_;  // by edge, a bit for each count
  size_t edges_ = 0;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_COVERAGE_H_
