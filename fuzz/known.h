#ifndef ATSFUZZ_FUZZ_KNOWN_H_
#define ATSFUZZ_FUZZ_KNOWN_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Findings that are understood: a file of lines `signature  one-line reason`,
// with `#` comments. Fuzzing counts them and goes on.
namespace atsfuzz::fuzz {

class Known {
 public:
  // InvalidArgument "file:line: ..." if a line has no reason or repeats a
  // signature.
  static absl::StatusOr<Known> Parse(absl::string_view text,
                                     absl::string_view file);
  // A file that does not exist knows nothing.
  static absl::StatusOr<Known> Read(const std::string& path);

  // Knows what `more` knows too; what both know keeps this one's reason.
  void Add(const Known& more);

  std::optional<std::string> ReasonFor(const std::string& signature) const;
  size_t size() const { return reasons_.size(); }

 private:
  std::map<std::string, std::string> reasons_;
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_KNOWN_H_
