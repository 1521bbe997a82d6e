#ifndef ATSFUZZ_FUZZ_DICE_H_
#define ATSFUZZ_FUZZ_DICE_H_

#include <bit>
#include <cassert>
#include <cstdint>

#include "rapidcheck.h"

namespace atsfuzz::fuzz {

// The one source of randomness of generators and mutators: small draws from
// RapidCheck's generator, so that a seed means the same on every machine.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  explicit Dice(const rc::Random& random) : random_(random) {}

  // Uniform in [0, n). REQUIRES: 1 <= n.
  uint32_t Below(uint32_t n) {
    assert(n >= 1);
    return static_cast<uint32_t>(uint64_t{Draw32()} * n >> 32);
  }
  // Uniform in [low, high].
  uint32_t Between(uint32_t low, uint32_t high) {
    assert(low <= high);
    return low + Below(high - low + 1);
  }
  bool Chance(uint32_t percent) { return Below(100) < percent; }
  // The index of one of the bits that are set. REQUIRES: bits != 0.
  int Bit(uint32_t bits) {
    assert(bits != 0);
    for (uint32_t skip = Below(std::popcount(bits)); skip > 0; --skip) {
      bits &= bits - 1;
    }
    return std::countr_zero(bits);
  }

 private:
  uint32_t Draw32() {
    if (has_half_) {
      has_half_ = false;
      return static_cast<uint32_t>(half_);
    }
    const uint64_t both = random_.next();
    half_ = both >> 32;
    has_half_ = true;
    return static_cast<uint32_t>(both);
  }

  rc::Random random_;
  uint64_t half_ = 0;
  bool has_half_ = false;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_DICE_H_
