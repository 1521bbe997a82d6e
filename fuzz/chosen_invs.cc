#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "fuzz/invs_driver.h"
#include "linux/build.h"
#include "linux/kunit.h"
#include "linux/tree.h"

// The arrays of atsfuzz-libfuzzer-invs, of the kernel that it is told:
//
//   [ATSFUZZ_KERNEL=7.2|PATH] atsfuzz-libfuzzer-invs [libFuzzer's options]
//   CORPUS
namespace atsfuzz::fuzz {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "atsfuzz-libfuzzer-invs: %s\n", message.c_str());
  std::exit(3);
}

}  // namespace

const atsfuzz_invs& TheInvs() {
  const char* kernel = std::getenv("ATSFUZZ_KERNEL");
  auto say = [](const std::string& line) {
    std::fprintf(stderr, "atsfuzz-libfuzzer-invs: %s\n", line.c_str());
  };
  const auto tree =
      linux_driver::ObtainTree(kernel == nullptr ? "7.2" : kernel, {}, say);
  if (!tree.ok()) Die(std::string(tree.status().message()));
  const auto path =
      linux_driver::BuildSuite(*tree, linux_driver::BuildKind::kSanitized, say);
  if (!path.ok()) Die(std::string(path.status().message()));
  auto suite = linux_driver::Suite::Load(*path);
  if (!suite.ok()) Die(std::string(suite.status().message()));
  // Loaded as long as the process lives.
  static const linux_driver::Suite* const loaded = suite->release();
  const auto* invs =
      static_cast<const atsfuzz_invs*>(loaded->Symbol(ATSFUZZ_INVS_SYMBOL));
  if (invs == nullptr) Die(tree->name + " has no invalidation arrays");
  return *invs;
}

}  // namespace atsfuzz::fuzz
