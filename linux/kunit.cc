#include "linux/kunit.h"

#include <dlfcn.h>

#include <algorithm>
#include <cassert>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::linux_driver {

Suite::Suite(void* library, const atsfuzz_kunit* table)
    : library_(library), table_(table) {
  for (uint32_t i = 0; table->name(i) != nullptr; ++i) {
    names_.emplace_back(table->name(i));
  }
}

Suite::~Suite() { dlclose(library_); }

absl::StatusOr<std::unique_ptr<Suite>> Suite::Load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot load the kernel's tests: ", dlerror()));
  }
  auto* table =
      static_cast<const atsfuzz_kunit*>(dlsym(library, ATSFUZZ_KUNIT_SYMBOL));
  if (table == nullptr || table->abi != ATSFUZZ_KUNIT_ABI) {
    dlclose(library);
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was built for another version of atsfuzz"));
  }
  return absl::WrapUnique(new Suite(library, table));
}

SuiteCase Suite::Run(const std::string& name) const {
  auto at = std::find(names_.begin(), names_.end(), name);
  assert(at != names_.end());
  atsfuzz_kunit_result result = {};
  table_->run(static_cast<uint32_t>(at - names_.begin()), &result);
  SuiteCase out;
  out.name = name;
  out.passed = result.passed != 0;
  out.failure = result.failure;
  out.warnings = static_cast<int>(result.warnings);
  out.leaked = static_cast<int>(result.leaked);
  return out;
}

const void* Suite::Symbol(const char* name) const {
  return dlsym(library_, name);
}

}  // namespace atsfuzz::linux_driver
