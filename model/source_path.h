#ifndef ATSFUZZ_MODEL_SOURCE_PATH_H_
#define ATSFUZZ_MODEL_SOURCE_PATH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace atsfuzz::model {

// The path of a source file within its kernel tree, whatever folder the tree
// is in: "/home/me/linux/drivers/pci/ats.c" gives "drivers/pci/ats.c". Empty
// for a file that is in none of a tree's folders which a build reads (drivers,
// include, lib).
std::string PathInTree(absl::string_view file);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_SOURCE_PATH_H_
