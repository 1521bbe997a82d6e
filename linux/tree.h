#ifndef ATSFUZZ_LINUX_TREE_H_
#define ATSFUZZ_LINUX_TREE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

// Kernel source trees: obtained, verified, cached outside the checkout, patched
// on a copy. Safe under concurrent runs: a tree appears whole (built beside,
// then renamed) or not at all, and one process builds while others wait.
namespace atsfuzz::linux_driver {

// One line of progress for people ("fetching linux-source-6.12 (150 MB)").
using Progress = std::function<void(const std::string&)>;

// $ATSFUZZ_CACHE, else $XDG_CACHE_HOME/atsfuzz, else ~/.cache/atsfuzz.
std::string CacheFolder();

struct Tree {
  std::string name;     // "linux:6.12"
  std::string version;  // "6.12.117", from the Makefile
  std::string path;     // folder with drivers/, include/, lib/
  // Content hash of every file that a build may read, patches applied.
  std::string hash;
};

// `spec` is what follows "linux:": a version that Debian packages ("6.12"), or
// a path to a kernel tree. `patches` are applied in order with patch -p1, on a
// copy. Errors, each with what to do about it:
//  - NotFound: no such version known / path does not exist;
//  - FailedPrecondition: not a kernel tree, or it lacks the driver (which
//  file);
//  - InvalidArgument: a patch does not apply (which hunk of which file);
//  - Unavailable: the package cannot be fetched (apt's own last lines).
absl::StatusOr<Tree> ObtainTree(const std::string& spec,
                                const std::vector<std::string>& patches,
                                const Progress& progress);

// What ObtainTree knows, for `atsfuzz drivers`: version, package, and whether
// its source is cached or can be fetched from the configured suites.
struct KnownVersion {
  std::string version, package;
  bool cached = false;
};
std::vector<KnownVersion> KnownVersions();

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_TREE_H_
