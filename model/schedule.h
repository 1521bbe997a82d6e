#ifndef ATSFUZZ_MODEL_SCHEDULE_H_
#define ATSFUZZ_MODEL_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/limits.h"

// The order in which the threads of a `par` block, the SMMUs and RCU move: one
// at a time, each from one step to another. A thread takes a step with each
// access that another CPU, an SMMU or a function may see (linux/module.h), an
// SMMU with each command that it consumes, RCU each time that grace periods go
// on.
namespace atsfuzz::model {

// Who moves: a thread (1 ..), an SMMU, or RCU.
struct Actor {
  uint8_t value = 0;

  static Actor Thread(int thread) { return {static_cast<uint8_t>(thread)}; }
  static Actor Smmu(int smmu) {
    return {static_cast<uint8_t>(1 + ATSFUZZ_MAX_THREADS + smmu)};
  }
  static Actor Rcu() { return {1 + ATSFUZZ_MAX_THREADS + ATSFUZZ_MAX_SMMUS}; }
  bool is_thread() const { return value <= ATSFUZZ_MAX_THREADS; }
  bool is_smmu() const { return !is_thread() && !is_rcu(); }
  bool is_rcu() const { return *this == Rcu(); }
  int thread() const { return value; }                          // is_thread
  int smmu() const { return value - 1 - ATSFUZZ_MAX_THREADS; }  // is_smmu

  bool operator==(const Actor&) const = default;
};
inline constexpr int kActors = 2 + ATSFUZZ_MAX_THREADS + ATSFUZZ_MAX_SMMUS;

// One item of a schedule: `actor` moves until it stands before step `step`
// (from 1 on; 0: before the operation begins) of its operation `operation`
// (from 0 on). While it waits for an answer, SMMUs and RCU move for it. When it
// has to wait for another thread, or has got there, it is the next item's turn.
// Of an SMMU, `step` counts the commands that it has consumed since the block
// began, of RCU its own moves; `operation` is 0.
//
// In a schedule without a turn of RCU, a grace period begins where something
// waits for it, and ends as soon as those who read then have left: so who uses
// too late what is freed is caught the soonest. In one that has such turns, all
// that wait begin theirs in a move of RCU, and what has been read to its end is
// freed, then or in a later move. As each begins with a barrier on all CPUs,
// weak memory has orders that only a late one shows.
//
// In a weak turn, of a system with weak memory, the thread's CPU keeps to
// itself as far as the barriers of the source let it: others do not see what it
// stores until its next barrier, and its marked loads see what was there when
// it passed its last one (linux/kernel/weak.c).
struct Turn {
  // To the end of the actor's last operation. `operation` is 0.
  static constexpr uint16_t kToTheEnd = UINT16_MAX;

  Actor actor;
  uint8_t operation = 0;
  uint16_t step = kToTheEnd;
  // The thread goes beyond that step, and stops before its `plain`-th access
  // from there that is neither marked nor a step. 0: it does not. For a system
  // that stops at plain accesses; 0 with kToTheEnd, and but for a thread.
  uint8_t plain = 0;
  bool weak = false;  // only of a thread

  bool operator==(const Turn&) const = default;
};

// After the last item the thread that moved last goes on, SMMUs and RCU move
// for it, and when it has ended or has to wait for another thread, the first
// one that can go on does. So the empty schedule runs each thread to its end in
// turn.
using Schedule = std::vector<Turn>;

bool HasWeakTurns(const Schedule& schedule);
bool StopsAtPlainAccesses(const Schedule& schedule);
// RCU has a turn.
bool MovesRcu(const Schedule& schedule);

inline constexpr size_t kMaxTurns = 4096;

// "t0@17", "t0@2.17" in the thread's second operation, "t0@17+3" up to the
// third plain access after step 17, "t0" to the end, "t0@17~" and "t0~" weak;
// "s0@3" and "s0" of an SMMU; "rcu@1" and "rcu". Threads are written from 0 on.
std::string ToText(const Turn& turn);
// The name of an actor: "t0", "s0", "rcu".
std::string ToText(Actor actor);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_SCHEDULE_H_
