#ifndef ATSFUZZ_FUZZ_PREEMPTIONS_H_
#define ATSFUZZ_FUZZ_PREEMPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "fuzz/scheduler.h"
#include "model/schedule.h"

namespace atsfuzz::fuzz {

// All schedules of a block with 0, 1, 2, ... up to a number of preemptions, in
// this order (iterative context bounding: Musuvathi, Qadeer, PLDI 2007). A
// preemption takes the turn from a thread that could have gone on; who goes on
// where a thread has ended or waits for another one is free. SMMUs serve the
// thread that waits for them. So the first schedule that fails has the fewest
// preemptions of all that do, and each is run once.
//
//   PreemptionSearch search(2);
//   while (Scheduler* scheduler = search.Next()) { /* run the block */ }
//
// Schedules that differ only in the order of accesses to different memory are
// all run: what a thread touches between two of its steps, the driver's plain
// accesses, nobody reports, and whether such schedules are equal depends on it.
class PreemptionSearch {
 public:
  // `most` preemptions, 0 or more.
  explicit PreemptionSearch(int most) : most_(most) { now_.push_back({}); }

  // The scheduler of the next run, good until the next call; null: these were
  // all. REQUIRES: the block was run to its end with the one before.
  Scheduler* Next();

  // Of the schedule that Next gave out last.
  int preemptions() const { return preemptions_; }

 private:
  // Threads, bit thread - 1.
  using ThreadSet = uint8_t;

  // A thread stands before a step, where `others` could go on too.
  struct Stop {
    uint8_t operation;
    uint16_t step;
    ThreadSet others;
  };
  // What a thread does at a stretch, from a free choice or a preemption to its
  // end or to where it has to wait for another thread.
  struct Stretch {
    model::Actor thread;
    ThreadSet others = 0;  // could have been chosen instead
    std::vector<Stop> stops;
  };
  // Turns, and the thread that comes next; none: the first that can.
  struct Branch {
    model::Schedule turns;
    model::Actor next;
  };
  // Turns, then one to each of some stops.
  struct Cuts {
    model::Schedule turns;
    Stretch stretch;
    size_t next_stop = 0;
  };

  // Follows a branch, then the first thread that can go on, and notes what else
  // could have been done.
  class Path : public Scheduler {
   public:
    void Start(Branch branch);
    Choice Next(const Situation& situation) override;
    const Branch& branch() const { return branch_; }
    const std::vector<Stretch>& stretches() const { return stretches_; }

   private:
    // Begins a stretch. False: no thread can go on.
    bool Choose(const Situation& situation);

    Branch branch_;
    std::optional<Replay> turns_;
    std::vector<Stretch> stretches_;
    bool in_stretch_ = false;
    Position seen_;  // of the stretch's thread, at the last look
  };

  void NoteBranches();
  void Cut();

  const int most_;
  int preemptions_ = 0;
  bool ran_ = false;
  std::deque<Branch> now_;
  std::deque<Cuts> cuts_, later_;  // of one preemption more, and of those
  Path path_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PREEMPTIONS_H_
