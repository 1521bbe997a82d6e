#ifndef ATSFUZZ_LINUX_OVERLAY_H_
#define ATSFUZZ_LINUX_OVERLAY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "linux/source_files.h"

// The folder that stands in for a kernel's include/: links to the real headers
// of the tree, and an empty file for every other header that a source names.
// So a new kernel's new include costs nothing, and something that is really
// missing shows as an undeclared identifier.
namespace atsfuzz::linux_driver {

// The names in the `#include <...>` lines of a source.
std::vector<std::string> IncludedNames(absl::string_view source);

// Fills the empty folder `overlay` for the build inputs `files` of the tree at
// `tree`. Names without a folder ("stdarg.h") are the compiler's.
absl::Status WriteOverlay(const std::vector<SourceFile>& files,
                          const std::string& tree, const std::string& overlay);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_OVERLAY_H_
