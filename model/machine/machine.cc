#include "model/machine/machine.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "model/machine/core.h"

namespace atsfuzz::machine {
namespace {

// A step of the core that goes on as it should and forgets everything else:
// what it would leave in the state, the error that it has seen, the call of the
// driver. Locks it keeps, so that it is no deadlock.
void Forget(Context& c) {
  const State before = c.state;
  c.thread.group_result = 0;
  CoreStep(c);
  c.thread.group_result = 0;
  c.thread.program = Program::kNone;
  State after = before;
  std::memcpy(after.group_lock, c.state.group_lock, sizeof(after.group_lock));
  after.asid_lock = c.state.asid_lock;
  c.state = after;
}

}  // namespace

Request RequestOf(const model::Operation& operation) {
  const model::Faults& faults = operation.faults;
  Request r = {};
  r.kind = operation.kind;
  r.function = operation.function.value;
  r.domain = operation.domain.value;
  r.stream = operation.stream;
  r.page = static_cast<uint8_t>(operation.page);
  r.pages = static_cast<uint8_t>(operation.pages);
  r.ssid = static_cast<uint8_t>(operation.pasid);
  r.queued = operation.queued;
  r.identity = operation.default_domain == model::DefaultDomain::kIdentity;
  r.prepare_ats = faults.prepare_ats;
  r.enable_ats = faults.enable_ats;
  r.config_writes = faults.config_writes;
  r.alloc_sites = faults.alloc_sites;
  r.alloc_numbers = faults.alloc_numbers;
  r.cmd_syncs = faults.cmd_syncs;
  r.atc_timeouts = faults.atc_timeouts;
  return r;
}

Machine::Machine(const model::Topology& topology, const Design& design,
                 Mutation mutation)
    : board_(topology, design),
      design_(design),
      mutation_(mutation),
      programs_(design) {}

State Machine::Boot() const {
  State state;
  std::memset(static_cast<void*>(&state), 0, sizeof(state));
  std::memset(state.order, 0xff, sizeof(state.order));
  return state;
}

Thread Machine::Begin(const Request& request, int id) const {
  Thread thread;
  std::memset(static_cast<void*>(&thread), 0, sizeof(thread));
  thread.request = request;
  thread.id = static_cast<uint8_t>(id);
  thread.core = Step::kBegin;
  return thread;
}

bool Machine::Advance(State& state, Thread& thread, Log* log) const {
  Context c{board_, design_, state, thread, log};
  if (thread.program != Program::kNone) {
    const Step next = programs_.At(thread.program, thread.pc);
    if (next == Step::kDone) {
      thread.program = std::exchange(thread.then, Program::kNone);
      thread.pc = 0;
      return true;
    }
    if (next == mutation_.step) {
      ++thread.pc;
      return true;
    }
    switch (DriverStep(c, next)) {
      case Outcome::kNext:
        ++thread.pc;
        break;
      case Outcome::kFail:
        thread.program = Program::kNone;
        break;
      case Outcome::kRepeat:
      case Outcome::kWait:
        break;
    }
  } else {
    if (thread.core == Step::kDone) return false;
    if (thread.core == mutation_.step) {
      Forget(c);
    } else {
      CoreStep(c);
    }
  }
  if (thread.oops) {
    thread.result = -EIO;
    return false;
  }
  return true;
}

bool Machine::IsBlocked(const State& state, const Thread& thread) const {
  if (thread.program == Program::kNone) {
    const Request& request = thread.request;
    return thread.core == Step::kBegin && TakesGroupMutex(request) &&
           state.group_lock[board_.functions[request.function].leader] != 0;
  }
  const Step next = programs_.At(thread.program, thread.pc);
  if (next == Step::kUnref) {
    // Which array it is about, only the step itself knows.
    State its_state = state;
    Thread its_thread = thread;
    Context c{board_, design_, its_state, its_thread, nullptr};
    return DriverStep(c, next) == Outcome::kWait;
  }
  return state.asid_lock != 0 && next == Step::kLockAsid;
}

int Machine::Run(State& state, const Request& request, Log* log) const {
  Thread thread = Begin(request, 0);
  if (mutation_ != Mutation{}) {
    while (Advance(state, thread, log)) {
    }
    return thread.result;
  }
  // The same without a look around between the steps.
  Context c{board_, design_, state, thread, log};
  while (!thread.oops) {
    if (thread.program == Program::kNone) {
      if (thread.core == Step::kDone) return thread.result;
      CoreStep(c);
      continue;
    }
    const Step next = programs_.At(thread.program, thread.pc);
    if (next == Step::kDone) {
      thread.program = std::exchange(thread.then, Program::kNone);
      thread.pc = 0;
      continue;
    }
    const Outcome outcome = DriverStep(c, next);
    if (outcome == Outcome::kNext) ++thread.pc;
    if (outcome == Outcome::kFail) thread.program = Program::kNone;
  }
  return -EIO;
}

}  // namespace atsfuzz::machine
