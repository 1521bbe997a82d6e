#include "linux/build.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "linux/cache.h"
#include "linux/compile.h"
#include "linux/features.h"
#include "linux/hash.h"
#include "linux/manifest.h"
#include "linux/overlay.h"
#include "linux/recipe.h"
#include "linux/source_files.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::string> Ask(const std::string& compiler,
                                const char* question) {
  absl::StatusOr<CommandResult> result = Run({{compiler, question}, ""});
  if (!result.ok()) return result.status();
  return std::string(absl::StripAsciiWhitespace(result->output));
}

// The project's own files that can be part of a module.
std::vector<std::string> OwnFiles(const BuildPlaces& places) {
  std::vector<std::string> paths;
  std::error_code error;
  auto add = [&](const fs::directory_entry& entry) {
    const fs::path extension = entry.path().extension();
    if (extension == ".c" || extension == ".h") {
      paths.push_back(entry.path().string());
    }
  };
  for (const char* folder : {"/linux", "/model", "/linux/emulated"}) {
    for (const auto& entry :
         fs::directory_iterator(places.sources + folder, error)) {
      add(entry);
    }
  }
  for (const char* folder : {"/linux/kernel", "/linux/kunit"}) {
    if (folder == std::string("/linux/kunit") && !places.suite) continue;
    for (const auto& entry :
         fs::recursive_directory_iterator(places.sources + folder, error)) {
      add(entry);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Names the module by all that goes into it.
absl::StatusOr<std::string> Key(const Tree& tree, BuildKind kind,
                                const BuildPlaces& places) {
  Hasher hasher;
  absl::StatusOr<std::string> version = Ask(places.compiler, "--version");
  if (!version.ok()) return version.status();
  hasher.Add(*version).Add(tree.hash).Add(places.cases);
  std::vector<Command> commands = CompileCommands(places, kind);
  commands.push_back(LinkCommand(places, kind));
  for (const Command& command : commands) {
    hasher.Add(absl::StrJoin(command.argv, " "));
  }
  for (const std::string& path : OwnFiles(places)) {
    absl::StatusOr<std::string> bytes = ReadFile(path);
    if (!bytes.ok()) return bytes.status();
    hasher.Add(path).Add(*bytes);
  }
  return hasher.Hex();
}

absl::StatusOr<CompileLog> CompileAndLink(const BuildPlaces& places,
                                          BuildKind kind) {
  absl::StatusOr<CompileLog> log = RunAll(CompileCommands(places, kind));
  if (!log.ok() || !log->ok) return log;
  absl::StatusOr<CompileLog> linked = RunAll({LinkCommand(places, kind)});
  if (!linked.ok()) return linked;
  return CompileLog{linked->ok, log->text + linked->text};
}

absl::Status DoesNotCompile(const Tree& tree, const BuildPlaces& places,
                            const std::string& log, const std::string& name) {
  const std::string path = absl::StrCat(CacheFolder(), "/logs/", name, ".log");
  absl::Status written = WriteFile(path, log);
  if (!written.ok()) return written;
  return absl::FailedPreconditionError(absl::StrCat(
      tree.name, " (", tree.version, ") does not compile:\n",
      FirstErrors(log, 3,
                  {{places.overlay, "include"}, {places.tree + "/", ""}}),
      "\nAll the compiler said: ", path,
      "\nIf this tree builds as a kernel, atsfuzz lacks something that its "
      "driver needs: please report the kernel's version and that file."));
}

// Whether the project's own sources are still the ones that `key` was made of:
// whoever edits them while they are compiled must not get a module that carries
// the wrong name.
absl::Status Unchanged(const std::string& key, const Tree& tree, BuildKind kind,
                       const BuildPlaces& places) {
  absl::StatusOr<std::string> now = Key(tree, kind, places);
  if (!now.ok() || *now == key) return now.status();
  return absl::UnavailableError(
      absl::StrCat("the sources below ", places.sources,
                   " changed while they were compiled; run the command again"));
}

absl::Status WriteOverlayOf(const Tree& tree, const BuildPlaces& places) {
  absl::StatusOr<std::vector<SourceFile>> files = ReadSourceFiles(tree.path);
  if (!files.ok()) return files.status();
  return WriteOverlay(*files, tree.path, places.overlay);
}

// Fills places.work: the overlay, the objects (removed at the end), the module.
absl::Status Make(const Tree& tree, BuildKind kind, const BuildPlaces& places,
                  const std::string& name) {
  absl::Status laid_out = WriteOverlayOf(tree, places);
  if (!laid_out.ok()) return laid_out;
  if (!places.cases.empty()) {
    absl::Status written = WriteFile(places.work + "/cases.c", places.cases);
    if (!written.ok()) return written;
  }
  absl::StatusOr<CompileLog> log = CompileAndLink(places, kind);
  if (!log.ok()) return log.status();
  if (!log->ok) return DoesNotCompile(tree, places, log->text, name);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(places.work, error)) {
    if (entry.path().extension() == ".o") fs::remove(entry.path(), error);
  }
  return WriteManifest(places.work);
}

// Adds to `places` all but the folders that a build writes to.
absl::Status Prepare(const Tree& tree, BuildPlaces* places) {
  places->tree = tree.path;
  places->sources = SourcesFolder();
  if (RuntimeUnits(places->sources).empty()) {
    return absl::UnavailableError(absl::StrCat(
        "the sources around the kernel's are not below ", places->sources,
        " (ATSFUZZ_SOURCE_DIR=FOLDER says where the checkout is)"));
  }
  absl::StatusOr<std::string> resources =
      Ask(places->compiler, "-print-resource-dir");
  if (!resources.ok()) return resources.status();
  places->resources = *resources;
  absl::StatusOr<std::vector<SourceFile>> files = ReadSourceFiles(tree.path);
  if (!files.ok()) return files.status();
  places->features = FeatureFlags(*files);
  return absl::OkStatus();
}

// Builds what `places` says beside the module's folders and flags.
absl::StatusOr<std::string> Build(const Tree& tree, BuildKind kind,
                                  BuildPlaces places,
                                  const Progress& progress) {
  if (absl::Status ready = Prepare(tree, &places); !ready.ok()) return ready;
  absl::StatusOr<std::string> key = Key(tree, kind, places);
  if (!key.ok()) return key.status();

  const std::string name = absl::StrCat(places.suite ? "suite-" : "",
                                        BuildKindName(kind), "-", *key);
  const std::string what =
      absl::StrCat("the driver of ", tree.name,
                   places.suite ? " with the kernel's own tests, " : ", ",
                   BuildKindName(kind), " build");
  auto make = [&](const std::string& folder) {
    progress("compiling " + what);
    BuildPlaces filled = places;
    filled.work = folder;
    filled.overlay = folder + "/overlay";
    filled.home = absl::StrCat(CacheFolder(), "/modules/", name);
    absl::Status made = Make(tree, kind, filled, name);
    return made.ok() ? Unchanged(*key, tree, kind, places) : made;
  };
  absl::StatusOr<std::string> folder =
      CachedFolder("modules/" + name, what, MatchesManifest, make, progress);
  if (!folder.ok()) return folder.status();
  return *folder + "/module.so";
}

}  // namespace

std::string SourcesFolder() {
  const char* chosen = std::getenv("ATSFUZZ_SOURCE_DIR");
  return chosen == nullptr ? ATSFUZZ_SOURCE_DIR : chosen;
}

const char* BuildKindName(BuildKind kind) {
  switch (kind) {
    case BuildKind::kPlain:
      return "plain";
    case BuildKind::kSanitized:
      return "sanitized";
    case BuildKind::kInstrumented:
      return "instrumented";
    case BuildKind::kCovered:
      return "covered";
    case BuildKind::kLinked:
      return "linked";
  }
  return "unknown";
}

absl::StatusOr<std::string> BuildModule(const Tree& tree, BuildKind kind,
                                        const Progress& progress) {
  return Build(tree, kind, {}, progress);
}

absl::StatusOr<std::string> BuildSuite(const Tree& tree, BuildKind kind,
                                       const Progress& progress) {
  BuildPlaces places;
  places.suite = true;
  return Build(tree, kind, places, progress);
}

absl::StatusOr<std::string> BuildCases(const Tree& tree, BuildKind kind,
                                       const std::string& source,
                                       const Progress& progress) {
  BuildPlaces places;
  places.suite = true;
  places.cases = source;
  return Build(tree, kind, places, progress);
}

absl::Status BuildForLinking(const Tree& tree, bool suite,
                             const Toolchain& toolchain,
                             const std::string& folder,
                             const Progress& progress) {
  BuildPlaces places;
  places.suite = suite;
  places.compiler = toolchain.compiler;
  places.flags = toolchain.flags;
  places.work = places.home = folder;
  places.overlay = folder + "/overlay";
  if (absl::Status ready = Prepare(tree, &places); !ready.ok()) return ready;
  std::error_code error;
  fs::remove_all(folder, error);
  absl::Status laid_out = WriteOverlayOf(tree, places);
  if (!laid_out.ok()) return laid_out;
  progress(absl::StrCat("compiling the driver of ", tree.name, " with ",
                        toolchain.compiler));
  absl::StatusOr<CompileLog> log =
      RunAll(CompileCommands(places, BuildKind::kLinked));
  if (!log.ok()) return log.status();
  if (!log->ok) {
    return DoesNotCompile(tree, places, log->text,
                          fs::path(folder).filename().string());
  }
  return WriteFile(
      folder + "/link.rsp",
      absl::StrCat(absl::StrJoin(LinkArguments(places), "\n"), "\n"));
}

}  // namespace atsfuzz::linux_driver
