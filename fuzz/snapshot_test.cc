// Snapshots of the systems under test: a run that goes on from one shows, byte
// for byte, what the run shows that began with a boot.

#include "linux/kernel/snapshot.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/child.h"
#include "fuzz/generate.h"
#include "fuzz/recording.h"
#include "fuzz/run.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/cache.h"
#include "linux/source_files.h"
#include "linux/system.h"
#include "linux/temporary_folder.h"
#include "linux/tree.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using linux_driver::BuildKind;
using Bytes = std::vector<uint8_t>;

void Append(const void* data, size_t bytes, Bytes* out) {
  const auto* first = static_cast<const uint8_t*>(data);
  out->insert(out->end(), first, first + bytes);
}

// Everything that a system shows now: the observation with what it points to,
// the events with their texts, and with `located` where they and the last
// writes were.
Bytes Shown(model::System& system, int result, bool located) {
  Bytes shown;
  Append(&result, sizeof(result), &shown);
  atsfuzz_observation seen = system.Observe();
  Append(seen.atc, seen.atc_count * sizeof(*seen.atc), &shown);
  Append(seen.iotlb, seen.iotlb_count * sizeof(*seen.iotlb), &shown);
  Append(seen.invs, seen.inv_count * sizeof(*seen.invs), &shown);
  seen.atc = nullptr;
  seen.iotlb = nullptr;
  seen.invs = nullptr;
  Append(&seen, sizeof(seen), &shown);
  const auto place = [&](const std::vector<model::Location>& stack) {
    for (const model::Location& at : stack) {
      Append(at.function.data(), at.function.size(), &shown);
      Append(&at.line, sizeof(at.line), &shown);
    }
  };
  for (atsfuzz_event event : system.Events()) {
    if (located) place(system.Locate(event));
    for (const char** text :
         {&event.text, &event.file, &event.kernel_function}) {
      if (*text != nullptr) Append(*text, std::strlen(*text), &shown);
      *text = nullptr;
    }
    Append(&event, sizeof(event), &shown);
  }
  for (uint8_t kind = 0; located && kind < model::Fact::kNone; ++kind) {
    for (uint8_t index = 0; index < ATSFUZZ_MAX_DOMAIN_SLOTS; ++index) {
      place(system.LastWriter({model::Fact::Kind(kind), index}));
    }
  }
  return shown;
}

// A scenario as calls into a system.
struct Script {
  model::Topology topology;
  std::vector<Call> calls;
};

// BUG, or an endless wait: the kernel does nothing from here on.
bool Died(std::span<const atsfuzz_event> events) {
  return std::any_of(events.begin(), events.end(), [](const auto& event) {
    return event.a == 1 && (event.kind == ATSFUZZ_EVENT_WARN ||
                            event.kind == ATSFUZZ_EVENT_TIMEOUT ||
                            event.kind == ATSFUZZ_EVENT_MEMORY_ERROR);
  });
}

// The core takes the PASIDs of a VF to be its PF's (pci_max_pasids), the driver
// has none if the PF's are off (arm_smmu_enable_pasid): it then writes behind
// its CD table, to memory that no machine has.
bool LeavesItsMemory(const Script& script) {
  const model::Topology& topology = script.topology;
  unsigned vfs = 0;
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    if (topology.functions[i].kind == model::FunctionKind::kVf) vfs |= 1u << i;
  }
  return std::any_of(
      script.calls.begin(), script.calls.end(), [&](const Call& call) {
        const model::Operation& operation = call.operation;
        const bool sets_cd = operation.kind == model::OperationKind::kBind ||
                             (operation.pasid != 0 &&
                              operation.kind != model::OperationKind::kDma);
        return sets_cd && operation.function.valid() &&
               (model::MembersOf(topology, operation.function) & vfs) != 0;
      });
}

