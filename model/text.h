#ifndef ATSFUZZ_MODEL_TEXT_H_
#define ATSFUZZ_MODEL_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/scenario.h"

// The scenario language as text: one item a line, `#` comments.
//
//   smmu   s0  granules=4K,64K stages=1,2
//   pf     p0  smmu=s0 ats streams=0x100,0x101 default=identity eager
//   vf     v1  of=p0 smmu=s0 ats
//   domain d0  smmu=s0 stage=1
//
//   probe  v1
//   attach v1 d0  !alloc#3 !alloc:attachment !enable-ats !config-write#2
//   expect violation belief-matches-device on linux:6.12
//
// Defaults are not printed; print(parse(t)) is the canonical form of t, and
// parse(print(s)) == s for every valid scenario.
namespace atsfuzz::model {

// Parses scenario text. `file` is only used in messages. Names must be declared
// before they are used and are canonicalised by order of declaration (the first
// function is p0/v0/f0 whatever the text calls it: the letter by kind, the
// number by index). Errors are InvalidArgument with the message
// "file:line:column: found X, expected Y; <what to do>". Only the language is
// judged here, not whether the kernel could do it (model/contract.h).
absl::StatusOr<Scenario> Parse(absl::string_view text, absl::string_view file);

// The canonical text, ending in a newline.
std::string Print(const Scenario& scenario);

// Reads and parses a file. NotFound or PermissionDenied with the path if it
// cannot be read.
absl::StatusOr<Scenario> ReadScenario(const std::string& path);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_TEXT_H_
