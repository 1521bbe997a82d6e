#include "bench/driver.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"

namespace atsfuzz::bench {

namespace {

void Say(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
}

template <typename T>
T OrExit(absl::StatusOr<T> value) {
  if (!value.ok()) {
    Say(std::string(value.status().message()));
    std::exit(3);
  }
  return *std::move(value);
}

}  // namespace

model::System& Driver() {
  static const std::unique_ptr<model::System> system = [] {
    const char* spec = std::getenv("ATSFUZZ_BENCH_KERNEL");
    const linux_driver::Tree tree = OrExit(
        linux_driver::ObtainTree(spec == nullptr ? "6.12" : spec, {}, Say));
    return OrExit(linux_driver::LoadModule(
        OrExit(linux_driver::BuildModule(tree, linux_driver::BuildKind::kPlain,
                                         Say)),
        tree.name));
  }();
  return *system;
}

}  // namespace atsfuzz::bench
