#ifndef ATSFUZZ_FUZZ_PROGRAM_H_
#define ATSFUZZ_FUZZ_PROGRAM_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Other programs: one that answers line for line, and one whose output is read
// to its end. argv[0] is looked up in PATH; its stderr is discarded.
namespace atsfuzz::fuzz {

class LineProgram {
 public:
  // Unavailable if it cannot be started.
  static absl::StatusOr<LineProgram> Start(
      const std::vector<std::string>& argv);
  LineProgram(LineProgram&& other) noexcept;
  LineProgram& operator=(LineProgram&&) = delete;
  // Closes its input and waits for it.
  ~LineProgram();

  // `line` must hold no newline. Unavailable if the program is gone.
  absl::Status Send(absl::string_view line);
  absl::StatusOr<std::string> Receive();

 private:
  LineProgram() = default;

  pid_t pid_ = -1;
  int input_ = -1, output_ = -1;
  std::string pending_;
};

// What `argv` prints. Unavailable if it does not run or fails.
absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& argv);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_PROGRAM_H_
