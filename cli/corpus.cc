#include "cli/corpus.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzz/findings.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

// FNV-1a, 64 bits: a name that depends on the text alone.
uint64_t HashOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

absl::StatusOr<std::vector<CorpusEntry>> ReadCorpusFiles(
    const std::string& folder) {
  const absl::Status prepared = fuzz::PrepareFolder(folder);
  if (!prepared.ok()) return prepared;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".ats") {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<CorpusEntry> entries;
  for (const std::string& path : paths) {
    auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) return scenario.status();
    scenario->story.clear();
    scenario->expectations.clear();
    entries.push_back({path, *std::move(scenario)});
  }
  return entries;
}

absl::StatusOr<std::vector<model::Scenario>> ReadCorpus(
    const std::string& folder) {
  auto entries = ReadCorpusFiles(folder);
  if (!entries.ok()) return entries.status();
  std::vector<model::Scenario> scenarios;
  for (CorpusEntry& entry : *entries) {
    scenarios.push_back(std::move(entry.scenario));
  }
  return scenarios;
}

absl::Status AddToCorpus(const std::string& folder,
                         const std::vector<model::Scenario>& scenarios) {
  for (const model::Scenario& scenario : scenarios) {
    const std::string text = model::Print(scenario);
    const absl::Status written = fuzz::WriteWhole(
        absl::StrFormat("%s/%016x.ats", folder, HashOf(text)), text);
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace atsfuzz::cli
