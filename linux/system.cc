#include "linux/system.h"

#include <dlfcn.h>
#include <link.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "linux/module.h"
#include "linux/module_system.h"
#include "linux/symbols.h"

namespace atsfuzz::linux_driver {

absl::StatusOr<std::unique_ptr<model::System>> LoadModule(
    const std::string& path, const std::string& name) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot load ", path, ": ", dlerror()));
  }
  std::shared_ptr<void> library(handle, dlclose);
  const auto* module =
      static_cast<const atsfuzz_module*>(dlsym(handle, ATSFUZZ_MODULE_SYMBOL));
  if (module == nullptr || module->abi != ATSFUZZ_MODULE_ABI) {
    return absl::FailedPreconditionError(absl::StrCat(
        path,
        " was built from other sources than this program: rebuild the program "
        "(./atsfuzz does), or, if it is new, remove that file and run again"));
  }
  std::unique_ptr<Symbols> symbols;
  struct link_map* map = nullptr;
  if (module->instrumented != 0 && dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) {
    absl::StatusOr<std::unique_ptr<Symbols>> opened =
        Symbols::Open(path, map->l_addr);
    if (!opened.ok()) return opened.status();
    symbols = *std::move(opened);
  }
  return MakeModuleSystem(*module, name, std::move(symbols),
                          std::move(library));
}

}  // namespace atsfuzz::linux_driver
