#include <cstdlib>
#include <string>

#include "fuzz/target.h"
#include "model/machine/system.h"
#include "services/known_beside.h"

// The abstract machine in the place of a driver (services/linked_driver.cc):
// the newest design that kernels have, or ATSFUZZ_MODEL.

namespace atsfuzz::fuzz {

TargetSetup SetUpTarget(int*, char***) {
  const char* text = std::getenv("ATSFUZZ_MODEL");
  const auto design = machine::ParseDesign(text == nullptr ? "7.3" : text);
  if (!design.ok()) {
    Die("ATSFUZZ_MODEL: " + std::string(design.status().message()));
  }
  TargetSetup setup;
  setup.system =
      machine::MakeSystem(*design, "model:" + machine::DesignName(*design));
  setup.faults = "all";
  setup.threads = 3;
  setup.known = services::KnownBesideProgram();
  return setup;
}

}  // namespace atsfuzz::fuzz
