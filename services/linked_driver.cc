#include "fuzz/target.h"
#include "linux/module.h"
#include "linux/module_system.h"
#include "services/known_beside.h"

// The driver of a fuzz target is the one that was linked into it
// (BuildForLinking in linux/build.h). A service sets no variables: whatever may
// go wrong goes wrong, side by side.

extern "C" const struct atsfuzz_module atsfuzz_module;

namespace atsfuzz::fuzz {

TargetSetup SetUpTarget(int*, char***) {
  TargetSetup setup;
  setup.system = linux_driver::MakeModuleSystem(::atsfuzz_module, "linux",
                                                nullptr, nullptr);
  setup.faults = "all";
  setup.threads = 3;
  setup.known = services::KnownBesideProgram();
  return setup;
}

}  // namespace atsfuzz::fuzz
