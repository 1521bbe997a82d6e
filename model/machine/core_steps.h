#ifndef ATSFUZZ_MODEL_MACHINE_CORE_STEPS_H_
#define ATSFUZZ_MODEL_MACHINE_CORE_STEPS_H_

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "model/machine/driver.h"

// What the steps of the IOMMU core have in common, whichever kernel's core it
// is.
namespace atsfuzz::machine {

// A free place in State::order.
constexpr uint8_t kNobody = 0xff;

inline Outcome Done(Context& c, int result) {
  c.thread.result = static_cast<int16_t>(result);
  c.thread.core = Step::kDone;
  if (c.thread.locked) c.state.group_lock[c.thread.leader] = 0;
  return Outcome::kNext;
}

inline Outcome Next(Context& c, Step step) {
  c.thread.core = step;
  return Outcome::kNext;
}

inline Group& GroupOf(Context& c) { return c.state.groups[c.thread.leader]; }

inline bool IsMember(const Context& c, int f) {
  return f != kNobody && c.board.functions[f].leader == c.thread.leader;
}

inline int Members(const Context& c) {
  return static_cast<int>(
      std::count_if(std::begin(c.state.order), std::end(c.state.order),
                    [&](uint8_t f) { return IsMember(c, f); }));
}

// The core's max_pasids of a function: more than 0.
inline bool OffersPasids(const Context& c, int f) {
  return c.board.functions[f].ssid_bits != 0;
}

inline void AddToOrder(State& state, int f) {
  *std::find(std::begin(state.order), std::end(state.order), kNobody) =
      static_cast<uint8_t>(f);
}

inline void RemoveFromOrder(State& state, int f) {
  const auto end = std::end(state.order);
  std::fill(std::remove(std::begin(state.order), end, f), end, kNobody);
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_CORE_STEPS_H_
