#include "fuzz/block_run.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace atsfuzz::fuzz {
namespace {

using model::Actor;
using model::Interleaving;
using model::Operation;
using model::SmmuId;
using model::Turn;
using properties::SideBySide;
using properties::Stuck;

class BlockRunner {
 public:
  BlockRunner(const model::Scenario& scenario, const model::Block& block,
              const std::vector<uint64_t>& physical, model::Contract contract,
              model::System& system, const BlockOptions& options)
      : scenario_(scenario),
        block_(block),
        physical_(physical),
        contract_(std::move(contract)),
        system_(system),
        interleaving_(*system.interleaving()),
        options_(options) {
    const auto threads = ThreadsOf(scenario, block);
    for (size_t thread = 1; thread < threads.size(); ++thread) {
      threads_[thread].operations = threads[thread];
    }
  }

  absl::StatusOr<BlockResult> Run() {
    interleaving_.Begin();
    moves_rcu_ = options_.scheduler->MovesRcu();
    if (moves_rcu_) interleaving_.MoveRcu();
    bool begun = false;
    while (problem_.ok() && !died_ && Look()) {
      if (too_long_) {
        if (!TakeFairTurns()) break;
        continue;
      }
      if (!begun) options_.scheduler->Begin(situation_);
      begun = true;
      Choice choice = options_.scheduler->Next(situation_);
      Restrict(&choice);
      Tell(choice);
      const uint32_t step = Move(choice);
      Record(choice, step);
    }
    if (problem_.ok()) GiveUp();
    interleaving_.End();
    // A turn says that RCU moved, even where it had nothing to do.
    if (moves_rcu_ && !MovesRcu(result_.schedule)) {
      result_.schedule.push_back({.actor = Actor::Rcu(), .step = 0});
    }
    if (!problem_.ok()) return problem_;
    return std::move(result_);
  }

 private:
  struct Thread {
    std::vector<size_t> operations;  // indices into the scenario
    size_t next = 0;                 // into `operations`
    bool in_flight = false;          // operations[next]
    uint32_t taken = 0;              // steps, of those that kMostSteps counts
    bool moved = false;              // in the second half of fair turns
    SideBySide side;                 // in flight
  };

  static bool Ended(const Thread& thread) {
    return thread.next == thread.operations.size();
  }
  int smmus() const {
    return static_cast<int>(scenario_.topology.smmus.size());
  }

  // Finds out who is ready. False: nobody, for ever.
  bool Look() {
    for (;;) {
      bool any = false, in_flight = false;
      for (int thread = 1; thread <= block_.threads; ++thread) {
        const Thread& t = threads_[thread];
        const bool ready = t.in_flight ? interleaving_.IsReady(thread)
                                       : t.next < t.operations.size();
        situation_.ready[Actor::Thread(thread).value] = ready;
        Position& position = situation_.position[Actor::Thread(thread).value];
        position.waits = t.in_flight && !ready;
        position.ended = !t.in_flight && !ready;
        any |= ready;
        in_flight |= t.in_flight;
      }
      for (int smmu = 0; smmu < smmus(); ++smmu) {
        const bool ready = interleaving_.IsReady(SmmuId(uint8_t(smmu)));
        situation_.ready[Actor::Smmu(smmu).value] = ready;
        any |= ready;
      }
      const bool rcu_is_ready = moves_rcu_ && interleaving_.IsRcuReady();
      situation_.ready[Actor::Rcu().value] = rcu_is_ready;
      any |= rcu_is_ready;
      if (any) return true;
      if (!in_flight || !PassTime()) return false;
    }
  }

  bool PassTime() {
    ++time_;
    CountAnew();
    return interleaving_.PassTime();
  }

  // What is measured by kMostSteps and kMostTime.
  void CountAnew() {
    for (Thread& thread : threads_) thread.taken = 0;
    too_long_ = time_ >= kMostTime;
  }

  // Until an operation returns, or the kernel dies. False: there were all that
  // there are, or nobody can move any more.
  bool TakeFairTurns() {
    const size_t returned = result_.operations.size();
    uint32_t random = 1;
    for (uint32_t turn = 0; turn < kFairTurns; ++turn) {
      if (turn == kFairTurns / 2) {
        for (Thread& thread : threads_) thread.moved = false;
      }
      if (!Look()) return false;
      do {
        fair_ = {static_cast<uint8_t>((fair_.value + 1) % model::kActors)};
      } while (!situation_.ready[fair_.value]);
      // The generator of Numerical Recipes; its upper bits are the better ones.
      random = random * 1664525 + 1013904223;
      const uint32_t steps = 1u << (random >> 16) % 11;
      Move({.actor = fair_, .steps = steps});
      if (!problem_.ok() || died_) return true;
      if (result_.operations.size() != returned) return true;
      if (spins_) PassTime();
    }
    fair_in_vain_ = true;
    return false;
  }

