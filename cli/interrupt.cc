#include "cli/interrupt.h"

#include <signal.h>

namespace atsfuzz::cli {
namespace {

volatile sig_atomic_t interrupted = 0;

void OnSignal(int) {
  interrupted = 1;
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace atsfuzz::cli
