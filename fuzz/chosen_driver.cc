#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "fuzz/target.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/machine/system.h"

// The driver of atsfuzz-libfuzzer, chosen when it starts:
//
//   [ATSFUZZ_KERNEL=6.12|PATH] [ATSFUZZ_PATCHES=FILE:...]
//   [ATSFUZZ_MODULE=<module>] [ATSFUZZ_MODEL=<design>]
//
// ATSFUZZ_MODULE names a sanitized driver module; without it one is built of
// ATSFUZZ_KERNEL (6.12 if unset) with ATSFUZZ_PATCHES. ATSFUZZ_MODEL
// (6.12; 7.2,vf-stu-check=off) takes the abstract machine instead of a module.
namespace atsfuzz::fuzz {
namespace {

std::string ModulePath() {
  if (const char* module = std::getenv("ATSFUZZ_MODULE")) return module;
  const char* kernel = std::getenv("ATSFUZZ_KERNEL");
  auto say = [](const std::string& line) {
    std::fprintf(stderr, "atsfuzz-libfuzzer: %s\n", line.c_str());
  };
  std::vector<std::string> patches;
  if (const char* list = std::getenv("ATSFUZZ_PATCHES")) {
    patches = absl::StrSplit(list, ':', absl::SkipEmpty());
  }
  const auto tree = linux_driver::ObtainTree(
      kernel == nullptr ? "6.12" : kernel, patches, say);
  if (!tree.ok()) Die(std::string(tree.status().message()));
  const auto built = linux_driver::BuildModule(
      *tree, linux_driver::BuildKind::kSanitized, say);
  if (!built.ok()) Die(std::string(built.status().message()));
  return *built;
}

std::unique_ptr<model::System> MakeTheSystem() {
  if (const char* text = std::getenv("ATSFUZZ_MODEL")) {
    const auto design = machine::ParseDesign(text);
    if (!design.ok()) {
      Die("ATSFUZZ_MODEL: " + std::string(design.status().message()));
    }
    return machine::MakeSystem(*design,
                               "model:" + machine::DesignName(*design));
  }
  auto system = linux_driver::LoadModule(ModulePath(), "linux");
  if (!system.ok()) Die(system.status().ToString());
  return *std::move(system);
}

// Turns the entropic schedule off, unless the command line speaks of it: every
// run of a driver touches thousands of features, and counting their frequencies
// takes three quarters of the time.
void ScheduleByLength(int* argc, char*** argv) {
  static auto* const arguments = new std::vector<char*>(*argv, *argv + *argc);
  for (const char* argument : *arguments) {
    if (std::strncmp(argument, "-entropic=", 10) == 0) return;
  }
  static char off[] = "-entropic=0";
  arguments->insert(arguments->begin() + 1, off);
  arguments->push_back(nullptr);
  *argv = arguments->data();
  *argc = static_cast<int>(arguments->size()) - 1;
}

}  // namespace

TargetSetup SetUpTarget(int* argc, char*** argv) {
  ScheduleByLength(argc, argv);
  TargetSetup setup;
  setup.system = MakeTheSystem();
  return setup;
}

}  // namespace atsfuzz::fuzz
