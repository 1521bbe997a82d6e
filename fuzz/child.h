#ifndef ATSFUZZ_FUZZ_CHILD_H_
#define ATSFUZZ_FUZZ_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzz/crash.h"
#include "model/schedule.h"

// Work that may crash, hang or corrupt memory runs in a forked child. The child
// sends lines of text; what it was doing when it died is in memory that both
// share. A child dies with its parent and ignores the terminal's Ctrl-C.
namespace atsfuzz::fuzz {

// The child's side.
class Link {
 public:
  // `line` must hold no newline.
  virtual void Send(absl::string_view line) = 0;
  // Work item `item` begins: a sign of life, and the item to blame from now on.
  virtual void Begin(uint64_t item) = 0;
  // Part `part` of that item begins (an operation's index).
  virtual void Part(uint64_t part) = 0;
  // The item's `par` block has come to this turn, the index-th.
  virtual void Turn(size_t index, const model::Turn& turn) = 0;
  // The work item is done: `operations` of it ran, `effective` changed state.
  virtual void Done(uint64_t operations, uint64_t effective) = 0;
  // The parent wants no further item to begin.
  virtual bool Stopped() const = 0;

 protected:
  ~Link() = default;
};

class Child {
 public:
  using Body = std::function<void(Link&)>;

  enum class Signals {
    kRecord,  // fatal signals leave their stack (plain and instrumented builds)
    kLeave,   // a sanitizer handles them and writes its report to stderr
  };

  static std::unique_ptr<Child> Fork(Signals signals, const Body& body);
  // Kills the child if it still runs.
  ~Child();

  // For poll: readable when Receive has something to say.
  int fd() const { return fd_; }
  // Appends the complete lines that have arrived, without waiting. False once
  // the child has ended.
  bool Receive(std::vector<std::string>* lines);
  // Receives until the child ends, or kills it when an item takes longer than
  // `item_timeout_ms`.
  std::vector<std::string> ReceiveAll(int item_timeout_ms);
  // Kills the child if its item has taken longer than that.
  void Watch(int item_timeout_ms);
  void Stop();

  // After the end: true if the body returned.
  bool finished() const { return finished_; }
  // After the end, if not finished.
  const Death& death() const { return death_; }

  uint64_t item() const;
  uint64_t part() const;
  // The turns of that item, so far.
  model::Schedule schedule() const;
  // Items done, and the sums of what Done was told.
  uint64_t done() const;
  uint64_t operations() const;
  uint64_t effective() const;

 private:
  struct Page;
  class ChildLink;

  Child() = default;
  void Reap();

  pid_t pid_ = -1;
  int fd_ = -1;
  int report_fd_ = -1;
  Page* page_ = nullptr;
  std::string pending_;
  bool killed_ = false, finished_ = false;
  uint64_t watched_beat_ = 0;
  int64_t watched_since_ms_ = 0;
  Death death_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_CHILD_H_
