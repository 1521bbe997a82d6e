#include "fuzz/distil.h"

#include <algorithm>
#include <numeric>

#include "fuzz/coverage.h"
#include "fuzz/machine.h"
#include "model/bytes.h"

namespace atsfuzz::fuzz {

absl::StatusOr<Distilled> Distil(const std::vector<model::Scenario>& corpus,
                                 const DistilOptions& options) {
  std::vector<std::vector<uint8_t>> bytes;
  for (const model::Scenario& scenario : corpus) {
    bytes.push_back(model::Encode(scenario));
  }
  std::vector<size_t> order(corpus.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return bytes[a].size() != bytes[b].size()
               ? bytes[a].size() < bytes[b].size()
               : bytes[a] < bytes[b];
  });
  const Coverage nothing;
  Round round;
  round.count = corpus.size();
  // One process has seen all that comes before.
  round.jobs = 1;
  round.scenario = [&](uint64_t run) {
    return Restricted(corpus[order[run]], options.capabilities);
  };
  round.load = options.load;
  round.known = &nothing;
  round.stop = [&](uint64_t, uint64_t) {
    return options.interrupted && options.interrupted();
  };
  const auto ran = RunRound(round);
  if (!ran.ok()) return ran.status();
  Distilled distilled;
  distilled.edges = ran->edges;
  distilled.interrupted = ran->stopped;
  Coverage covered;
  uint64_t room = options.most_bytes;
  for (const RunReport& report : ran->reports) {
    const size_t index = order[report.run];
    if (bytes[index].size() > room) break;
    // A process that began anew after a death reports what was known.
    if (!covered.Add(report.features)) continue;
    room -= bytes[index].size();
    distilled.kept.push_back(index);
  }
  distilled.edges_covered = covered.edges();
  return distilled;
}

}  // namespace atsfuzz::fuzz