  // To what the system can do, and a schedule can say.
  void Restrict(Choice* choice) const {
    const model::Capabilities& capabilities = system_.capabilities();
    choice->weak &= capabilities.weak_memory;
    const Position& position = situation_.position[choice->actor.value];
    if (!capabilities.plain_stops ||
        position.plain + choice->plain > UINT8_MAX) {
      choice->plain = 0;
    }
    if (!choice->actor.is_thread()) return;
    const uint32_t left = kMostSteps - threads_[choice->actor.thread()].taken;
    assert(left > 0);
    if (choice->steps > left) {
      choice->steps = left;
      choice->plain = 0;
    }
  }

  // The next turn goes on with the last one.
  bool GoesOn(const Choice& choice) const {
    const model::Schedule& schedule = result_.schedule;
    return !schedule.empty() && schedule.back().actor == choice.actor &&
           schedule.back().weak == choice.weak;
  }

  // A turn is about to begin.
  void Tell(const Choice& choice) {
    if (!options_.tell) return;
    options_.tell(result_.schedule.size() - (GoesOn(choice) ? 1 : 0),
                  {.actor = choice.actor, .weak = choice.weak});
  }

  // Returns the step before which the actor stands then (model::Turn::step).
  uint32_t Move(const Choice& choice) {
    spins_ = false;
    return choice.actor.is_thread() ? MoveThread(choice) : MoveServer(choice);
  }

  bool IsReady(Actor server) {
    return server.is_rcu()
               ? interleaving_.IsRcuReady()
               : interleaving_.IsReady(SmmuId(uint8_t(server.smmu())));
  }

  void Advance(Actor server) {
    if (server.is_rcu()) {
      interleaving_.AdvanceRcu();
    } else {
      interleaving_.Advance(SmmuId(uint8_t(server.smmu())));
    }
  }

  // An SMMU, or RCU.
  uint32_t MoveServer(const Choice& choice) {
    Position& position = situation_.position[choice.actor.value];
    for (uint32_t i = 0; i < choice.steps && IsReady(choice.actor); ++i) {
      Advance(choice.actor);
      options_.scheduler->Moved(choice.actor, interleaving_.LastTouched());
      position.step = ++position.taken;
      ++situation_.steps;
    }
    return position.step;
  }

  uint32_t MoveThread(const Choice& choice) {
    const int number = choice.actor.thread();
    Thread& thread = threads_[number];
    if (!thread.in_flight && !Start(number)) {
      // Whether it is left out depends on what others did.
      options_.scheduler->Moved(choice.actor, std::nullopt);
      return Ended(thread) ? Turn::kToTheEnd : 0;
    }
    Position& position = situation_.position[choice.actor.value];
    thread.moved = true;
    situation_.last = choice.actor;
    const Interleaving::Progress progress = interleaving_.Advance(
        number,
        {.steps = choice.steps, .plain = choice.plain, .weak = choice.weak});
    options_.scheduler->Moved(choice.actor, interleaving_.LastTouched());
    // A loop around a wait may make no access at all.
    const uint32_t steps = std::max(progress.steps, 1u);
    situation_.steps += steps;
    thread.taken += steps;
    too_long_ |= thread.taken >= kMostSteps;
    if (progress.stop == Interleaving::Stop::kReturned) {
      Return(number, progress.result);
      position = {.operation = static_cast<uint8_t>(position.operation + 1)};
      return Ended(thread) ? Turn::kToTheEnd : 0;
    }
    spins_ = progress.stop == Interleaving::Stop::kSpins;
    if (progress.steps != 0 || !progress.at_plain) position.plain = 0;
    if (progress.at_plain) position.plain += choice.plain;
    position.taken += progress.steps;
    // Who spins has made its last access, and stands before the next.
    position.step = position.taken + (spins_ ? 1 : 0);
    return position.step;
  }

  // Gives a thread its next operation. False: it was left out.
  bool Start(int number) {
    Thread& thread = threads_[number];
    const size_t index = thread.operations[thread.next];
    const Operation& operation = scenario_.operations[index];
    absl::Status status = model::Fits(system_.capabilities(), system_.name(),
                                      scenario_.topology, operation);
    if (status.ok()) status = contract_.Allows(operation);
    if (status.ok() && contract_.AllocatesDomain(operation)) {
      status = absl::FailedPreconditionError(
          "its domain is not allocated when the block begins");
    }
    if (!status.ok()) {
      if (!options_.drop_impossible) {
        problem_ = absl::FailedPreconditionError(
            absl::StrCat("operation ", index + 1, ", `",
                         ToText(scenario_.topology, operation),
                         "`: ", absl::string_view(status.message())));
      }
      Position& position = situation_.position[Actor::Thread(number).value];
      position = {.operation = static_cast<uint8_t>(position.operation + 1)};
      ++thread.next;
      return false;
    }
    thread.side = {.operation = operation,
                   .physical = physical_[index - block_.first],
                   .began = Events()};
    model::FunctionId through;
    if (operation.kind == model::OperationKind::kDomainNew) {
      through = contract_.AllocatesThrough(operation);
    }
    interleaving_.Start(number, operation, through, thread.side.physical);
    thread.in_flight = true;
    thread.taken = 0;
    return true;
  }