// The calls of a generated scenario, with every class of faults; none if it
// cannot be held to anything.
Script ScriptOf(uint64_t seed, model::System& system) {
  GenerateOptions options;
  options.faults = model::kAllFaults;
  options.capabilities = system.capabilities();
  options.max_operations = 24;
  Recording recording(system);
  const model::Scenario scenario = Generate(seed, options);
  const auto result = Run(scenario, recording, {.drop_impossible = true});
  if (!result.ok()) return {scenario.topology, {}};
  Script script{scenario.topology, recording.calls()};
  if (LeavesItsMemory(script)) script.calls.clear();
  return script;
}

class Snapshots {
 public:
  Snapshots(model::System& system, bool located)
      : system_(system), located_(located) {}

  // After the boot, after each call, and after the shutdown.
  std::vector<Bytes> All(const Script& script) {
    if (!system_.Boot(script.topology).ok()) return {};
    std::vector<Bytes> shown = {Shown(system_, 0, located_)};
    for (Bytes& more : Rest(script, 0)) shown.push_back(std::move(more));
    return shown;
  }

  // The same from call `first` on.
  std::vector<Bytes> Rest(const Script& script, size_t first) {
    std::vector<Bytes> shown;
    for (size_t i = first; i < script.calls.size(); ++i) {
      const Call& call = script.calls[i];
      const int result =
          system_.Operate(call.operation, call.through, call.physical);
      shown.push_back(Shown(system_, result, located_));
      faults += !(call.operation.faults == model::Faults());
      deaths += Died(system_.Events());
    }
    system_.Shutdown();
    shown.push_back(Shown(system_, 0, located_));
    return shown;
  }

  // Boots, runs `cut` calls.
  void Begin(const Script& script, size_t cut) {
    if (!system_.Boot(script.topology).ok()) return;
    Shown(system_, 0, located_);
    for (size_t i = 0; i < cut; ++i) {
      const Call& call = script.calls[i];
      system_.Operate(call.operation, call.through, call.physical);
      Shown(system_, 0, located_);
    }
  }

  uint64_t faults = 0, deaths = 0;

 private:
  model::System& system_;
  const bool located_;
};

// Of what Shown returned, all but the result.
bool SameFacts(const Bytes& a, const Bytes& b) {
  return std::ranges::equal(std::span(a).subspan(sizeof(int)),
                            std::span(b).subspan(sizeof(int)));
}

// Call stacks are kept as they lie on the stack: instrumented states differ in
// bytes that nobody reads.
bool SameState(model::System& system, const model::System::Snapshot& state) {
  return system.Locates() ||
         std::ranges::equal(system.TakeSnapshot()->bytes(), state.bytes());
}

// Holds every way back to a cut of `script` against the run from a boot;
// `other` is run in between, on a machine of its own. Returns what differed.
std::vector<std::string> Differences(const Script& script, size_t cut,
                                     const Script& other, bool located,
                                     model::System& system, Snapshots* runs) {
  std::vector<std::string> differences;
  const auto expect = [&](bool holds, const std::string& what) {
    if (!holds) differences.push_back(what);
  };
  const std::vector<Bytes> whole = runs->All(script);
  const auto at_end = system.TakeSnapshot();
  runs->Begin(script, cut);
  const auto snapshot = system.TakeSnapshot();
  const std::vector<Bytes> rest(whole.begin() + static_cast<long>(cut) + 1,
                                whole.end());
  expect(runs->Rest(script, cut) == rest, "the run that goes on");
  for (const std::string from : {"the end", "the same end", "elsewhere"}) {
    if (from == "elsewhere") runs->All(other);
    system.Restore(*snapshot);
    expect(SameFacts(Shown(system, 0, located), whole[cut]),
           "what is shown, back from " + from);
    expect(SameState(system, *snapshot), "the state, back from " + from);
    expect(runs->Rest(script, cut) == rest, "the run, back from " + from);
    expect(SameState(system, *at_end), "the last state, back from " + from);
  }
  return differences;
}

