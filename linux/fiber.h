#ifndef ATSFUZZ_LINUX_FIBER_H_
#define ATSFUZZ_LINUX_FIBER_H_

#include <cstddef>
#include <functional>

namespace atsfuzz::linux_driver {

// A stack of its own, on which a job runs in turns with whoever resumes it.
// Boost.Context switches; the address sanitizer is told, where there is one.
//
//   Fiber fiber;
//   fiber.Start([&] { ...; fiber.Leave(); ...; });
//   fiber.Resume();  // until Leave
//   fiber.Resume();  // to the end
//
// Not thread-safe. A fiber may be destroyed or started anew in the middle of a
// job: what the job holds is not given back.
class Fiber {
 public:
  static constexpr size_t kStackBytes = 512 << 10;

  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next Resume begins `job`; one that was under way is given up.
  void Start(std::function<void()> job);
  // Runs the job until it leaves or ends. REQUIRES: there is one, and it has
  // not ended.
  void Resume();
  // On the fiber's stack: returns to who resumed it, until the next Resume.
  void Leave();
  // There is a job, and it has not ended.
  bool active() const { return active_; }

 private:
  struct Switch;

  std::function<void()> job_;
  bool active_ = false;
  char* memory_;             // with a page in front that must not be touched
  void* inside_ = nullptr;   // the context of the fiber while it is left
  void* outside_ = nullptr;  // of who resumed it
  // The sanitizer's: of the stack that is left, and where the other one lies.
  void* fake_stack_ = nullptr;
  const void* outside_bottom_ = nullptr;
  size_t outside_bytes_ = 0;
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_FIBER_H_