  void Return(int number, int result) {
    Thread& thread = threads_[number];
    thread.in_flight = false;
    thread.side.returned = true;
    thread.side.result = result;
    thread.side.ended = Events();
    contract_.Apply(thread.side.operation, result, thread.side.physical);
    result_.operations.push_back(thread.side);
    result_.indices.push_back(
        static_cast<uint32_t>(thread.operations[thread.next]));
    ++thread.next;
    time_ = 0;
    CountAnew();
    const std::span<const atsfuzz_event> events = system_.Events();
    died_ =
        std::any_of(events.begin(), events.end(),
                    [](const atsfuzz_event& event) { return IsDeath(event); });
  }

  // The kernel's end, be it a BUG or a wait that was given up.
  static bool IsDeath(const atsfuzz_event& event) {
    return event.a == 1 && (event.kind == ATSFUZZ_EVENT_WARN ||
                            event.kind == ATSFUZZ_EVENT_TIMEOUT ||
                            event.kind == ATSFUZZ_EVENT_MEMORY_ERROR);
  }

  // What is still in flight will never return.
  void GiveUp() {
    std::vector<std::string> why;
    bool some_move = false, some_wait = false;
    for (int number = 1; number <= block_.threads; ++number) {
      Thread& thread = threads_[number];
      if (!thread.in_flight) continue;
      result_.operations.push_back(thread.side);
      result_.indices.push_back(
          static_cast<uint32_t>(thread.operations[thread.next]));
      const bool moves = fair_in_vain_ && thread.moved;
      some_move |= moves;
      some_wait |= !moves;
      const std::vector<std::string> locks = interleaving_.Holds(number);
      why.push_back(absl::StrCat(
          "`", ToText(scenario_.topology, thread.side.operation), "` holds ",
          locks.empty() ? "no lock" : absl::StrJoin(locks, ", "), " and ",
          moves ? "goes on and on"
                : "waits for " + interleaving_.WaitsFor(number)));
    }
    result_.steps = situation_.steps;
    if (why.empty() || died_) return;
    result_.stuck = {.kind = !some_move  ? Stuck::kDeadlock
                             : some_wait ? Stuck::kStarvation
                                         : Stuck::kLivelock,
                     .why = absl::StrJoin(why, "; ")};
  }

  void Record(const Choice& choice, uint32_t step) {
    const Actor actor = choice.actor;
    Turn turn = {.actor = actor,
                 .step = static_cast<uint16_t>(
                     std::min<uint32_t>(step, Turn::kToTheEnd)),
                 .weak = choice.weak};
    if (actor.is_thread() && turn.step != Turn::kToTheEnd) {
      turn.operation = situation_.position[actor.value].operation;
      turn.plain = static_cast<uint8_t>(situation_.position[actor.value].plain);
    }
    model::Schedule& schedule = result_.schedule;
    if (GoesOn(choice)) {
      schedule.back() = turn;
    } else {
      schedule.push_back(turn);
    }
    if (options_.tell) options_.tell(schedule.size() - 1, turn);
  }

  uint32_t Events() { return static_cast<uint32_t>(system_.Events().size()); }

  const model::Scenario& scenario_;
  const model::Block& block_;
  const std::vector<uint64_t>& physical_;
  model::Contract contract_;
  model::System& system_;
  Interleaving& interleaving_;
  const BlockOptions& options_;
  std::array<Thread, 1 + ATSFUZZ_MAX_THREADS> threads_;
  Situation situation_;
  BlockResult result_;
  absl::Status problem_;
  uint32_t time_ = 0;  // in milliseconds, since an operation returned
  bool too_long_ = false;
  bool moves_rcu_ = false;
  Actor fair_;  // whose fair turn it was last
  bool fair_in_vain_ = false;
  bool spins_ = false;  // the last move stopped at a wait for an answer
  bool died_ = false;
};

}  // namespace

absl::StatusOr<BlockResult> RunBlock(const model::Scenario& scenario,
                                     const model::Block& block,
                                     const std::vector<uint64_t>& physical,
                                     model::Contract contract,
                                     model::System& system,
                                     const BlockOptions& options) {
  return BlockRunner(scenario, block, physical, std::move(contract), system,
                     options)
      .Run();
}

}  // namespace atsfuzz::fuzz
