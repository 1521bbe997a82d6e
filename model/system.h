#ifndef ATSFUZZ_MODEL_SYSTEM_H_
#define ATSFUZZ_MODEL_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/capabilities.h"
#include "model/contract.h"
#include "model/observation.h"
#include "model/operation.h"
#include "model/topology.h"

namespace atsfuzz::model {

// A place in the driver, for people and for signatures.
struct Location {
  std::string function;  // kernel function, or a step of the model
  std::string file;      // base name: "arm-smmu-v3.c"
  int line = 0;
  std::string text;  // the source line, white space folded
  // The file in the kernel's tree: "drivers/pci/ats.c"; empty if not known.
  std::string path;
  bool known() const { return !function.empty(); }
};

// Something a violation is about, and whose last change can be located.
struct Fact {
  // Same order as enum atsfuzz_fact.
  enum Kind : uint8_t {
    kBelief,
    kCounter,
    kSte,
    kAts,
    kPasid,
    kStream,
    kArray,
    kNone
  };
  Kind kind = kNone;
  // Function, domain slot (counter, array), or function * max streams + stream.
  uint8_t index = 0;
};

// What somebody touched; none: that is not known, and may be anything.
using Touched = std::optional<std::span<const atsfuzz_touch>>;

// Operations of several threads side by side, step by step: what a `par` block
// needs of a system. Threads count from 1.
class Interleaving {
 public:
  virtual ~Interleaving() = default;

  // Why a thread has stopped.
  enum class Stop : uint8_t {
    kSteps,     // it took those that it was given
    kBlocks,    // it waits for a lock, which its last step is to take
    kSpins,     // it waits for an answer; its last step has looked for one
    kReturned,  // its operation has ended, or the kernel has died
  };
  struct Progress {
    Stop stop = Stop::kSteps;
    uint32_t steps = 0;  // taken
    // It did not come to the last step: it stands before the last of the plain
    // accesses that it was to make.
    bool at_plain = false;
    int result = 0;  // kReturned: what the kernel returned
  };

  // From here to End there is no Operate, Boot or Shutdown. System::Events
  // tells everything since Begin.
  virtual void Begin() = 0;
  // Gives a thread an operation; it has taken no step yet. REQUIRES: the thread
  // has none.
  virtual void Start(int thread, const Operation& operation, FunctionId through,
                     uint64_t physical) = 0;
  // How far a thread is to go, at most.
  struct Stretch {
    uint32_t steps;  // 1 or more: to stand before the last of them
    // Not 0: before the last of them, no further than to stand before this
    // plain access, counted from the step before, or from where the thread
    // stands. Systems that do not stop there ignore it.
    uint8_t plain = 0;
    // A weak turn (model/schedule.h). Systems without weak memory ignore it.
    bool weak = false;
  };
  // REQUIRES: the thread has an operation.
  virtual Progress Advance(int thread, const Stretch& stretch) = 0;
  // What the last Advance touched, until the next one. Two moves in a row that
  // touch no place that one of them writes may change places: neither the
  // system nor Events tells, but for the order of events that no checker asks
  // for (ALLOC). Not of weak turns.
  virtual Touched LastTouched() { return std::nullopt; }
  // Whether a thread that has an operation may get further.
  virtual bool IsReady(int thread) = 0;
  // An SMMU may consume a command; does so.
  virtual bool IsReady(SmmuId smmu) = 0;
  virtual void Advance(SmmuId smmu) = 0;
  // RCU moves too, for systems where it can: from here to End grace periods
  // begin and end in AdvanceRcu alone. REQUIRES: Begin was called, and nothing
  // has moved.
  virtual void MoveRcu() {}
  // A grace period can begin, or end: all who read when it began have left. All
  // do that can.
  virtual bool IsRcuReady() { return false; }
  virtual void AdvanceRcu() {}
  // To be called when nothing is ready: time passes. False if that can help
  // nobody: a deadlock, or waits without end.
  virtual bool PassTime() = 0;
  // What a thread waits for, for people: "&group->mutex, which t1 holds".
  virtual std::string WaitsFor(int thread) = 0;
  // The locks that a thread holds, for people, as the source names them; in the
  // order in which it took them.
  virtual std::vector<std::string> Holds(int thread) = 0;
  // Operations that have not returned are given up, and the machine with them.
  virtual void End() = 0;
};

// The system under test: a machine that runs one operation after another and
// can be looked at in between. Two implementations: the real driver
// (linux/system.h) and the abstract machine. Not thread-safe.
class System {
 public:
  virtual ~System() = default;

  // Starts the machine from nothing; whatever was before is gone.
  // FailedPrecondition if the driver does not come up.
  virtual absl::Status Boot(const Topology& topology) = 0;

  // Runs one operation to its end. `through` is the function of a domain-new.
  // `physical` is where a map maps to. Returns the kernel's return value: 0 or
  // a negative errno.
  virtual int Operate(const Operation& operation, FunctionId through,
                      uint64_t physical) = 0;

  // Frees everything that is left and ends the machine.
  virtual void Shutdown() = 0;

  // Null: this system runs no threads (Capabilities::threads).
  virtual Interleaving* interleaving() { return nullptr; }

  // Facts of this instant, and what happened in the last Boot, Operate or
  // Shutdown. Valid until the next of these.
  virtual const atsfuzz_observation& Observe() = 0;
  virtual std::span<const atsfuzz_event> Events() = 0;

  // True if the last operation made the kernel use memory that it had freed or
  // unlinked: what a real one does from here on depends on what lies there.
  // Only a system that knows it without looking says so.
  virtual bool Undefined() const { return false; }

  // True if Locate and LastWriter answer.
  virtual bool Locates() const { return false; }
  // The call stack of an event, innermost first; empty if not recorded.
  virtual std::vector<Location> Locate(const atsfuzz_event&) { return {}; }
  // Of an ATSFUZZ_EVENT_DATA_RACE: where the other thread's access is; of an
  // ATSFUZZ_EVENT_STOP with stores held back: where the first of them is.
  virtual std::vector<Location> LocateOther(const atsfuzz_event&) { return {}; }
  // From the next boot on, data races are events, or not (the default).
  virtual void AskForDataRaces(bool) {}
  // The call stack at the last change of a fact; empty if not recorded.
  virtual std::vector<Location> LastWriter(Fact) { return {}; }

  // Edge counters since Boot, of the code under test; empty if not compiled in.
  virtual std::span<uint8_t> Coverage() { return {}; }

  // What a scenario may use here, and what this kernel's core promises.
  virtual const Capabilities& capabilities() const = 0;

  // "linux:6.12", "model:6.12".
  virtual const std::string& name() const = 0;

  // The whole state at an instant after a Boot, whatever became of it.
  class Snapshot {
   public:
    virtual ~Snapshot() = default;
    // The same for the same state, in this process; empty if not offered.
    virtual std::span<const uint8_t> bytes() const { return {}; }
  };
  // Null: this system cannot, ever; boot again and repeat the operations.
  virtual std::unique_ptr<Snapshot> TakeSnapshot() { return nullptr; }
  // Goes back to a snapshot of this very system, however often: from here on
  // everything is, Observe and Events included, as if only what was before the
  // snapshot had been. Coverage counts on.
  virtual void Restore(const Snapshot& snapshot) {}
};

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_SYSTEM_H_
