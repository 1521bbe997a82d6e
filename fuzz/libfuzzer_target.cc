#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fuzz/faults.h"
#include "fuzz/generate.h"
#include "fuzz/machine.h"
#include "fuzz/mutate.h"
#include "fuzz/orderings.h"
#include "fuzz/run.h"
#include "fuzz/signature.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/block.h"
#include "model/bytes.h"
#include "model/machine/system.h"
#include "model/text.h"

// The libFuzzer target: scenarios as bytes, on the sanitized build of a driver
// or on the abstract machine.
//
//   [ATSFUZZ_KERNEL=6.12|PATH] [ATSFUZZ_PATCHES=FILE:...]
//   [ATSFUZZ_MODULE=<module>]
//   [ATSFUZZ_MODEL=<design>] [ATSFUZZ_FAULTS=none|all|LIST]
//   [ATSFUZZ_KNOWN=<file>] [ATSFUZZ_OPERATIONS=64]
//   [ATSFUZZ_WITHOUT=pasids,groups,resets] [ATSFUZZ_THREADS=1]
//   [ATSFUZZ_TOPOLOGY=FILE] [ATSFUZZ_SEEDS=FOLDER]
//   atsfuzz-libfuzzer [libFuzzer's options] CORPUS
//
// ATSFUZZ_MODULE names a sanitized driver module; without it one is built of
// ATSFUZZ_KERNEL (6.12 if unset) with ATSFUZZ_PATCHES. ATSFUZZ_MODEL
// (6.12; 7.2,vf-stu-check=off) takes the abstract machine instead of a module.
// ATSFUZZ_OPERATIONS is the longest scenario that the mutators make.
// ATSFUZZ_WITHOUT leaves out what a known crash needs: nothing but the
// sanitizer can end such a run. ATSFUZZ_TOPOLOGY names a scenario whose machine
// all inputs get, and ATSFUZZ_SEEDS scenarios (*.ats) that mutation may begin
// with, as others do with a corpus of bytes.
//
// With ATSFUZZ_THREADS of 2 to 4 inputs have `par` blocks of up to so many
// threads. The schedule is in the bytes like all else, and coverage tells which
// steps ran between which (fuzz/orderings.h): no strategy chooses but
// libFuzzer.
//
// A violation aborts, so that libFuzzer keeps the input; unless the file of
// known ones names its invariant or its signature, one a line.
namespace atsfuzz::fuzz {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "atsfuzz-libfuzzer: %s\n", message.c_str());
  std::exit(3);
}

struct Target {
  std::unique_ptr<model::System> system;
  model::Capabilities capabilities;  // all that is ever made
  std::set<std::string> known;
  uint8_t faults = 0;
  size_t most_operations = 64;
  int threads = 1;
  std::optional<model::Topology> topology;  // of every input
  std::vector<model::Scenario> seeds;
};

// What libFuzzer takes for coverage beside edges: orderings of steps.
[[gnu::section("__libfuzzer_extra_counters")]] uint8_t orderings[1 << 16];

Target& TheTarget() {
  static Target* const target = new Target();
  return *target;
}

std::set<std::string> ReadKnown(const std::string& path) {
  std::ifstream file(path);
  if (!file) Die("ATSFUZZ_KNOWN: cannot read " + path);
  std::set<std::string> known;
  for (std::string line; std::getline(file, line);) {
    const std::string word = line.substr(0, line.find_first_of(" \t#"));
    if (!word.empty()) known.insert(word);
  }
  return known;
}

std::string ModulePath() {
  if (const char* module = std::getenv("ATSFUZZ_MODULE")) return module;
  const char* kernel = std::getenv("ATSFUZZ_KERNEL");
  auto say = [](const std::string& line) {
    std::fprintf(stderr, "atsfuzz-libfuzzer: %s\n", line.c_str());
  };
  std::vector<std::string> patches;
  if (const char* list = std::getenv("ATSFUZZ_PATCHES")) {
    patches = absl::StrSplit(list, ':', absl::SkipEmpty());
  }
  const auto tree = linux_driver::ObtainTree(
      kernel == nullptr ? "6.12" : kernel, patches, say);
  if (!tree.ok()) Die(std::string(tree.status().message()));
  const auto built = linux_driver::BuildModule(
      *tree, linux_driver::BuildKind::kSanitized, say);
  if (!built.ok()) Die(std::string(built.status().message()));
  return *built;
}

std::unique_ptr<model::System> MakeTheSystem() {
  if (const char* text = std::getenv("ATSFUZZ_MODEL")) {
    const auto design = machine::ParseDesign(text);
    if (!design.ok()) {
      Die("ATSFUZZ_MODEL: " + std::string(design.status().message()));
    }
    return machine::MakeSystem(*design,
                               "model:" + machine::DesignName(*design));
  }
  auto system = linux_driver::LoadModule(ModulePath(), "linux");
  if (!system.ok()) Die(system.status().ToString());
  return *std::move(system);
}

