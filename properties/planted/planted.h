#ifndef ATSFUZZ_PROPERTIES_PLANTED_PLANTED_H_
#define ATSFUZZ_PROPERTIES_PLANTED_PLANTED_H_

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

// For tests: the patches of this folder. Each plants one bug in the kernel's
// own source, and its header says which invariant that breaks, on which kernel
// and in which scenario.
namespace atsfuzz {

struct Planted {
  std::string patch;      // path
  std::string invariant;  // that it breaks
  std::string found;      // what the violation calls it; empty: whatever
  std::string says;       // a part of its message
  std::string kernel = "6.12";
  std::string scenario;  // text
};

inline Planted ReadPlanted(const std::filesystem::path& path) {
  Planted planted{.patch = path.string()};
  std::ifstream in(path);
  bool in_scenario = false;
  for (std::string line; std::getline(in, line);) {
    absl::string_view rest = line;
    if (absl::StartsWith(line, "---") || absl::StartsWith(line, "diff ")) break;
    if (absl::ConsumePrefix(&rest, "Invariant: ")) {
      planted.invariant = std::string(rest);
    }
    if (absl::ConsumePrefix(&rest, "Found: ")) {
      planted.found = std::string(rest);
    }
    if (absl::ConsumePrefix(&rest, "Says: ")) {
      planted.says = std::string(rest);
    }
    if (absl::ConsumePrefix(&rest, "Kernel: ")) {
      planted.kernel = std::string(rest);
    }
    if (in_scenario && (line.empty() || line.front() == ' ')) {
      planted.scenario += line + "\n";
    } else {
      in_scenario = absl::StartsWith(line, "Scenario:");
    }
  }
  return planted;
}

// Seen from the checkout, where tests run. In order.
inline std::vector<std::filesystem::path> PlantedPatches() {
  std::vector<std::filesystem::path> patches;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator("properties/planted")) {
    if (entry.path().extension() == ".patch") patches.push_back(entry.path());
  }
  std::sort(patches.begin(), patches.end());
  return patches;
}

// "no_stale_atc_order": a patch as a part of a test's name.
inline std::string PlantedName(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace atsfuzz

#endif  // ATSFUZZ_PROPERTIES_PLANTED_PLANTED_H_
