#ifndef ATSFUZZ_FUZZ_SCHEDULER_H_
#define ATSFUZZ_FUZZ_SCHEDULER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "fuzz/dice.h"
#include "model/schedule.h"
#include "model/system.h"

// Who moves next in a `par` block, and how far.
namespace atsfuzz::fuzz {

// Where an actor stands (model/schedule.h).
struct Position {
  uint8_t operation = 0;
  uint32_t step = 0;   // before which it stands
  uint32_t taken = 0;  // steps of this operation, an unfinished one included
  uint32_t plain = 0;  // accesses after that step, up to which it stands
  bool waits = false;  // in the middle of an operation, and cannot go on
  bool ended = false;  // a thread that has no more operations
};

// What there is to choose from.
struct Situation {
  // By Actor::value: may get further now. At least one may.
  std::array<bool, model::kActors> ready = {};
  std::array<Position, model::kActors> position = {};
  // Steps that all took together.
  uint32_t steps = 0;
  // The thread that moved last; 0: none has.
  model::Actor last;
};

struct Choice {
  static constexpr uint32_t kAllSteps = UINT32_MAX;

  model::Actor actor;  // one that is ready
  // At most so many steps, 1 or more; of an SMMU, commands. Less
  // if it has to wait, or its operation ends.
  uint32_t steps = kAllSteps;
  uint8_t plain = 0;  // model::Interleaving::Stretch
  bool weak = false;  // a weak turn; of a thread
};

// Turn `turn` is the `index`-th of a block's schedule, from 0 on.
using TellTurn = std::function<void(size_t index, const model::Turn& turn)>;

class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // RCU is one of the actors; constant.
  virtual bool MovesRcu() const { return false; }
  // Before the first choice in a block.
  virtual void Begin(const Situation& situation) {}
  virtual Choice Next(const Situation& situation) = 0;
  // After each move: what it touched. A choice may be several.
  virtual void Moved(model::Actor actor, const model::Touched& touched) {}
};

// What follows a schedule (model/schedule.h).
Choice DefaultChoice(const Situation& situation);

// Follows a schedule, then the default.
class Replay : public Scheduler {
 public:
  // `schedule` must outlive it.
  explicit Replay(const model::Schedule& schedule) : schedule_(schedule) {}
  bool MovesRcu() const override { return model::MovesRcu(schedule_); }
  Choice Next(const Situation& situation) override;
  // What the schedule says; nothing once it is over.
  std::optional<Choice> Follow(const Situation& situation);

 private:
  const model::Schedule& schedule_;
  size_t next_ = 0;
};

// Any actor that is ready, for a number of steps that is short in some blocks
// and long in others.
class RandomWalk : public Scheduler {
 public:
  explicit RandomWalk(uint64_t seed) : dice_(seed) {}
  void Begin(const Situation& situation) override;
  Choice Next(const Situation& situation) override;

 private:
  Dice dice_;
  uint32_t stretch_ = 1;
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
// Nagarakatte, ASPLOS 2010): each actor has a priority of its own, the highest
// that is ready moves, and at `depth` - 1 points the one that moves falls to
// the end. A bug that needs d ordered steps in n actors of k steps together is
// found with a probability of at least 1 / (n k^(d-1)).
class Pct : public Scheduler {
 public:
  // `length`: how many steps a block takes, about; 1 or more.
  Pct(uint64_t seed, int depth, uint32_t length)
      : dice_(seed), depth_(depth), length_(length) {}
  void Begin(const Situation& situation) override;
  Choice Next(const Situation& situation) override;

 private:
  static constexpr int kMaxDepth = 8;

  Dice dice_;
  const int depth_;
  const uint32_t length_;
  std::array<int, model::kActors> priority_ = {};
  std::array<uint32_t, kMaxDepth> points_ = {};  // ascending
  int point_count_ = 0, next_point_ = 0;
  int lowest_ = 0;
};

// Partial order sampling (Yuan, Yang, Gu, CAV 2018), without knowledge of which
// steps conflict: before each step every actor that is ready draws a priority,
// the one that moved draws a new one.
class PartialOrderSampling : public Scheduler {
 public:
  explicit PartialOrderSampling(uint64_t seed) : dice_(seed) {}
  void Begin(const Situation& situation) override;
  Choice Next(const Situation& situation) override;

 private:
  Dice dice_;
  std::array<uint32_t, model::kActors> priority_ = {};
};

// What another one chooses, some of it as weak turns, or only up to a plain
// access: in some blocks none, in some all, in some each with a chance of one
// half. In half of those that may have weak turns, RCU moves.
class Refined : public Scheduler {
 public:
  struct How {
    bool weak = false, plain_stops = false;
  };
  Refined(uint64_t seed, How how, std::unique_ptr<Scheduler> chooser)
      : dice_(seed),
        how_(how),
        moves_rcu_(how.weak && dice_.Chance(50)),
        chooser_(std::move(chooser)) {}
  bool MovesRcu() const override { return moves_rcu_; }
  void Begin(const Situation& situation) override;
  Choice Next(const Situation& situation) override;

 private:
  Dice dice_;
  const How how_;
  const bool moves_rcu_;
  const std::unique_ptr<Scheduler> chooser_;
  uint32_t weak_percent_ = 0, plain_percent_ = 0;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_SCHEDULER_H_
