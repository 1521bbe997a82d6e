#ifndef ATSFUZZ_LINUX_RECIPE_H_
#define ATSFUZZ_LINUX_RECIPE_H_

#include <string>
#include <vector>

#include "linux/build.h"
#include "linux/subprocess.h"

// How a module is made: which files are compiled, with which flags.
//
// *Kernel units* are the tree's own sources and the glue that includes them:
// no libc header, the kernel's dialect, edge counters. *Runtime units* are what
// stands around them (allocator, clock, emulated hardware): ordinary C.
namespace atsfuzz::linux_driver {

// The folders of a build.
struct BuildPlaces {
  std::string tree;       // the kernel tree
  std::string sources;    // this project's checkout
  std::string work;       // where objects and the module are written
  std::string overlay;    // the headers (linux/overlay.h), below `work`
  std::string resources;  // the compiler's own folder (-print-resource-dir)
  std::vector<std::string> features;  // flags of linux/features.h
  bool suite = false;  // with the kernel's own tests (linux/kunit.h)
  std::string cases;   // with `work`/cases.c, of this text, instead of these
  // BuildKind::kLinked: the program's compiler, and its flags.
  std::string compiler = "clang";
  std::vector<std::string> flags;
  std::string home;  // where `work` will be when it is done, for debug info
};

// The runtime units: every .c below linux/kernel and linux/emulated that is not
// a kernel unit. Ordered.
std::vector<std::string> RuntimeUnits(const std::string& sources);

std::vector<Command> CompileCommands(const BuildPlaces& places, BuildKind kind);

// To be run after all of these; writes `work`/module.so.
Command LinkCommand(const BuildPlaces& places, BuildKind kind);

// What the linker's command of a program needs to take in these objects.
std::vector<std::string> LinkArguments(const BuildPlaces& places);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_RECIPE_H_
