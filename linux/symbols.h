#ifndef ATSFUZZ_LINUX_SYMBOLS_H_
#define ATSFUZZ_LINUX_SYMBOLS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "linux/places.h"
#include "model/system.h"

struct Dwfl;
struct Dwfl_Module;

namespace atsfuzz::linux_driver {

// The places of a loaded module, from its debug information (elfutils). Lookups
// are cached.
class Symbols final : public Places {
 public:
  // `base`: where the loader put the module (the difference between run time
  // and link time addresses).
  static absl::StatusOr<std::unique_ptr<Symbols>> Open(const std::string& path,
                                                       uint64_t base);
  ~Symbols() override;
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  const model::Location& CallBefore(uint64_t return_address) override;
  std::string LineText(const std::string& file, int line) override;

 private:
  Symbols() = default;
  model::Location Look(uint64_t return_address);
  // The source file and line at a link time address of `function`. Null: the
  // debug information knows none.
  const char* LineAt(uint64_t address, absl::string_view function,
                     int* number) const;

  Dwfl* dwfl_ = nullptr;
  Dwfl_Module* module_ = nullptr;
  uint64_t base_ = 0;
  uint64_t bias_ = 0;
  std::map<uint64_t, model::Location> seen_;
  std::map<std::string, std::vector<std::string>> files_;
};

// True for a source file of this project, as debug information names it.
bool IsHarnessFile(const std::string& file);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_SYMBOLS_H_
