#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "fuzz/target.h"
#include "model/bytes.h"
#include "model/text.h"

// The seed corpus of the fuzz target that this program is linked with:
//
//   TARGET-seeds CORPUS FOLDER
//
// Runs each scenario (*.ats) below CORPUS on the target's driver, in a process
// of its own. A violation that it shows is known from then on, and goes into
// FOLDER/known: what is in the corpus need not be found again. A scenario that
// ends the process all the same, as a memory error does, is no seed: an engine
// would not get past it. The others become FOLDER/seeds/NAME, as bytes.
//
// Exit status 2: bad usage or a bad scenario, 3: FOLDER cannot be written.

extern "C" {
int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
}

namespace atsfuzz::services {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kSeconds = 60;  // for one scenario

[[noreturn]] void Fail(int status, const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(status);
}

std::vector<fs::path> ScenariosBelow(const std::string& corpus) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(corpus, error)) {
    if (entry.path().extension() == ".ats") paths.push_back(entry.path());
  }
  if (paths.empty()) Fail(2, "no *.ats below " + corpus);
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What the target said of one input.
struct Outcome {
  bool survived = false;
  std::string violation;  // its signature; empty: none
};

[[noreturn]] void RunAlone(const std::vector<uint8_t>& bytes, FILE* said) {
  dup2(fileno(said), STDERR_FILENO);
  alarm(kSeconds);
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  _exit(0);
}

Outcome RunOnce(const std::vector<uint8_t>& bytes) {
  FILE* said = std::tmpfile();
  if (said == nullptr) Fail(3, "no temporary file");
  const pid_t child = fork();
  if (child < 0) Fail(3, "cannot fork");
  if (child == 0) RunAlone(bytes, said);
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome;
  outcome.survived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::rewind(said);
  const std::string prefix = fuzz::kViolationPrefix;
  char line[4096];
  while (std::fgets(line, sizeof(line), said) != nullptr) {
    const std::string text = line;
    if (text.compare(0, prefix.size(), prefix) != 0) continue;
    outcome.violation =
        text.substr(prefix.size(), text.find('\n') - prefix.size());
  }
  std::fclose(said);
  return outcome;
}

// The violations that the input shows before it runs through, each new one
// known from then on; none: it does not.
std::optional<std::vector<std::string>> Violations(
    const std::vector<uint8_t>& bytes) {
  std::vector<std::string> violations;
  for (;;) {
    const Outcome outcome = RunOnce(bytes);
    if (outcome.survived) return violations;
    if (outcome.violation.empty()) return std::nullopt;
    violations.push_back(outcome.violation);
    fuzz::LearnKnown(outcome.violation);
  }
}

void Write(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) Fail(3, "cannot write " + path.string());
}

void MakeSeeds(const std::string& corpus, const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder + "/seeds", error);
  std::string known = "# What the scenarios of the corpus show.\n";
  int seeds = 0, left_out = 0;
  for (const fs::path& path : ScenariosBelow(corpus)) {
    const auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) Fail(2, std::string(scenario.status().message()));
    const std::vector<uint8_t> bytes = model::Encode(*scenario);
    const std::string name = path.lexically_relative(corpus).string();
    const auto violations = Violations(bytes);
    if (!violations) {
      std::fprintf(stderr, "no seed, ends the driver: %s\n", name.c_str());
      ++left_out;
      continue;
    }
    for (const std::string& each : *violations) {
      known.append(each).append("  ").append(name).append("\n");
    }
    Write(folder + "/seeds/" + path.parent_path().filename().string() + "-" +
              path.stem().string(),
          {bytes.begin(), bytes.end()});
    ++seeds;
  }
  Write(folder + "/known", known);
  std::fprintf(stderr, "%d seeds, %d scenarios end the driver\n", seeds,
               left_out);
}

}  // namespace
}  // namespace atsfuzz::services

int main(int argc, char** argv) {
  if (argc != 3) {
    atsfuzz::services::Fail(2, "expected CORPUS FOLDER");
  }
  LLVMFuzzerInitialize(&argc, &argv);
  atsfuzz::services::MakeSeeds(argv[1], argv[2]);
  return 0;
}
