#include "cli/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/machine/system.h"

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using linux_driver::BuildKind;

constexpr char kLinux[] = "linux:";
constexpr char kModel[] = "model:";
constexpr char kDefault[] = "linux:6.12";

void Tell(const std::string& line) {
  fprintf(stderr, "atsfuzz: %s\n", line.c_str());
}

absl::Status CheckSpec(const std::string& spec) {
  const auto names_something = [&](absl::string_view prefix) {
    return absl::StartsWith(spec, prefix) && spec.size() > prefix.size();
  };
  if (names_something(kLinux) || names_something(kModel)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "--driver=", spec,
      ": unknown driver; expected linux:VERSION (linux:6.12), "
      "linux:/path/to/tree or model:DESIGN (model:6.12); `atsfuzz drivers` "
      "lists what there is"));
}

// Beside this program as the front door builds them, unless the environment
// says where.
std::string SanitizedProgram() {
  if (const char* path = getenv("ATSFUZZ_SANITIZED_PROGRAM")) {
    return fs::exists(path) ? path : "";
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return "";
  const fs::path path = self.parent_path().parent_path().parent_path() /
                        "asan" / "cli" / "atsfuzz";
  return fs::exists(path, error) ? path.string() : "";
}

fuzz::LoadSystem Loader(const std::string& module, const std::string& name,
                        bool data_races) {
  return [=] {
    auto system = linux_driver::LoadModule(module, name);
    if (system.ok()) (*system)->AskForDataRaces(data_races);
    return system;
  };
}

fuzz::LoadSystem Loader(const machine::Design& design,
                        const std::string& name) {
  return [design, name]() -> absl::StatusOr<std::unique_ptr<model::System>> {
    return machine::MakeSystem(design, name);
  };
}

absl::Status CheckPatches(const DriverFlags& flags) {
  if (flags.data_races && absl::StartsWith(flags.driver, kModel)) {
    return absl::InvalidArgumentError(
        "--data-races: the abstract machine has no plain accesses; a linux: "
        "driver has");
  }
  if (flags.weak_memory && absl::StartsWith(flags.driver, kModel)) {
    return absl::InvalidArgumentError(
        "--weak-memory: of the abstract machine it is a switch, as in "
        "model:7.3,barrier-before-load=off; a linux: driver has it");
  }
  if (flags.plain_stops && absl::StartsWith(flags.driver, kModel)) {
    return absl::InvalidArgumentError(
        "--plain-stops: the abstract machine has no plain accesses; a linux: "
        "driver has");
  }
  if (!flags.patches.empty() && absl::StartsWith(flags.driver, kModel)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--patch=", flags.patches.front(), ": a patch changes a kernel tree, ",
        flags.driver, " has none; its design choices are switches, as in ",
        "model:6.12,vf-stu-check=on"));
  }
  for (const std::string& patch : flags.patches) {
    if (access(patch.c_str(), R_OK) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--patch=", patch, ": cannot read this file"));
    }
  }
  return absl::OkStatus();
}

// The abstract machine behind `model:`.
absl::StatusOr<Driver> ObtainModel(const std::string& spec) {
  auto design = machine::ParseDesign(spec.substr(sizeof(kModel) - 1));
  if (!design.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--driver=", spec, ": ", design.status().message()));
  }
  Driver driver;
  driver.version = machine::DesignName(*design);
  driver.name = kModel + driver.version;
  driver.design = *design;
  return driver;
}

// A build of a tree and where its path goes.
struct Build {
  BuildKind kind;
  std::string* path;
};

