#include "linux/fiber.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <cassert>
#include <cstdlib>
#include <utility>

// Of the sanitizer's runtime, in programs that have it.
extern "C" {
__attribute__((weak)) void __sanitizer_start_switch_fiber(void** fake_stack,
                                                          const void* bottom,
                                                          size_t bytes);
__attribute__((weak)) void __sanitizer_finish_switch_fiber(void* fake_stack,
                                                           const void** bottom,
                                                           size_t* bytes);
}

namespace atsfuzz::linux_driver {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

constexpr size_t kGuardBytes = 4096;

void StartSwitch(void** fake_stack, const void* bottom, size_t bytes) {
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(fake_stack, bottom, bytes);
  }
}

void FinishSwitch(void* fake_stack, const void** bottom, size_t* bytes) {
  if (__sanitizer_finish_switch_fiber != nullptr) {
    __sanitizer_finish_switch_fiber(fake_stack, bottom, bytes);
  }
}

}  // namespace

// What runs first on a fiber's stack.
struct Fiber::Switch {
  static void Enter(transfer_t transfer) {
    Fiber* self = static_cast<Fiber*>(transfer.data);
    self->outside_ = transfer.fctx;
    FinishSwitch(nullptr, &self->outside_bottom_, &self->outside_bytes_);
    for (;;) {
      self->job_();
      self->active_ = false;
      self->Leave();
    }
  }
};

Fiber::Fiber() {
  void* got = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED || mprotect(got, kGuardBytes, PROT_NONE) != 0) abort();
  memory_ = static_cast<char*>(got);
}

Fiber::~Fiber() { munmap(memory_, kGuardBytes + kStackBytes); }

void Fiber::Start(std::function<void()> job) {
  job_ = std::move(job);
  // Between two jobs the fiber waits in its loop, unless one was given up.
  if (active_ || inside_ == nullptr) {
    char* stack = memory_ + kGuardBytes;
    ASAN_UNPOISON_MEMORY_REGION(stack, kStackBytes);
    inside_ = make_fcontext(stack + kStackBytes, kStackBytes, Switch::Enter);
  }
  active_ = true;
}

void Fiber::Resume() {
  assert(active_);
  void* fake_stack = nullptr;
  StartSwitch(&fake_stack, memory_ + kGuardBytes, kStackBytes);
  inside_ = jump_fcontext(inside_, this).fctx;
  FinishSwitch(fake_stack, nullptr, nullptr);
}

void Fiber::Leave() {
  StartSwitch(&fake_stack_, outside_bottom_, outside_bytes_);
  outside_ = jump_fcontext(outside_, nullptr).fctx;
  FinishSwitch(fake_stack_, &outside_bottom_, &outside_bytes_);
}

}  // namespace atsfuzz::linux_driver