void LeaveOut(const std::string& list, model::Capabilities* capabilities) {
  for (absl::string_view item : absl::StrSplit(list, ',')) {
    if (item == "pasids") {
      capabilities->pasids = capabilities->replace_pasid = false;
    } else if (item == "groups") {
      capabilities->groups = false;
    } else if (item == "resets") {
      capabilities->resets = false;
    } else {
      Die("ATSFUZZ_WITHOUT: expected pasids, groups or resets, not \"" +
          std::string(item) + "\"");
    }
  }
}

std::vector<model::Scenario> ReadSeeds(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".ats") paths.push_back(entry.path());
  }
  if (paths.empty()) Die("ATSFUZZ_SEEDS: no *.ats in " + folder);
  std::sort(paths.begin(), paths.end());
  std::vector<model::Scenario> seeds;
  for (const std::string& path : paths) {
    auto scenario = model::ReadScenario(path);
    if (!scenario.ok()) Die(std::string(scenario.status().message()));
    seeds.push_back(*std::move(scenario));
  }
  return seeds;
}

void SetUp(Target* target) {
  target->system = MakeTheSystem();
  target->capabilities = target->system->capabilities();
  if (const char* without = std::getenv("ATSFUZZ_WITHOUT")) {
    LeaveOut(without, &target->capabilities);
  }
  if (const char* faults = std::getenv("ATSFUZZ_FAULTS")) {
    const auto classes = ParseFaultClasses(faults);
    if (!classes.ok()) {
      Die("ATSFUZZ_FAULTS: " + std::string(classes.status().message()));
    }
    target->faults = *classes;
  }
  if (const char* most = std::getenv("ATSFUZZ_OPERATIONS")) {
    if (!absl::SimpleAtoi(most, &target->most_operations) ||
        target->most_operations == 0) {
      Die("ATSFUZZ_OPERATIONS: expected a number from 1");
    }
  }
  if (const char* file = std::getenv("ATSFUZZ_TOPOLOGY")) {
    const auto scenario = model::ReadScenario(file);
    if (!scenario.ok()) Die(std::string(scenario.status().message()));
    target->topology = scenario->topology;
  }
  if (const char* folder = std::getenv("ATSFUZZ_SEEDS")) {
    target->seeds = ReadSeeds(folder);
  }
  if (const char* threads = std::getenv("ATSFUZZ_THREADS")) {
    if (!absl::SimpleAtoi(threads, &target->threads) || target->threads < 1 ||
        target->threads > ATSFUZZ_MAX_THREADS) {
      Die("ATSFUZZ_THREADS: expected 1 to " +
          std::to_string(ATSFUZZ_MAX_THREADS));
    }
  }
  if (target->threads == 1) target->capabilities.threads = false;
  if (const char* known = std::getenv("ATSFUZZ_KNOWN")) {
    target->known = ReadKnown(known);
  }
}

// Turns the entropic schedule off, unless the command line speaks of it: every
// run of a driver touches thousands of features, and counting their frequencies
// takes three quarters of the time.
void ScheduleByLength(int* argc, char*** argv) {
  static auto* const arguments = new std::vector<char*>(*argv, *argv + *argc);
  for (const char* argument : *arguments) {
    if (std::strncmp(argument, "-entropic=", 10) == 0) return;
  }
  static char off[] = "-entropic=0";
  arguments->insert(arguments->begin() + 1, off);
  arguments->push_back(nullptr);
  *argv = arguments->data();
  *argc = static_cast<int>(arguments->size()) - 1;
}

// Stops the process at the first violation that is not known.
class Judge final : public RunListener {
 public:
  Judge(const model::Scenario& scenario, const Target& target)
      : target_(target) {
    ran_.topology = scenario.topology;
    ran_.schedule = scenario.schedule;
    ran_.operations.reserve(scenario.operations.size());
    for (const model::Operation& operation : scenario.operations) {
      assumes_ |= model::ClassesOf(operation.faults);
    }
  }

  void OnBoot(model::System& system,
              std::span<const properties::Violation> violations) override {
    Look(system, violations);
  }
  void OnStep(const model::Operation& operation, size_t, bool implicit, int,
              model::System& system,
              std::span<const properties::Violation> violations) override {
    if (!implicit) ran_.operations.push_back(operation);
    Look(system, violations);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const properties::Violation> violations) override {
    // In the scenario's order: threads are told apart by it.
    std::map<uint32_t, model::Operation> in_order;
    for (size_t i = 0; i < operations.size(); ++i) {
      in_order[indices[i]] = operations[i].operation;
    }
    for (const auto& [index, operation] : in_order) {
      ran_.operations.push_back(operation);
    }
    Look(system, violations);
  }
  void OnShutdown(model::System& system,
                  std::span<const properties::Violation> violations) override {
    Look(system, violations);
  }

