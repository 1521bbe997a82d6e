#ifndef ATSFUZZ_FUZZ_PREEMPTIONS_H_
#define ATSFUZZ_FUZZ_PREEMPTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "fuzz/footprint.h"
#include "fuzz/scheduler.h"
#include "model/schedule.h"

namespace atsfuzz::fuzz {

// The schedules of a block with 0, 1, 2, ... up to a number of preemptions, in
// this order (iterative context bounding: Musuvathi, Qadeer, PLDI 2007). A
// preemption takes the turn from a thread that could have gone on; who goes on
// where a thread has ended or waits for another one is free. SMMUs serve the
// thread that waits for them. So the first schedule that fails has the fewest
// preemptions of all that do.
//
//   PreemptionSearch search(2);
//   while (Scheduler* scheduler = search.Next()) { /* run the block */ }
//
// Of schedules that differ only in the order of moves that touch nothing in
// common, some are not run; of each such set of equal ones that have at most so
// many preemptions, one is. Where the system does not tell what it touches, all
// are. Two rules, which both rest on this: that a thread is stopped before some
// moves, and others go on, is the same as to stop it behind them, if nobody
// touches anything of theirs before the thread goes on; and there is no more
// preemption in it.
//
// 1. A thread is not stopped before moves that touch nothing of what the others
//    have ever touched. What they touch may turn out later: then what was left
//    out for this reason is run after all.
// 2. A thread that was stopped sleeps, and is not chosen, until somebody has
//    touched something of its next moves (sleep sets: Godefroid, LNCS 1032,
//    1996; but only where a thread is preempted, since elsewhere the equal
//    schedule may have one preemption more: Coons, Musuvathi, McKinley, OOPSLA
//    2013).
class PreemptionSearch {
 public:
  // `most` preemptions, 0 or more.
  explicit PreemptionSearch(int most)
      : most_(most), cuts_(static_cast<size_t>(most) + 1) {
    now_.push_back({});
  }

  // The scheduler of the next run, good until the next call; null: these were
  // all. REQUIRES: the block was run to its end with the one before.
  Scheduler* Next();

  // Of the schedule that Next gave out last.
  int preemptions() const { return path_.branch().preemptions; }

 private:
  // Threads, bit thread - 1.
  using ThreadSet = uint8_t;

  // A thread stands before a step, where `others` could go on too.
  struct Stop {
    uint8_t operation;
    uint16_t step;
    ThreadSet others;
    ThreadSet asleep;
    Footprint next;  // what is touched from here to the next stop
  };
  // A thread that is not chosen until somebody touches something of `next`.
  struct Sleeper {
    model::Actor thread;
    std::shared_ptr<const Footprint> next;
  };
  // What a thread does at a stretch, from a free choice or a preemption to its
  // end or to where it has to wait for another thread.
  struct Stretch {
    model::Actor thread;
    ThreadSet others = 0;  // could have been chosen instead
    ThreadSet asleep = 0;
    std::vector<Stop> stops;
  };
  // Turns, and the thread that comes next; none: the first that can.
  struct Branch {
    model::Schedule turns;
    model::Actor next;
    std::vector<Sleeper> asleep;
    int preemptions = 0;
  };
  // Turns, then one to each of some stops.
  struct Cuts {
    model::Schedule turns;
    std::vector<Sleeper> asleep;  // of the branch that it came from
    Stretch stretch;
    size_t left = 0;  // of the stretch's stops, the last first
  };
  // A cut that was left out by rule 1.
  struct Skipped {
    model::Schedule turns;
    std::vector<Sleeper> asleep;
    model::Actor thread;
    Stop stop;
    int preemptions;
  };

  // Follows a branch, then the first thread that can go on, and notes what else
  // could have been done.
  class Path : public Scheduler {
   public:
    void Start(Branch branch);
    Choice Next(const Situation& situation) override;
    void Moved(model::Actor actor, const model::Touched& touched) override;
    const Branch& branch() const { return branch_; }
    const std::vector<Stretch>& stretches() const { return stretches_; }
    // By thread, in all runs.
    const std::array<Territory, 1 + ATSFUZZ_MAX_THREADS>& territories() const {
      return territories_;
    }

   private:
    // Begins a stretch. False: no thread can go on.
    bool Choose(const Situation& situation);

    Branch branch_;
    std::optional<Replay> turns_;
    std::vector<Stretch> stretches_;
    ThreadSet asleep_ = 0;
    bool equal_ = false;  // to a run that was, or will be: nothing is noted
    bool in_stretch_ = false;
    Position seen_;      // of the stretch's thread, at the last look
    model::Actor last_;  // thread that moved; SMMUs move for it
    std::array<Territory, 1 + ATSFUZZ_MAX_THREADS> territories_;
  };

  static std::vector<Sleeper> StillAsleep(const std::vector<Sleeper>& sleepers,
                                          ThreadSet asleep);
  // Some other thread has touched something of what the thread touches next.
  bool Matters(model::Actor thread, const Footprint& next) const;
  void NoteBranches();
  void Cut(std::deque<Cuts>& cuts, int preemptions);
  // Runs what rule 1 left out and what now matters. False: nothing does.
  bool Reconsider();
  void Preempt(const Skipped& cut);

  const int most_;
  bool ran_ = false;
  std::deque<Branch> now_;
  std::vector<std::deque<Cuts>> cuts_;  // by the preemptions that it gives
  std::vector<Skipped> skipped_;
  uint64_t skipped_at_ = 0;  // Size of all territories then
  Path path_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PREEMPTIONS_H_
