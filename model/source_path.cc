#include "model/source_path.h"

namespace atsfuzz::model {

std::string PathInTree(absl::string_view file) {
  // The innermost: a tree may itself lie in a folder of such a name.
  size_t innermost = absl::string_view::npos;
  for (const absl::string_view folder : {"/drivers/", "/include/", "/lib/"}) {
    const size_t at = file.rfind(folder);
    if (at == absl::string_view::npos) continue;
    if (innermost == absl::string_view::npos || at > innermost) innermost = at;
  }
  if (innermost == absl::string_view::npos) return "";
  return std::string(file.substr(innermost + 1));
}

}  // namespace atsfuzz::model