 private:
  void Look(model::System& system,
            std::span<const properties::Violation> violations) {
    for (const properties::Violation& violation : violations) {
      if (IsKnown(violation, system)) continue;
      const Signature signature = SignatureOf(violation, assumes_, system);
      std::fprintf(stderr,
                   "atsfuzz-libfuzzer: violation %s\n%s\n"
                   "expected: %s  found: %s\n\n%s",
                   signature.text.c_str(), violation.message.c_str(),
                   violation.expected.c_str(), violation.found.c_str(),
                   model::Print(ran_).c_str());
      std::abort();
    }
  }

  // What happens with fewer faults than this input has, too.
  bool IsKnown(const properties::Violation& violation,
               model::System& system) const {
    const std::string name(properties::InvariantName(violation.invariant));
    if (target_.known.count(name) != 0) return true;
    for (uint8_t fewer = assumes_;; fewer = (fewer - 1) & assumes_) {
      if (target_.known.count(SignatureOf(violation, fewer, system).text) !=
          0) {
        return true;
      }
      if (fewer == 0) return false;
    }
  }

  const Target& target_;
  model::Scenario ran_;  // what was not dropped, so far
  uint8_t assumes_ = 0;
};

const model::Capabilities& Capabilities() { return TheTarget().capabilities; }

model::Scenario Read(const uint8_t* data, size_t size) {
  model::Scenario scenario =
      Restricted(model::Decode({data, size}), Capabilities());
  for (model::Operation& operation : scenario.operations) {
    operation.faults = OnlyClasses(operation.faults, TheTarget().faults);
  }
  return scenario;
}

// Writes the scenario to `data`, without its last operations if `room` is
// short. Returns the number of bytes; 0 if not even the machine fits.
size_t Write(model::Scenario scenario, uint8_t* data, size_t room) {
  std::vector<uint8_t> bytes = model::Encode(scenario);
  while (bytes.size() > room) {
    if (scenario.operations.empty()) return 0;
    scenario.operations.resize(scenario.operations.size() * 3 / 4);
    bytes = model::Encode(scenario);
  }
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

}  // namespace
}  // namespace atsfuzz::fuzz

extern "C" {

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  atsfuzz::fuzz::ScheduleByLength(argc, argv);
  atsfuzz::fuzz::SetUp(&atsfuzz::fuzz::TheTarget());
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  atsfuzz::fuzz::Target& target = atsfuzz::fuzz::TheTarget();
  const atsfuzz::model::Scenario scenario = atsfuzz::fuzz::Read(data, size);
  atsfuzz::fuzz::Judge judge(scenario, target);
  // A machine that does not boot is no finding; the campaign reports it.
  const auto result = atsfuzz::fuzz::Run(
      scenario, *target.system, {.drop_impossible = true, .listener = &judge});
  if (result.ok()) {
    atsfuzz::fuzz::CountOrderings(scenario, result->schedule,
                                  atsfuzz::fuzz::orderings);
  }
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                               unsigned int seed) {
  const atsfuzz::fuzz::Target& target = atsfuzz::fuzz::TheTarget();
  atsfuzz::model::Scenario scenario = atsfuzz::fuzz::Read(data, size);
  // The corpus grows by thousands, and no seed of it is picked twice.
  if (!target.seeds.empty() && (scenario.operations.empty() || seed % 8 == 0)) {
    scenario = atsfuzz::fuzz::Restricted(
        target.seeds[seed / 8 % target.seeds.size()], target.capabilities);
  }
  const bool wants_block =
      target.threads > 1 && !atsfuzz::model::BlockOf(scenario).exists();
  bool fresh = scenario.operations.empty() || (wants_block && seed % 4 == 0);
  if (!fresh) {
    scenario =
        atsfuzz::fuzz::Mutate(scenario, seed, target.faults,
                              target.most_operations, target.capabilities);
    fresh = target.topology && !(scenario.topology == *target.topology);
  }
  if (fresh) {
    atsfuzz::fuzz::GenerateOptions options;
    options.faults = target.faults;
    options.max_operations = 16;
    options.threads = target.threads;
    options.topology = target.topology;
    options.capabilities = target.capabilities;
    scenario = atsfuzz::fuzz::Generate(seed, options);
  }
  return atsfuzz::fuzz::Write(scenario, data, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1,
                                 const uint8_t* data2, size_t size2,
                                 uint8_t* out, size_t max_out_size,
                                 unsigned int seed) {
  return atsfuzz::fuzz::Write(
      atsfuzz::fuzz::Crossover(atsfuzz::fuzz::Read(data1, size1),
                               atsfuzz::fuzz::Read(data2, size2), seed,
                               atsfuzz::fuzz::TheTarget().most_operations),
      out, max_out_size);
}
}
