#include "linux/coverage.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "linux/subprocess.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";
constexpr char kAts[] = "drivers/pci/ats.c";
constexpr char kCore[] = "drivers/iommu/iommu.c";
constexpr std::array kSources = {kDriver, kAts, kCore};

// Lines in a hundred below which a function is listed.
constexpr uint64_t kEnough = 95;

// Parts of the names of the functions of the ATS and attach paths, by file.
constexpr std::array kDriverWords = {
    "_ats",        "_atc",         "attach",         "invs",
    "_ste",        "_cd",          "_master",        "pasid",
    "finalise",    "domain_alloc", "_stream",        "strtab",
    "write_entry", "probe_device", "release_device", "domain_free"};
constexpr std::array kAtsWords = {"_ats", "pasid"};
constexpr std::array kCoreWords = {
    "attach",          "set_domain",     "_pasid", "_dma_owner",
    "blocking_domain", "default_domain", "_reset"};

template <size_t N>
bool ContainsAny(const std::string& name,
                 const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) {
    return absl::StrContains(name, word);
  });
}

bool OnPath(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

// The tool of clang's own version, or the default one; empty: neither is there.
std::string Tool(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::vector<std::string> folders =
      absl::StrSplit(path == nullptr ? "" : path, ':');
  for (const std::string& candidate : {name + "-14", name}) {
    for (const std::string& folder : folders) {
      if (OnPath(absl::StrCat(folder, "/", candidate))) return candidate;
    }
  }
  return "";
}

absl::StatusOr<std::string> Output(std::vector<std::string> argv) {
  const std::string name = argv[0];
  argv[0] = Tool(name);
  const absl::StatusOr<CommandResult> result = Run({std::move(argv), ""});
  if (!result.ok()) return result.status();
  if (result->status != 0) {
    return absl::UnavailableError(
        absl::StrCat(name, " failed:\n", LastLines(result->output, 3)));
  }
  return result->output;
}

absl::StatusOr<std::string> MergeProfiles(const std::string& folder) {
  const std::string merged = folder + "/merged.profdata";
  std::vector<std::string> argv = {"llvm-profdata", "merge", "-o", merged};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".profraw") {
      argv.push_back(entry.path().string());
    }
  }
  if (argv.size() == 4) {
    return absl::FailedPreconditionError("no run of the driver was counted");
  }
  std::sort(argv.begin() + 4, argv.end());
  const auto said = Output(std::move(argv));
  if (!said.ok()) return said.status();
  return merged;
}

bool ParseRow(absl::string_view line, FunctionCoverage* function) {
  // Name, then regions, lines, branches: each count, missed, percentage.
  const std::vector<std::string> words =
      absl::StrSplit(line, ' ', absl::SkipWhitespace());
  if (words.size() != 10) return false;
  // A static function's name has its unit's in front.
  function->name = words[0].substr(words[0].rfind(':') + 1);
  return absl::SimpleAtoi(words[4], &function->lines) &&
         absl::SimpleAtoi(words[5], &function->missed_lines) &&
         absl::SimpleAtoi(words[7], &function->branches) &&
         absl::SimpleAtoi(words[8], &function->missed_branches);
}

std::string Share(uint64_t missed, uint64_t all) {
  const double share = all == 0 ? 100.0
                                : 100.0 * static_cast<double>(all - missed) /
                                      static_cast<double>(all);
  return absl::StrFormat("%5.1f %%", share);
}

std::string FigureText(const std::vector<FunctionCoverage>& functions,
                       absl::string_view file) {
  const bool only_used = file == kCore;
  FunctionCoverage sum;
  uint64_t all = 0, used = 0;
  for (const FunctionCoverage& function : functions) {
    if (function.file != file) continue;
    ++all;
    used += function.used() ? 1 : 0;
    if (only_used && !function.used()) continue;
    sum.lines += function.lines;
    sum.missed_lines += function.missed_lines;
    sum.branches += function.branches;
    sum.missed_branches += function.missed_branches;
  }
  return absl::StrFormat(
      "%-14s lines %s of %d  branches %s of %d  functions %d of %d%s\n",
      file.substr(file.rfind('/') + 1), Share(sum.missed_lines, sum.lines),
      sum.lines, Share(sum.missed_branches, sum.branches), sum.branches, used,
      all, only_used ? " (lines and branches of these)" : "");
}

}  // namespace

