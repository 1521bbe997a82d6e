#ifndef ATSFUZZ_LINUX_PATCH_H_
#define ATSFUZZ_LINUX_PATCH_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace atsfuzz::linux_driver {

struct Patch {
  std::string name;  // the file's, for messages
  std::string text;  // what is applied
  // Files that the patch changes and a build does not read; left out of `text`.
  std::vector<std::string> ignored;
};

// Reads a patch (a diff, a mail, an mbox; text around it is fine) and leaves
// out what concerns files that a build does not read: documentation, other
// drivers. Mails in quoted-printable or base64 are decoded by git. NotFound if
// the patch cannot be read; InvalidArgument if it changes no file that a build
// reads; FailedPrecondition if a mail cannot be decoded.
absl::StatusOr<Patch> ReadPatch(const std::string& path);

// Applies with patch -p1 in `root`, offsets allowed. InvalidArgument with
// patch's own lines about what failed; the part that applied stays.
absl::Status ApplyPatch(const Patch& patch, const std::string& root);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_PATCH_H_
