#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "linux/build.h"
#include "linux/features.h"
#include "linux/source_files.h"
#include "linux/tree.h"

// Compiles the driver of a kernel for the fuzz targets that it is linked into:
//
//   atsfuzz-driver-objects KERNEL FOLDER COMPILER [FLAG...]
//
// KERNEL is a version that is known, or the path of a tree; COMPILER and FLAGs
// are the targets' own. Fills FOLDER/driver, and FOLDER/suite with the kernel's
// own tests if it has invalidation arrays; each has a link.rsp
// (BuildForLinking). Exit status 2: bad usage, 3: it cannot be done.
namespace atsfuzz::services {
namespace {

void Say(const std::string& line) {
  std::fprintf(stderr, "atsfuzz-driver-objects: %s\n", line.c_str());
}

bool HasArrays(const linux_driver::Tree& tree) {
  const auto files = linux_driver::ReadSourceFiles(tree.path);
  if (!files.ok()) return false;
  const std::vector<std::string> flags = linux_driver::FeatureFlags(*files);
  return std::count(flags.begin(), flags.end(), "-DATSFUZZ_HAS_ARRAYS") != 0;
}

absl::Status Compile(const std::string& kernel, const std::string& folder,
                     const linux_driver::Toolchain& toolchain) {
  const auto tree = linux_driver::ObtainTree(kernel, {}, Say);
  if (!tree.ok()) return tree.status();
  const absl::Status compiled = linux_driver::BuildForLinking(
      *tree, false, toolchain, folder + "/driver", Say);
  if (!compiled.ok() || !HasArrays(*tree)) return compiled;
  return linux_driver::BuildForLinking(*tree, true, toolchain,
                                       folder + "/suite", Say);
}

}  // namespace
}  // namespace atsfuzz::services

int main(int argc, char** argv) {
  if (argc < 4 || argv[2][0] != '/') {
    std::fprintf(stderr,
                 "atsfuzz-driver-objects: expected KERNEL /FOLDER COMPILER "
                 "[FLAG...]\n");
    return 2;
  }
  const absl::Status status = atsfuzz::services::Compile(
      argv[1], argv[2], {argv[3], {argv + 4, argv + argc}});
  if (status.ok()) return 0;
  atsfuzz::services::Say(std::string(status.message()));
  return 3;
}
