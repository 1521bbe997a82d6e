#include "cli/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"

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
  if (absl::StartsWith(spec, kLinux) && spec.size() > sizeof(kLinux) - 1) {
    return absl::OkStatus();
  }
  if (absl::StartsWith(spec, kModel)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--driver=", spec,
                     ": the abstract model comes in a later version; this one "
                     "drives linux:VERSION and linux:/path/to/tree"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--driver=", spec,
                   ": unknown driver; expected linux:VERSION (linux:6.12) or "
                   "linux:/path/to/tree; `atsfuzz drivers` lists what there "
                   "is"));
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

fuzz::LoadSystem Loader(const std::string& module, const std::string& name) {
  return [module, name] { return linux_driver::LoadModule(module, name); };
}

absl::Status CheckPatches(const std::vector<std::string>& patches) {
  for (const std::string& patch : patches) {
    if (access(patch.c_str(), R_OK) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--patch=", patch, ": cannot read this file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void DriverFlags::AddTo(Flags* flags) {
  flags->Add("driver", "DRIVER",
             "linux:VERSION or linux:/path/to/tree (default linux:6.12).",
             &driver);
  flags->Add("patch", "FILE",
             "Applied to a copy of the tree; may be given several times.",
             &patches);
}

std::string DriverFlags::CommandLine() const {
  std::string text;
  if (driver != kDefault) absl::StrAppend(&text, " --driver=", driver);
  for (const std::string& patch : patches) {
    absl::StrAppend(&text, " --patch=", patch);
  }
  return text;
}

fuzz::LoadSystem Driver::Plain() const { return Loader(plain, name); }
fuzz::LoadSystem Driver::Instrumented() const {
  return Loader(instrumented, name);
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

absl::StatusOr<Driver> ObtainDriver(const DriverFlags& flags, bool plain) {
  absl::Status status = CheckSpec(flags.driver);
  if (status.ok()) status = CheckPatches(flags.patches);
  if (!status.ok()) return status;
  const auto tree = linux_driver::ObtainTree(
      flags.driver.substr(sizeof(kLinux) - 1), flags.patches, Tell);
  if (!tree.ok()) return tree.status();
  Driver driver;
  driver.name = tree->name;
  driver.version = tree->version;
  driver.sanitized_program = SanitizedProgram();
  const auto build = [&](BuildKind kind, std::string* path) {
    if (!status.ok()) return;
    auto module = linux_driver::BuildModule(*tree, kind, Tell);
    if (module.ok()) {
      *path = *std::move(module);
    } else {
      // A tree that does not compile is not the user's typing error.
      status = absl::UnavailableError(module.status().message());
    }
  };
  if (plain) build(BuildKind::kPlain, &driver.plain);
  build(BuildKind::kInstrumented, &driver.instrumented);
  if (!driver.sanitized_program.empty()) {
    build(BuildKind::kSanitized, &driver.sanitized);
  }
  if (!status.ok()) return status;
  return driver;
}

absl::StatusOr<fuzz::Known> KnownFor(const Driver& driver) {
  const std::vector<std::string> numbers = absl::StrSplit(driver.version, '.');
  const std::string series = absl::StrJoin(
      numbers.begin(), numbers.begin() + (numbers.size() < 2 ? 1 : 2), ".");
  return fuzz::Known::Read(
      absl::StrCat(ATSFUZZ_SOURCE_DIR, "/corpus/known/linux-", series, ".txt"));
}

}  // namespace atsfuzz::cli