struct Tally {
  uint64_t scripts = 0, calls = 0, faults = 0;
  uint64_t deaths = 0;  // scripts in which the kernel died
  std::vector<std::string> differences;
};

// Scenarios `next` .. `end` - 1, until one of them kills the process.
void Compare(uint64_t next, uint64_t end, bool located, model::System& system,
             Link& link) {
  for (uint64_t seed = next; seed < end; ++seed) {
    link.Begin(seed);
    const Script script = ScriptOf(seed, system);
    const Script other = ScriptOf(seed + end, system);
    if (script.calls.empty() || other.calls.empty()) continue;
    Snapshots runs(system, located);
    const size_t cut = seed % (script.calls.size() + 1);
    for (const std::string& what :
         Differences(script, cut, other, located, system, &runs)) {
      link.Send("seed " + std::to_string(seed) + ": " + what);
    }
    if (runs.deaths > 0) link.Send("died");
    link.Done(script.calls.size(), runs.faults);
  }
}

// Faults make 6.12 use null pointers: then the process goes, and with it the
// scenario.
Tally CompareMany(uint64_t count, bool located, model::System& system) {
  Tally tally;
  for (uint64_t next = 0; next < count;) {
    const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
      Compare(next, count, located, system, link);
    });
    for (std::string& line : child->ReceiveAll(10000)) {
      if (line == "died") {
        ++tally.deaths;
      } else {
        tally.differences.push_back(std::move(line));
      }
    }
    tally.scripts += child->done();
    tally.calls += child->operations();
    tally.faults += child->effective();
    next = child->finished() ? count : child->item() + 1;
  }
  return tally;
}

void ExpectTheSame(const Tally& tally, uint64_t count) {
  EXPECT_THAT(tally.differences, testing::IsEmpty());
  EXPECT_GT(tally.scripts, count / 2);
  EXPECT_GT(tally.calls, count * 4);
  EXPECT_GT(tally.faults, count / 4);
}

// A long run of a machine that nothing is known to break on.
Script WellBehavedScript(model::System& system) {
  GenerateOptions options;
  options.well_behaved = true;
  Script longest;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Recording recording(system);
    const model::Scenario scenario = Generate(seed, options);
    if (!Run(scenario, recording, {.drop_impossible = true}).ok()) continue;
    if (recording.calls().size() <= longest.calls.size()) continue;
    longest = {scenario.topology, recording.calls()};
  }
  return longest;
}

// Whether `holds`, asked in a process that it may end, does not.
bool Breaks(const std::function<bool()>& holds) {
  const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
    link.Begin(0);
    if (holds()) link.Send("holds");
  });
  return child->ReceiveAll(10000).empty();
}

class RealDriver : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto tree = linux_driver::ObtainTree(GetParam(), {}, [](const auto&) {});
    if (!tree.ok()) {
      GTEST_SKIP() << "no source of Linux " << GetParam() << ": "
                   << tree.status().message();
    }
    tree_ = *std::move(tree);
  }

  static std::unique_ptr<model::System> Load(const linux_driver::Tree& tree,
                                             BuildKind kind) {
    const auto module =
        linux_driver::BuildModule(tree, kind, [](const auto&) {});
    if (!module.ok()) {
      ADD_FAILURE() << module.status();
      return nullptr;
    }
    return *linux_driver::LoadModule(*module, tree.name);
  }

  linux_driver::Tree tree_;
};

TEST_P(RealDriver, GoesOnFromASnapshotAsFromABoot) {
  const auto system = Load(tree_, BuildKind::kPlain);
  ExpectTheSame(CompareMany(3000, false, *system), 3000);
}

TEST_P(RealDriver, WithCallStacksGoesOnFromASnapshotAsFromABoot) {
  const auto system = Load(tree_, BuildKind::kInstrumented);
  ExpectTheSame(CompareMany(60, true, *system), 60);
}

