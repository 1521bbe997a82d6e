#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fuzz/byte_mutator.h"
#include "fuzz/faults.h"
#include "fuzz/orderings.h"
#include "fuzz/run.h"
#include "fuzz/signature.h"
#include "fuzz/target.h"
#include "model/text.h"

// The fuzz target: scenarios as bytes, on a driver or on the abstract machine.
// Which one, the program says that it is part of (fuzz/target.h).
//
//   [ATSFUZZ_FAULTS=none|all|LIST] [ATSFUZZ_KNOWN=<file>]
//   [ATSFUZZ_OPERATIONS=64] [ATSFUZZ_WITHOUT=pasids,groups,resets]
//   [ATSFUZZ_THREADS=1] [ATSFUZZ_TOPOLOGY=FILE] [ATSFUZZ_SEEDS=FOLDER]
//   atsfuzz-libfuzzer [libFuzzer's options] CORPUS
//
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
// A violation aborts, so that the engine keeps the input; unless the file of
// known ones names its invariant or its signature, one a line.
namespace atsfuzz::fuzz {
namespace {

struct Target {
  std::unique_ptr<model::System> system;
  std::optional<ByteMutator> mutator;
  std::set<std::string> known;
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

ByteMutator::Options ReadOptions(const TargetSetup& setup) {
  ByteMutator::Options options;
  options.capabilities = setup.system->capabilities();
  if (const char* without = std::getenv("ATSFUZZ_WITHOUT")) {
    LeaveOut(without, &options.capabilities);
  }
  const char* faults = std::getenv("ATSFUZZ_FAULTS");
  const auto classes =
      ParseFaultClasses(faults == nullptr ? setup.faults : faults);
  if (!classes.ok()) {
    Die("ATSFUZZ_FAULTS: " + std::string(classes.status().message()));
  }
  options.faults = *classes;
  if (const char* most = std::getenv("ATSFUZZ_OPERATIONS")) {
    if (!absl::SimpleAtoi(most, &options.most_operations) ||
        options.most_operations == 0) {
      Die("ATSFUZZ_OPERATIONS: expected a number from 1");
    }
  }
  if (const char* file = std::getenv("ATSFUZZ_TOPOLOGY")) {
    const auto scenario = model::ReadScenario(file);
    if (!scenario.ok()) Die(std::string(scenario.status().message()));
    options.topology = scenario->topology;
  }
  if (const char* folder = std::getenv("ATSFUZZ_SEEDS")) {
    options.seeds = ReadSeeds(folder);
  }
  options.threads = setup.threads;
  if (const char* threads = std::getenv("ATSFUZZ_THREADS")) {
    if (!absl::SimpleAtoi(threads, &options.threads) || options.threads < 1 ||
        options.threads > ATSFUZZ_MAX_THREADS) {
      Die("ATSFUZZ_THREADS: expected 1 to " +
          std::to_string(ATSFUZZ_MAX_THREADS));
    }
  }
  if (options.threads == 1) options.capabilities.threads = false;
  return options;
}

void SetUp(TargetSetup setup, Target* target) {
  target->mutator.emplace(ReadOptions(setup));
  target->system = std::move(setup.system);
  const char* known = std::getenv("ATSFUZZ_KNOWN");
  if (known != nullptr) setup.known = known;
  if (!setup.known.empty()) target->known = ReadKnown(setup.known);
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
      // All violations abort at this place: ClusterFuzz tells them apart by the
      // text of an assertion, which it knows by glibc's wording.
      std::fprintf(stderr,
                   "%s%s\n%s\n"
                   "expected: %s  found: %s\n\n%s"
                   "atsfuzz: Assertion `%s' failed.\n",
                   kViolationPrefix, signature.text.c_str(),
                   violation.message.c_str(), violation.expected.c_str(),
                   violation.found.c_str(), model::Print(ran_).c_str(),
                   signature.text.c_str());
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

}  // namespace

void Die(const std::string& message) {
  std::fprintf(stderr, "atsfuzz-libfuzzer: %s\n", message.c_str());
  std::exit(3);
}

void LearnKnown(const std::string& name) { TheTarget().known.insert(name); }

}  // namespace atsfuzz::fuzz

extern "C" {

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  atsfuzz::fuzz::SetUp(atsfuzz::fuzz::SetUpTarget(argc, argv),
                       &atsfuzz::fuzz::TheTarget());
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  atsfuzz::fuzz::Target& target = atsfuzz::fuzz::TheTarget();
  const atsfuzz::model::Scenario scenario = target.mutator->Read({data, size});
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
  const std::vector<uint8_t> bytes =
      atsfuzz::fuzz::TheTarget().mutator->Mutate({data, size}, seed, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1,
                                 const uint8_t* data2, size_t size2,
                                 uint8_t* out, size_t max_out_size,
                                 unsigned int seed) {
  const std::vector<uint8_t> bytes = atsfuzz::fuzz::TheTarget().mutator->Cross(
      {data1, size1}, {data2, size2}, seed, max_out_size);
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}
}
