#ifndef ATSFUZZ_FUZZ_SEED_H_
#define ATSFUZZ_FUZZ_SEED_H_

#include <cstdint>

namespace atsfuzz::fuzz {

// A seed of its own for the n-th of many things that are drawn from one seed:
// SplitMix64 (Steele, Lea, Flood 2014), a good hash of (seed, n).
inline uint64_t SeedOf(uint64_t seed, uint64_t n) {
  uint64_t z = seed * 0x9e3779b97f4a7c15 + (n + 1) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SEED_H_
