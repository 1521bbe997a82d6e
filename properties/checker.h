#ifndef ATSFUZZ_PROPERTIES_CHECKER_H_
#define ATSFUZZ_PROPERTIES_CHECKER_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/capabilities.h"
#include "model/contract.h"
#include "model/observation.h"
#include "model/operation.h"
#include "properties/violation.h"

// The reference checker: judges a run by its operations, their return values,
// the events and the observations, and by nothing that the driver meant.
//
// One checker judges one run:
//   Checker checker(topology);
//   checker.Boot(events, observation);
//   for each operation: checker.Step(operation, result, events, observation);
//   checker.Shutdown(events, observation);
// Each call returns the violations that are new: a state that stays wrong is
// reported when it becomes wrong, once per run and subject. Their `operation`
// counts the calls of Step before; the runner knows which were implicit.
//
// The capabilities are those of the system under test: the contract's.
//
// The checker owns the run's Contract and applies every operation to it; the
// runner asks that contract what is allowed.
namespace atsfuzz::properties {

// An operation of a `par` block, as it went.
struct SideBySide {
  model::Operation operation;
  bool returned = false;  // or it was in flight when the block ended
  int result = 0;
  uint64_t physical = 0;  // where a map went
  // How many events there were when it began, and when it returned.
  uint32_t began = 0, ended = 0;
};

// Why operations of a `par` block never returned.
struct Stuck {
  enum Kind : uint8_t {
    kNot,         // all returned, or the kernel died
    kDeadlock,    // none can move: each waits
    kLivelock,    // all that are in flight move, and none returns
    kStarvation,  // some wait for ever, while others move and do not return
  };
  Kind kind = kNot;
  // Of each in flight, the locks that it holds, and the one that it waits for
  // with its holder. For people.
  std::string why;
};

class Checker {
 public:
  explicit Checker(const model::Topology& topology,
                   const model::Capabilities& capabilities = {});
  ~Checker();

  // What holds before the next operation.
  model::Contract& contract();

  std::vector<Violation> Boot(std::span<const atsfuzz_event> events,
                              const atsfuzz_observation& observation);

  // Judges an operation that has just returned `result`. `physical` is where a
  // map went. An implicit allocation is told by its own call, with the domain's
  // `domain-new` as operation, before the operation that needed it.
  std::vector<Violation> Step(const model::Operation& operation, int result,
                              uint64_t physical,
                              std::span<const atsfuzz_event> events,
                              const atsfuzz_observation& observation);

  // Judges a `par` block: its operations in the order in which they returned,
  // those that never did last, for the reason that `stuck` gives.
  //
  // What must hold when nothing is in flight is asked at the end. Of what must
  // always hold, the events tell. An access may go where it might have gone had
  // any of the operations in flight at its time taken effect already, or not
  // yet: so no legal order of theirs raises an alarm; nor does weak memory,
  // since all see what a weak turn stored when its operation has returned.
  // Whose commands are whose is not known: what is asked of the commands of one
  // operation (invalidations-exact, the order in commands-in-order), and
  // failed-operation-changes-nothing, is not asked here. That no command is
  // illegal, is.
  std::vector<Violation> Block(std::span<const SideBySide> operations,
                               const Stuck& stuck,
                               std::span<const atsfuzz_event> events,
                               const atsfuzz_observation& observation);

  // Judges only no-leak and memory-safe: a shutdown's own operations are not
  // the scenario's.
  std::vector<Violation> Shutdown(std::span<const atsfuzz_event> events,
                                  const atsfuzz_observation& observation);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_CHECKER_H_
