#ifndef ATSFUZZ_LINUX_SOURCE_FILES_H_
#define ATSFUZZ_LINUX_SOURCE_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The files of a kernel tree that a build may read: few enough to be read and
// hashed at every start, and nothing else is shown to the compiler.
namespace atsfuzz::linux_driver {

// The headers that the kernel-side sources take from the tree as they are, as
// paths below include/. Every other header is a stub or empty: see build.h.
// A tree need not have all of them.
const std::vector<std::string>& RealHeaders();

// Whether a build may read this file: the Makefile, sources and headers below
// drivers/iommu and in drivers/pci, lib/rbtree.c, the real headers.
bool IsBuildInput(absl::string_view path);

struct SourceFile {
  std::string path;  // relative to the tree
  std::string bytes;
};

// The build inputs of the tree at `root`, ordered by path. FailedPrecondition
// if `root` is not a kernel tree, or lacks a file that every build needs.
absl::StatusOr<std::vector<SourceFile>> ReadSourceFiles(
    const std::string& root);

absl::Status WriteSourceFiles(const std::vector<SourceFile>& files,
                              const std::string& root);

std::string HashOf(const std::vector<SourceFile>& files);

// "6.12.117", "7.2.0-rc3": from the kernel's top Makefile. Empty if it is none.
std::string KernelVersion(absl::string_view makefile);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_SOURCE_FILES_H_
