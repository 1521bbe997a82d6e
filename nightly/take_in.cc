#include "nightly/take_in.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "fuzz/findings.h"
#include "model/bytes.h"
#include "model/text.h"
#include "xxhash.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;

// afl-fuzz writes fuzzer_stats into each instance's folder.
bool IsAflInstance(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "fuzzer_stats", error);
}

void AddFiles(const fs::path& folder, std::vector<std::string>* paths) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file(error) || absl::StartsWith(name, ".") ||
        name == "README.txt") {
      continue;
    }
    paths->push_back(entry.path().string());
  }
}

void AddInstance(const fs::path& folder, std::vector<std::string>* paths) {
  for (const char* part : {"queue", "crashes", "hangs"}) {
    AddFiles(folder / part, paths);
  }
}

std::vector<uint8_t> Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

absl::string_view Text(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The canonical text of an input's scenario; empty if it has none.
std::string ScenarioIn(const std::string& path) {
  if (absl::EndsWith(path, ".ats")) {
    const auto scenario = model::ReadScenario(path);
    return scenario.ok() ? model::Print(*scenario) : "";
  }
  const std::vector<uint8_t> bytes = Contents(path);
  return bytes.empty() ? "" : model::Print(model::Decode(bytes));
}

}  // namespace

std::vector<std::string> InputsOf(const std::string& folder) {
  std::vector<std::string> paths;
  std::vector<fs::path> instances;
  if (IsAflInstance(folder)) instances.emplace_back(folder);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (IsAflInstance(entry.path())) instances.push_back(entry.path());
  }
  for (const fs::path& instance : instances) AddInstance(instance, &paths);
  if (instances.empty()) AddFiles(folder, &paths);
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<size_t> WriteAsScenarios(const std::vector<std::string>& inputs,
                                        const std::string& into) {
  const absl::Status prepared = fuzz::PrepareFolder(into);
  if (!prepared.ok()) return prepared;
  size_t count = 0;
  for (const std::string& input : inputs) {
    const std::string text = ScenarioIn(input);
    if (text.empty()) continue;
    const std::string path = absl::StrFormat(
        "%s/%016x.ats", into, XXH64(text.data(), text.size(), 0));
    if (fs::exists(path)) continue;
    const absl::Status written = fuzz::WriteWhole(path, text);
    if (!written.ok()) return written;
    ++count;
  }
  return count;
}

absl::Status WriteAsBytes(const std::string& folder, const std::string& into) {
  const absl::Status prepared = fuzz::PrepareFolder(into);
  if (!prepared.ok()) return prepared;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".ats") continue;
    const auto scenario = model::ReadScenario(entry.path().string());
    if (!scenario.ok()) return scenario.status();
    const std::vector<uint8_t> bytes = model::Encode(*scenario);
    const absl::Status written = fuzz::WriteWhole(
        absl::StrCat(into, "/", entry.path().stem().string()), Text(bytes));
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

absl::Status AddScenarios(const std::string& from, const std::string& to) {
  const absl::Status prepared = fuzz::PrepareFolder(to);
  if (!prepared.ok()) return prepared;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const std::string path =
        absl::StrCat(to, "/", entry.path().filename().string());
    if (fs::exists(path, error)) continue;
    const absl::Status written =
        fuzz::WriteWhole(path, Text(Contents(entry.path().string())));
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace atsfuzz::nightly
