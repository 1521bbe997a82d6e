#ifndef ATSFUZZ_FUZZ_FOOTPRINT_H_
#define ATSFUZZ_FUZZ_FOOTPRINT_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "model/system.h"

// What moves of a `par` block touch, and whether their order can be told.
namespace atsfuzz::fuzz {

// All that somebody touched so far.
class Territory {
 public:
  void Add(const model::Touched& touched);
  // Grows with each place, and with each that is written, not only read.
  uint64_t size() const { return size_; }

 private:
  friend class Footprint;

  bool anything_ = false;                        // it is not known
  absl::flat_hash_map<uint64_t, bool> written_;  // by place
  uint64_t size_ = 0;
};

// A few moves in a row: small, and kept by the thousand.
class Footprint {
 public:
  void Add(const model::Touched& touched);
  // Both touch a place and one of them writes it, or what one touches is not
  // known: the order of the two matters, as far as anybody can tell.
  bool Conflicts(const model::Touched& touched) const;
  bool Conflicts(const Territory& territory) const;

 private:
  struct Place {
    uint64_t number;
    bool written;
  };
  const Place* Find(uint64_t number) const;

  bool anything_ = false;
  std::vector<Place> places_;  // ascending, each once
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_FOOTPRINT_H_