TEST_P(RealDriver, ComesBackFromTheDeathOfTheKernel) {
  // The copy dies in its fourth attach.
  absl::StatusOr<std::vector<linux_driver::SourceFile>> files =
      linux_driver::ReadSourceFiles(tree_.path);
  ASSERT_TRUE(files.ok()) << files.status();
  const linux_driver::TemporaryFolder folder;
  ASSERT_TRUE(linux_driver::WriteSourceFiles(*files, folder / "linux").ok());
  const std::string path =
      folder / "linux/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";
  std::string driver = *linux_driver::ReadFile(path);
  const std::string prepare = "int arm_smmu_attach_prepare(";
  const size_t body = driver.find("{\n", driver.find(prepare));
  ASSERT_NE(body, std::string::npos);
  driver.insert(body + 2, "\tstatic int calls;\n\tBUG_ON(++calls == 4);\n");
  ASSERT_TRUE(linux_driver::WriteFile(path, driver).ok());
  const auto copy =
      linux_driver::ObtainTree(folder / "linux", {}, [](const auto&) {});
  ASSERT_TRUE(copy.ok()) << copy.status();
  const auto system = Load(*copy, BuildKind::kPlain);
  const Tally tally = CompareMany(300, false, *system);
  ExpectTheSame(tally, 300);
  EXPECT_GT(tally.deaths, 100u);
}

TEST_P(RealDriver, IsNotTheSameWithoutAnyPartOfTheSnapshot) {
  const auto system = Load(tree_, BuildKind::kPlain);
  Snapshots runs(*system, false);
  const Script script = WellBehavedScript(*system);
  const size_t cut = script.calls.size() / 2;
  const std::vector<Bytes> whole = runs.All(script);
  const std::vector<Bytes> rest(whole.begin() + static_cast<long>(cut) + 1,
                                whole.end());
  runs.Begin(script, cut);
  const auto snapshot = system->TakeSnapshot();
  atsfuzz_snapshot header;
  std::memcpy(&header, snapshot->bytes().data(), sizeof(header));
  int changed = 0, seen = 0;
  for (uint64_t i = 0; i < header.count; ++i) {
    const atsfuzz_snapshot_range& range = header.ranges[i];
    runs.Rest(script, cut);
    const Bytes left(range.start, range.start + range.bytes);
    system->Restore(*snapshot);
    if (std::memcmp(range.start, left.data(), left.size()) == 0) continue;
    ++changed;
    std::memcpy(range.start, left.data(), left.size());
    EXPECT_FALSE(SameState(*system, *snapshot)) << "range " << i;
    seen += Breaks([&] { return runs.Rest(script, cut) == rest; });
    system->Restore(*snapshot);
  }
  EXPECT_FALSE(Breaks([&] { return runs.Rest(script, cut) == rest; }));
  EXPECT_GT(changed, 8);
  EXPECT_GT(seen, changed / 2);
}

TEST_P(RealDriver, CountsCoverageOnAcrossARestore) {
  const auto system = Load(tree_, BuildKind::kPlain);
  Snapshots runs(*system, false);
  const Script script = WellBehavedScript(*system);
  runs.Begin(script, 0);
  const auto snapshot = system->TakeSnapshot();
  runs.Rest(script, 0);
  const auto counters = system->Coverage();
  const Bytes before(counters.begin(), counters.end());
  system->Restore(*snapshot);
  EXPECT_TRUE(std::ranges::equal(system->Coverage(), before));
}

INSTANTIATE_TEST_SUITE_P(Kernels, RealDriver, testing::Values("6.12", "7.3"));

TEST(AbstractMachine, GoesOnFromASnapshotAsFromABoot) {
  const auto system =
      machine::MakeSystem(*machine::ParseDesign("6.12"), "model:6.12");
  const Tally tally = CompareMany(300, true, *system);
  ExpectTheSame(tally, 300);
  EXPECT_GT(tally.deaths, 0u);
}

}  // namespace
}  // namespace atsfuzz::fuzz
