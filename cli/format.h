#ifndef ATSFUZZ_CLI_FORMAT_H_
#define ATSFUZZ_CLI_FORMAT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/flags.h"

// In which form a command tells its result, and where: --format, --output and
// --json, the same for every command that has them.
namespace atsfuzz::cli {

enum class Format : uint8_t {
  kText,
  kJson,  // the same as --json
  kKtap,
  kJunit,
  kSarif,
  kMermaid,
  kTraceEvent,
};
// "text", "trace-event".
absl::string_view FormatName(Format format);

class FormatFlags {
 public:
  // Adds the flags; `offered`: the formats that the command writes.
  void AddTo(Flags* flags, const std::vector<Format>& offered);

  // After Flags::Parse. InvalidArgument if the flags name no format that the
  // command writes, or two; PermissionDenied if the file's folder, which is
  // made if it is missing, cannot be written into.
  absl::Status Check() const;

  // REQUIRES: Check() is OK.
  Format format() const;
  // Whether people read standard output: the command tells its text there,
  // whatever goes into a file.
  bool tells_text() const {
    return format() == Format::kText || !output_.empty();
  }
  // Puts the result, in the chosen format, into the file, whole or not at all,
  // or on standard output, unless that has the text already.
  absl::Status Put(absl::string_view result) const;

 private:
  std::vector<Format> offered_;
  std::string name_, output_;
  bool json_ = false;
};

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_FORMAT_H_
