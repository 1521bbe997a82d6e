#ifndef ATSFUZZ_REPRODUCE_SYMPTOM_H_
#define ATSFUZZ_REPRODUCE_SYMPTOM_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "properties/step.h"
#include "properties/violation.h"

// How a C program tells by itself whether a violation shows: the facts that the
// checker found wrong, asked of a driver module's observation and events.
//
// Asked is the violated rule for what the violation is about (this function's
// belief, that domain's counter), not the very values that were found, wherever
// the rule is a matter of a few lines. Where it is not (which invalidations an
// unmap needs, when an entry may be stored to), the program looks for the very
// commands or stores that broke it.
namespace atsfuzz::reproduce {

struct Symptom {
  // Calls that have been made when it is asked for; all of them and the end of
  // the machine, if `at_shutdown`.
  size_t calls = 0;
  bool at_shutdown = false;
  // C: what `static int shows(void)` does, and the parts of the program that it
  // needs (files of reproduce/program, without ".c"), in order.
  std::string check;
  std::vector<std::string> parts;
  // In which way the program knows less than the checker; empty: in none.
  std::string weaker;
};

// A violation in the step that has just shown it.
struct Sight {
  const properties::Violation& violation;
  const properties::StepView& step;
  // Of an event in a `par` block: which of the program's calls had returned
  // when it happened.
  std::span<const unsigned> returned;
};

// The symptom; `calls` and `at_shutdown` are left to the caller.
Symptom SymptomOf(const Sight& sight);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_SYMPTOM_H_
