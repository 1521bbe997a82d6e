#ifndef ATSFUZZ_MODEL_IDS_H_
#define ATSFUZZ_MODEL_IDS_H_

#include <compare>
#include <cstdint>

// Ids of the things that a topology declares. An id is the index of the thing
// in its topology (0 for `s0`), so it is small, dense and orders as the text
// does. Distinct types: an SMMU cannot be passed where a function is meant.
namespace atsfuzz::model {

template <typename Tag>
struct Id {
  // 0 .. the kind's maximum - 1, or kNone.
  uint8_t value = kNone;

  static constexpr uint8_t kNone = 0xff;

  constexpr Id() = default;
  constexpr explicit Id(uint8_t index) : value(index) {}
  constexpr bool valid() const { return value != kNone; }
  constexpr auto operator<=>(const Id&) const = default;
};

using SmmuId = Id<struct SmmuTag>;
using FunctionId = Id<struct FunctionTag>;
using DomainId = Id<struct DomainTag>;

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_IDS_H_
