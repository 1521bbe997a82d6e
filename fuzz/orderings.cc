#include "fuzz/orderings.h"

#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "fuzz/seed.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using model::Turn;

// Where a thread stands: in what kind of operation, before which step.
struct Stand {
  uint8_t kind = 0xff;  // its operations are over
  uint16_t step = 0;
};

}  // namespace

void CountOrderings(const model::Scenario& scenario, const model::Schedule& ran,
                    std::span<uint8_t> counters) {
  const auto threads = ThreadsOf(scenario, BlockOf(scenario));
  const auto stand_after = [&](const Turn& turn) {
    const std::vector<size_t>& own = threads[turn.actor.thread()];
    if (turn.step == Turn::kToTheEnd || turn.operation >= own.size()) {
      return Stand{};
    }
    return Stand{
        static_cast<uint8_t>(scenario.operations[own[turn.operation]].kind),
        turn.step};
  };
  std::array<std::optional<Stand>, 1 + ATSFUZZ_MAX_THREADS> stopped;
  for (const Turn& turn : ran) {
    if (!turn.actor.is_thread()) continue;
    const auto mover = static_cast<size_t>(turn.actor.thread());
    if (mover >= threads.size()) continue;
    const Stand to = stand_after(turn);
    for (size_t other = 1; other < threads.size(); ++other) {
      if (other == mover || !stopped[other]) continue;
      const Stand& at = *stopped[other];
      // Of the one that moved, only roughly how far: it is the exact place of
      // the one that stood still which a race needs.
      const uint64_t key =
          uint64_t{at.kind} << 40 | uint64_t{at.step} << 16 |
          uint64_t{to.kind} << 8 |
          static_cast<uint64_t>(std::bit_width(unsigned{to.step}));
      uint8_t& counter = counters[SeedOf(key, 0) % counters.size()];
      if (counter != 0xff) ++counter;
    }
    stopped[mover].reset();
    if (to.kind != 0xff && to.step != 0) stopped[mover] = to;
  }
}

}  // namespace atsfuzz::fuzz
