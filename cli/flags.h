#ifndef ATSFUZZ_CLI_FLAGS_H_
#define ATSFUZZ_CLI_FLAGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace atsfuzz::cli {

// The flags of one command: `--name=value`, `--name value`, `--name`. A layer
// over getopt_long that knows types, repeats, help and near misses, and that
// accepts no abbreviations, because scripts would break when a flag is added.
class Flags {
 public:
  // `usage` is the line behind "atsfuzz "; `about` says what the command does;
  // `examples` are whole command lines with a comment each.
  Flags(std::string usage, std::string about, std::string examples);

  void Add(const char* name, const char* value_name, const char* help,
           std::string* value);
  void Add(const char* name, const char* value_name, const char* help,
           std::vector<std::string>* values);
  void Add(const char* name, const char* help, bool* value);
  void Add(const char* name, const char* value_name, const char* help,
           std::optional<uint64_t>* value);
  void Add(const char* name, const char* value_name, const char* help,
           uint64_t* value);

  // Sets the values and returns the arguments that are no flags.
  // InvalidArgument with what is wrong and the nearest flag.
  absl::StatusOr<std::vector<std::string>> Parse(
      const std::vector<std::string>& arguments);
  // After Parse: --help or -h was among the flags; print Help and end.
  bool help_wanted() const { return help_wanted_; }
  std::string Help() const;

 private:
  struct Flag {
    std::string name, value_name, help;  // no value name: takes no value
    std::function<absl::Status(const std::string&)> set;
  };

  absl::Status CheckSpelling(const std::vector<std::string>& arguments) const;

  std::string usage_, about_, examples_;
  std::vector<Flag> flags_;
  bool help_wanted_ = false;
};

// Whole numbers without sign. InvalidArgument "--seed=x: ...".
absl::StatusOr<uint64_t> ParseNumber(absl::string_view flag,
                                     absl::string_view text);

// The candidate nearest to `word` by edit distance; "" if none is near.
std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& candidates);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_FLAGS_H_
