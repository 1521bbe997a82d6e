#ifndef ATSFUZZ_LINUX_DEBIAN_H_
#define ATSFUZZ_LINUX_DEBIAN_H_

#include <string>

#include "absl/status/status.h"
#include "linux/tree.h"

namespace atsfuzz::linux_driver {

// Fetches Debian's package of a kernel source with this machine's apt, checks
// it against the SHA256 that apt's (signed) records give, and extracts what a
// build needs into the existing folder `root`. Changes nothing else: the
// machine's package lists are only read. Where they do not know the package or
// are out of date, private ones below `root` are fetched, used and removed: of
// the machine's own suites, then of Debian's later ones from the same archive
// (trixie-backports, sid), signatures checked with Debian's keyring.
// Unavailable: what was tried, with the last lines of whichever program failed.
absl::Status FetchDebianSource(const std::string& package,
                               const std::string& root,
                               const Progress& progress);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_DEBIAN_H_
