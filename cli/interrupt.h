#ifndef ATSFUZZ_CLI_INTERRUPT_H_
#define ATSFUZZ_CLI_INTERRUPT_H_

namespace atsfuzz::cli {

// From now on the first Ctrl-C (SIGINT or SIGTERM) is only remembered, so that
// what was found can be kept; the second ends the program at once.
void CatchInterrupts();
bool Interrupted();

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_INTERRUPT_H_
