#ifndef ATSFUZZ_MODEL_MACHINE_CONTEXT_H_
#define ATSFUZZ_MODEL_MACHINE_CONTEXT_H_

#include "model/machine/board.h"
#include "model/machine/design.h"
#include "model/machine/log.h"
#include "model/machine/state.h"
#include "model/machine/thread.h"

namespace atsfuzz::machine {

// What a step works on. `log` is null where nobody listens.
struct Context {
  const Board& board;
  const Design& design;
  State& state;
  Thread& thread;
  Log* log;

  bool Is(Attach attach) const { return design.attach == attach; }
};

// A WARN_ON of the kernel in a function, told to whoever listens.
inline void Warn(Context& c, const char* function, const char* text) {
  if (c.log != nullptr) c.log->Warn(function, text);
}

// An allocation at a site: false if a fault of the operation fails it.
inline bool Allocate(Context& c, model::AllocSite site) {
  const Request& request = c.thread.request;
  const unsigned number = ++c.thread.allocations;
  const bool fails =
      (request.alloc_sites >> static_cast<int>(site) & 1) != 0 ||
      (number <= 64 && (request.alloc_numbers >> (number - 1) & 1) != 0);
  if (c.log != nullptr) c.log->Allocation(site, number, fails);
  return !fails;
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_CONTEXT_H_
