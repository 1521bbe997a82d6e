#ifndef ATSFUZZ_CLI_DRIVER_H_
#define ATSFUZZ_CLI_DRIVER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/flags.h"
#include "fuzz/known.h"
#include "fuzz/round.h"
#include "linux/build.h"
#include "linux/tree.h"
#include "model/capabilities.h"
#include "model/machine/design.h"

// From `--driver` and `--patch` to systems that can be run.
namespace atsfuzz::cli {

struct DriverFlags {
  std::string driver = "linux:6.12";
  std::vector<std::string> patches;
  bool data_races = false;
  // What is drawn may have weak turns; the instrumented build alone has them.
  bool weak_memory = false;
  // What is drawn may stop at plain accesses; the same.
  bool plain_stops = false;
  // What is touched between two steps is to be known: the instrumented build
  // takes the plain one's place.
  bool footprints = false;

  // Adds --driver, --patch and --data-races.
  void AddTo(Flags* flags);
  // " --driver=... --patch=... --data-races", as far as they differ from the
  // defaults.
  std::string CommandLine() const;
};

struct Driver {
  std::string name;     // "linux:6.12", "model:7.2,vf-stu-check=off"
  std::string version;  // "6.12.117"; of a model its design
  model::Capabilities capabilities;
  // The abstract machine; it has none of what follows.
  std::optional<machine::Design> design;
  // Data races are violations; the instrumented build alone sees them.
  bool data_races = false;
  // Paths of modules.
  std::string plain, instrumented, sanitized;
  // The sanitized program; empty if there is none.
  std::string sanitized_program;

  fuzz::LoadSystem Plain() const;
  fuzz::LoadSystem Instrumented() const;
  // The command line of the sanitized program; empty if there is none.
  std::vector<std::string> SanitizedCommand() const;
};

// OK if `flags` name a driver in words that are understood and its patches are
// there; InvalidArgument otherwise. Nothing is obtained.
absl::Status CheckDriver(const DriverFlags& flags);

// Which builds of a kernel tree are needed beside the instrumented one.
struct Builds {
  bool plain = false;
  bool sanitized = true;  // if there is a sanitized program
};

// Obtains, patches and compiles the tree (a model needs none of it); what takes
// long is told on stderr. InvalidArgument for what the user can correct,
// Unavailable for what this machine lacks.
absl::StatusOr<Driver> ObtainDriver(const DriverFlags& flags,
                                    const Builds& builds);

// Says on stderr what takes long.
void TellProgress(const std::string& line);

// Obtains and patches a kernel tree. `spec` and errors as in ObtainDriver; a
// model has none.
absl::StatusOr<linux_driver::Tree> TreeOf(
    const std::string& spec, const std::vector<std::string>& patches);

// The path of one build's module, compiled if it is not there.
absl::StatusOr<std::string> ModuleOf(const std::string& spec,
                                     const std::vector<std::string>& patches,
                                     linux_driver::BuildKind build);

// The findings understood on this driver: corpus/known/linux-<version>.txt by
// the first two numbers of the version, so that a developer's tree has them
// too; corpus/known/model-<design>.txt.
absl::StatusOr<fuzz::Known> KnownFor(const Driver& driver);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_DRIVER_H_
