#ifndef ATSFUZZ_REPRODUCE_PROGRAM_H_
#define ATSFUZZ_REPRODUCE_PROGRAM_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "linux/build.h"
#include "model/scenario.h"
#include "reproduce/recorded_run.h"

// A self-contained C program that shows a violation on a driver module, without
// this project's runner and checker: C11, libc, and the module's own header
// (linux/module.h). It loads the module that its argument names, boots the
// machine, makes the calls in the recorded order with their faults, threads in
// the order of the schedule, prints what each call returns, and asks for the
// violation's symptom (reproduce/symptom.h). Its exit status: 1, it shows; 0,
// it does not; 2, it cannot be run.
//
// Where a call returns something else than it did, the program stops: what the
// scenario does next may be no order of calls that the kernel's callers make.
namespace atsfuzz::reproduce {

struct Program {
  // Of what it is made.
  const model::Scenario& scenario;
  const RecordedRun& run;
  // What it looks for; null: the death that ended the run.
  const Shown* shown = nullptr;
  std::string violation;  // for people: invariant, and what it assumes
  std::string driver;     // "linux:6.12 (6.12.117)"
  // Command lines, for the comment: how this program was made, how it is
  // compiled but for its name, and how the module's path is printed.
  std::string made_by, module;
  linux_driver::BuildKind build = linux_driver::BuildKind::kPlain;
  bool data_races = false;
};

// The build of the driver that a scenario needs to be what it is: instrumented
// for weak turns, stops at plain accesses and data races, else plain.
linux_driver::BuildKind BuildFor(const model::Scenario& scenario,
                                 bool data_races);

// The program's text. Fails if the checkout lacks a part of it.
absl::StatusOr<std::string> TextOf(const Program& program);

// The command that compiles `source` to `program`, in any folder, for a module
// of this kind of build; `compiler` is "clang" or "gcc".
std::vector<std::string> CompileCommand(const std::string& compiler,
                                        linux_driver::BuildKind build,
                                        const std::string& source,
                                        const std::string& program);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_PROGRAM_H_
