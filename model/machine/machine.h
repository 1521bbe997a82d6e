#ifndef ATSFUZZ_MODEL_MACHINE_MACHINE_H_
#define ATSFUZZ_MODEL_MACHINE_MACHINE_H_

#include "model/machine/board.h"
#include "model/machine/design.h"
#include "model/machine/driver.h"
#include "model/machine/log.h"
#include "model/machine/mutation.h"
#include "model/machine/state.h"
#include "model/machine/thread.h"
#include "model/topology.h"

namespace atsfuzz::machine {

// The abstract machine: a topology, a design, and the steps between states. It
// has no state of its own, so that one machine serves any number of states and
// threads; const methods may run in parallel.
//
//   Machine machine(topology, design);
//   State state = machine.Boot();
//   Thread thread = machine.Begin(request, /*id=*/0);
//   while (machine.Advance(state, thread)) {}
//   // thread.result
class Machine {
 public:
  // REQUIRES: the topology fits CapabilitiesOf(design).
  Machine(const model::Topology& topology, const Design& design,
          Mutation mutation = {});

  const Board& board() const { return board_; }
  const Design& design() const { return design_; }

  State Boot() const;

  // Starts an operation. REQUIRES: the kernel could do it now
  // (model::Contract), and its domain is allocated.
  Thread Begin(const Request& request, int id) const;
  // The step that Advance would run.
  Step Next(const Thread& thread) const {
    return thread.program == Program::kNone
               ? thread.core
               : programs_.At(thread.program, thread.pc);
  }
  // Runs one atomic step. False once the operation has returned
  // thread.result.
  bool Advance(State& state, Thread& thread, Log* log = nullptr) const;
  // True if Advance would wait for another thread's lock.
  bool IsBlocked(const State& state, const Thread& thread) const;
  // Runs an operation to its end. Returns its result.
  int Run(State& state, const Request& request, Log* log = nullptr) const;

 private:
  Board board_;
  Design design_;
  Mutation mutation_;
  Programs programs_;
};

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_MACHINE_H_
