#ifndef ATSFUZZ_CLI_DRIVER_H_
#define ATSFUZZ_CLI_DRIVER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/flags.h"
#include "fuzz/known.h"
#include "fuzz/round.h"

// From `--driver` and `--patch` to systems that can be run.
namespace atsfuzz::cli {

struct DriverFlags {
  std::string driver = "linux:6.12";
  std::vector<std::string> patches;

  // Adds --driver and --patch.
  void AddTo(Flags* flags);
  // " --driver=... --patch=...", as far as they differ from the defaults.
  std::string CommandLine() const;
};

struct Driver {
  std::string name;     // "linux:6.12"
  std::string version;  // "6.12.117"
  // Paths of modules.
  std::string plain, instrumented, sanitized;
  // The sanitized program; empty if there is none.
  std::string sanitized_program;

  fuzz::LoadSystem Plain() const;
  fuzz::LoadSystem Instrumented() const;
  // The command line of the sanitized program; empty if there is none.
  std::vector<std::string> SanitizedCommand() const;
};

// Obtains, patches and compiles the tree; what takes long is told on stderr.
// `plain`: whether the plain build is needed too. InvalidArgument for what the
// user can correct, Unavailable for what this machine lacks.
absl::StatusOr<Driver> ObtainDriver(const DriverFlags& flags, bool plain);

// The findings understood on this driver: corpus/known/linux-<version>.txt by
// the first two numbers of the version, so that a developer's tree has them
// too.
absl::StatusOr<fuzz::Known> KnownFor(const Driver& driver);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_DRIVER_H_
