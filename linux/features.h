#ifndef ATSFUZZ_LINUX_FEATURES_H_
#define ATSFUZZ_LINUX_FEATURES_H_

#include <string>
#include <vector>

#include "linux/source_files.h"

// What a kernel tree has, found in its sources and never concluded from a
// version number: distributions backport, and developers' trees are of any
// version.
namespace atsfuzz::linux_driver {

// Preprocessor flags for the kernel units, "-DATSFUZZ_HAS_PASIDS" and so on,
// one for each feature whose text stands in the file that would hold it. Always
// in the same order.
std::vector<std::string> FeatureFlags(const std::vector<SourceFile>& files);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_FEATURES_H_