// At the same time: a build ends with one long unit, and the next one's short
// ones fill the processors that would wait for it. The first error of `builds`
// in their order.
absl::Status BuildAll(const linux_driver::Tree& tree,
                      const std::vector<Build>& builds) {
  std::vector<absl::Status> statuses(builds.size());
  const auto build = [&](size_t i) {
    auto module = linux_driver::BuildModule(tree, builds[i].kind, Tell);
    if (module.ok()) {
      *builds[i].path = *std::move(module);
    } else {
      // A tree that does not compile is not the user's typing error.
      statuses[i] = absl::UnavailableError(module.status().message());
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < builds.size(); ++i) threads.emplace_back(build, i);
  build(0);
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<Driver> ObtainLinux(const DriverFlags& flags,
                                   const Builds& builds) {
  const auto tree = linux_driver::ObtainTree(
      flags.driver.substr(sizeof(kLinux) - 1), flags.patches, Tell);
  if (!tree.ok()) return tree.status();
  Driver driver;
  driver.name = tree->name;
  driver.version = tree->version;
  driver.data_races = flags.data_races;
  const bool instrumented_alone =
      flags.data_races || flags.weak_memory || flags.plain_stops;
  if (builds.sanitized && !instrumented_alone) {
    driver.sanitized_program = SanitizedProgram();
  }
  std::vector<Build> wanted = {
      {BuildKind::kInstrumented, &driver.instrumented}};
  const bool plain_is_instrumented = instrumented_alone || flags.footprints;
  if (builds.plain && !plain_is_instrumented) {
    wanted.push_back({BuildKind::kPlain, &driver.plain});
  }
  if (!driver.sanitized_program.empty()) {
    wanted.push_back({BuildKind::kSanitized, &driver.sanitized});
  }
  const absl::Status status = BuildAll(*tree, wanted);
  if (!status.ok()) return status;
  if (plain_is_instrumented) driver.plain = driver.instrumented;
  return driver;
}

// What scenarios may use. The module is loaded for this alone.
absl::StatusOr<model::Capabilities> CapabilitiesOf(const Driver& driver) {
  const auto system = driver.Instrumented()();
  if (!system.ok()) return system.status();
  return (*system)->capabilities();
}

}  // namespace

void DriverFlags::AddTo(Flags* flags) {
  flags->Add("driver", "DRIVER",
             "linux:VERSION, linux:/path/to/tree, or the abstract machine as "
             "model:DESIGN, with switches as in model:7.2,vf-stu-check=off "
             "(default linux:6.12).",
             &driver);
  flags->Add("patch", "FILE",
             "Applied to a copy of a linux: tree; may be given several times.",
             &patches);
  flags->Add(
      "data-races",
      "Unordered plain accesses of two threads are violations, too: much "
      "slower, and without sanitizers.",
      &data_races);
}

std::string DriverFlags::CommandLine() const {
  std::string text;
  if (driver != kDefault) absl::StrAppend(&text, " --driver=", driver);
  for (const std::string& patch : patches) {
    absl::StrAppend(&text, " --patch=", patch);
  }
  if (data_races) text += " --data-races";
  return text;
}

fuzz::LoadSystem Driver::Plain() const {
  return design ? Loader(*design, name) : Loader(plain, name, data_races);
}
fuzz::LoadSystem Driver::Instrumented() const {
  return design ? Loader(*design, name)
                : Loader(instrumented, name, data_races);
}

std::vector<std::string> Driver::SanitizedCommand() const {
  if (sanitized_program.empty()) return {};
  // Without symbols: this program finds the places itself, the same way for
  // every build.
  return {"env",
          "ASAN_OPTIONS=symbolize=0:detect_leaks=0:handle_abort=1",
          "UBSAN_OPTIONS=symbolize=0:print_stacktrace=1:halt_on_error=1",
          sanitized_program,
          "worker",
          sanitized};
}

absl::Status CheckDriver(const DriverFlags& flags) {
  absl::Status status = CheckSpec(flags.driver);
  if (status.ok()) status = CheckPatches(flags);
  if (status.ok() && absl::StartsWith(flags.driver, kModel)) {
    status = ObtainModel(flags.driver).status();
  }
  return status;
}

absl::StatusOr<Driver> ObtainDriver(const DriverFlags& flags,
                                    const Builds& builds) {
  const absl::Status status = CheckDriver(flags);
  if (!status.ok()) return status;
  auto driver = absl::StartsWith(flags.driver, kModel)
                    ? ObtainModel(flags.driver)
                    : ObtainLinux(flags, builds);
  if (!driver.ok()) return driver;
  const auto capabilities = CapabilitiesOf(*driver);
  if (!capabilities.ok()) return capabilities.status();
  driver->capabilities = *capabilities;
  return driver;
}

void TellProgress(const std::string& line) { Tell(line); }

absl::StatusOr<linux_driver::Tree> TreeOf(
    const std::string& spec, const std::vector<std::string>& patches) {
  DriverFlags flags;
  flags.driver = spec;
  flags.patches = patches;
  const absl::Status status = CheckDriver(flags);
  if (!status.ok()) return status;
  if (!absl::StartsWith(spec, kLinux)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--driver=", spec,
                     ": the abstract machine has no source and no module; "
                     "take a linux: driver"));
  }
  return linux_driver::ObtainTree(spec.substr(sizeof(kLinux) - 1), patches,
                                  Tell);
}

absl::StatusOr<std::string> ModuleOf(const std::string& spec,
                                     const std::vector<std::string>& patches,
                                     BuildKind build) {
  const auto tree = TreeOf(spec, patches);
  if (!tree.ok()) return tree.status();
  std::string module;
  const absl::Status built = BuildAll(*tree, {{build, &module}});
  if (!built.ok()) return built;
  return module;
}

absl::StatusOr<fuzz::Known> KnownFor(const Driver& driver) {
  if (driver.design) {
    return fuzz::Known::Read(absl::StrCat(
        ATSFUZZ_SOURCE_DIR, "/corpus/known/model-", driver.version, ".txt"));
  }
  const std::vector<std::string> numbers = absl::StrSplit(driver.version, '.');
  const std::string series = absl::StrJoin(
      numbers.begin(), numbers.begin() + (numbers.size() < 2 ? 1 : 2), ".");
  return fuzz::Known::Read(
      absl::StrCat(ATSFUZZ_SOURCE_DIR, "/corpus/known/linux-", series, ".txt"));
}

}  // namespace atsfuzz::cli
