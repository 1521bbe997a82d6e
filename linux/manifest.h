#ifndef ATSFUZZ_LINUX_MANIFEST_H_
#define ATSFUZZ_LINUX_MANIFEST_H_

#include <string>

#include "absl/status/status.h"

// What a folder of the cache holds, file by file, written when it was filled:
// later runs notice a file that was lost, cut short or edited.
namespace atsfuzz::linux_driver {

// Writes FOLDER/.manifest: size, time of last change and content hash of every
// file below the folder.
absl::Status WriteManifest(const std::string& folder);

// Whether every file is still what the manifest says. Size and time decide; if
// they differ, the content does. False without a whole manifest.
bool MatchesManifest(const std::string& folder);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_MANIFEST_H_
