#ifndef ATSFUZZ_FUZZ_EXAMINE_H_
#define ATSFUZZ_FUZZ_EXAMINE_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fuzz/compare.h"
#include "fuzz/lockstep.h"
#include "model/capabilities.h"
#include "model/scenario.h"
#include "model/system.h"

// Parts of a comparison (fuzz/compare.h) that run in its child processes.
namespace atsfuzz::fuzz {

struct Systems {
  std::unique_ptr<model::System> left, right;

  // What both can do.
  model::Capabilities capabilities() const {
    return Meet(left->capabilities(), right->capabilities());
  }
  // Unimplemented: one of them cannot run `scenario`, and why.
  absl::Status Fit(const model::Scenario& scenario) const;
};
absl::StatusOr<Systems> Load(const LoadPair& load);

// What a child was doing, as Link::Part takes it.
inline uint64_t PartOf(uint64_t turn, Side side) {
  return turn * 2 + (side == Side::kRight ? 1 : 0);
}
inline uint64_t TurnOf(uint64_t part) { return part / 2; }
inline Side SideOf(uint64_t part) {
  return part % 2 == 0 ? Side::kLeft : Side::kRight;
}

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_EXAMINE_H_
