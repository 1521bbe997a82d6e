#include "fuzz/shrink.h"

#include <cassert>
#include <set>
#include <vector>

#include "fuzz/machine.h"
#include "fuzz/predict.h"
#include "fuzz/shrink_moves.h"
#include "model/block.h"
#include "model/bytes.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::Scenario;

// Large steps first; a move runs only when those before it have nothing left.
constexpr Move kMoves[] = {
    DropChunks,      DropThreads,        DropTurns,         MergeTurns,
    DropThings,      DropFaults,         MergeThings,       DropPairs,
    FoldSetDefault,  SimplifyArguments,  SimplifyPages,     SimplifyFaults,
    SimplifyStreams, SimplifyAttributes, ReplaceOperations, SimplifyPasids,
    MoveOperations,  SwapThings,         SimplifyTurns,     ReplaceTurns,
};

class Search {
 public:
  Search(const Scenario& scenario, const Predicate& fails, ShrinkStats* stats,
         const std::function<bool()>& stop,
         const model::Capabilities& capabilities)
      : best_(scenario),
        fails_(fails),
        stats_(*stats),
        stop_(stop),
        capabilities_(capabilities) {}

  Scenario Run() {
    const Attempt attempt = [this](const Scenario& proposal) {
      return Try(proposal);
    };
    bool improved = true;
    while (improved && !stats_.interrupted) {
      improved = false;
      for (Move move : kMoves) {
        if (!move(Scenario(best_), attempt)) continue;
        improved = true;
        break;
      }
      improved =
          improved || EnumerateShort(Scenario(best_), capabilities_, attempt);
    }
    return best_;
  }

 private:
  // A proposal is tried without what it made impossible, so that dropping a
  // probe drops what needed it; and as it is, should that guess be wrong.
  bool Try(const Scenario& proposal) {
    if (stats_.interrupted || !model::Validate(proposal.topology).ok()) {
      return false;
    }
    Scenario fitted = proposal;
    fitted.operations.clear();
    for (Operation operation : proposal.operations) {
      if (FitOperation(proposal.topology, &operation)) {
        fitted.operations.push_back(operation);
      }
    }
    model::MakeThreadsValid(&fitted);
    Scenario possible = WithoutImpossible(fitted, capabilities_);
    model::MakeThreadsValid(&possible);
    if (TryExactly(possible)) return true;
    return possible.operations.size() != fitted.operations.size() &&
           TryExactly(fitted);
  }

  bool TryExactly(const Scenario& proposal) {
    if (!Simpler(proposal, best_)) return false;
    if (!tried_.insert(model::Encode(proposal)).second) return false;
    if (stop_ && stop_()) {
      stats_.interrupted = true;
      return false;
    }
    ++stats_.attempts;
    if (!fails_(proposal)) return false;
    ++stats_.accepted;
    best_ = proposal;
    return true;
  }

  Scenario best_;
  const Predicate& fails_;
  ShrinkStats& stats_;
  const std::function<bool()>& stop_;
  const model::Capabilities& capabilities_;
  std::set<std::vector<uint8_t>> tried_;
};

}  // namespace

Scenario Shrink(const Scenario& scenario, const Predicate& fails,
                ShrinkStats* stats, const std::function<bool()>& stop,
                const model::Capabilities& capabilities) {
  assert(fails(scenario));
  ShrinkStats own;
  if (stats == nullptr) stats = &own;
  *stats = ShrinkStats();
  return Search(scenario, fails, stats, stop, capabilities).Run();
}

}  // namespace atsfuzz::fuzz