std::string ProfilePattern(const std::string& folder) {
  return folder + "/driver-%c%m.profraw";
}

absl::Status CheckCoverageTools() {
  for (const char* name : {"llvm-profdata", "llvm-cov"}) {
    if (!Tool(name).empty()) continue;
    return absl::UnavailableError(
        absl::StrCat(name, " is missing; as root run: apt-get install llvm"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<FunctionCoverage>> ParseFunctions(
    absl::string_view text, const std::string& tree) {
  constexpr absl::string_view kFile = "File '";
  std::vector<FunctionCoverage> functions;
  std::string file;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, kFile)) {
      line.remove_prefix(kFile.size());
      file = std::string(line.substr(0, line.rfind('\'')));
      if (absl::StartsWith(file, tree + "/")) file.erase(0, tree.size() + 1);
      continue;
    }
    if (line.empty() || absl::StartsWith(line, "---") ||
        absl::StartsWith(line, "Name ") || absl::StartsWith(line, "TOTAL ")) {
      continue;
    }
    FunctionCoverage function;
    function.file = file;
    if (file.empty() || !ParseRow(line, &function)) {
      return absl::InternalError(
          absl::StrCat("llvm-cov said something unexpected: ", line));
    }
    functions.push_back(std::move(function));
  }
  return functions;
}

absl::StatusOr<CoverageReport> ReadCoverage(const std::string& module,
                                            const std::string& folder,
                                            const std::string& tree) {
  const auto profile = MergeProfiles(folder);
  if (!profile.ok()) return profile.status();
  const auto ask = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), "llvm-cov");
    argv.insert(argv.end(), {module, "-instr-profile=" + *profile});
    for (const char* source : kSources) {
      argv.push_back(absl::StrCat(tree, "/", source));
    }
    return Output(std::move(argv));
  };
  const auto table = ask({"report", "-show-functions"});
  if (!table.ok()) return table.status();
  auto functions = ParseFunctions(*table, tree);
  if (!functions.ok()) return functions.status();
  const auto html = ask({"show", "-format=html", "-show-branches=count"});
  if (!html.ok()) return html.status();
  const auto lcov = ask({"export", "-format=lcov"});
  if (!lcov.ok()) return lcov.status();
  const auto shortened = [&](const std::string& text) {
    return absl::StrReplaceAll(text, {{tree + "/", ""}});
  };
  return CoverageReport{*std::move(functions), shortened(*html),
                        shortened(*lcov)};
}

bool OnAttachPath(const FunctionCoverage& function) {
  if (function.file == kDriver) {
    return ContainsAny(function.name, kDriverWords);
  }
  if (function.file == kAts) return ContainsAny(function.name, kAtsWords);
  return function.file == kCore && ContainsAny(function.name, kCoreWords);
}

std::vector<FunctionCoverage> Uncovered(
    const std::vector<FunctionCoverage>& functions) {
  std::vector<FunctionCoverage> listed;
  for (const FunctionCoverage& function : functions) {
    const uint64_t run = function.lines - function.missed_lines;
    if (OnAttachPath(function) && run * 100 < function.lines * kEnough) {
      listed.push_back(function);
    }
  }
  return listed;
}

std::string CoverageText(const std::vector<FunctionCoverage>& functions) {
  std::string text;
  for (const char* source : kSources) {
    absl::StrAppend(&text, FigureText(functions, source));
  }
  absl::StrAppend(&text, "\nfunctions of the ATS and attach paths below ",
                  kEnough, " % of lines: what ran, lines missed, why\n");
  std::string file;
  for (const FunctionCoverage& function : Uncovered(functions)) {
    if (function.file != file) absl::StrAppend(&text, function.file, "\n");
    file = function.file;
    absl::StrAppendFormat(&text, "  %-42s %s %4d  %s\n", function.name,
                          Share(function.missed_lines, function.lines),
                          function.missed_lines, ReasonFor(function.name));
  }
  return text;
}

}  // namespace atsfuzz::linux_driver
