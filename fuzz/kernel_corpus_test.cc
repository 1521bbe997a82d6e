// What only kernels run yet: processes (shared virtual addressing), reserved
// regions and threads work as they should, and fail as was found.

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzz/generate.h"
#include "fuzz/judge_file.h"
#include "fuzz/run.h"
#include "fuzz/sighting.h"
#include "fuzz/strategy.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/block.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

std::vector<std::string> FilesOfProcesses() {
  std::vector<std::string> files = FilesOf("corpus/sva");
  for (std::string& file : FilesOf("corpus/seeds")) {
    if (absl::StrContains(file, "/sva-")) files.push_back(std::move(file));
  }
  return files;
}

// The kernel of a version; null, and a reason to skip, if it cannot be had.
std::unique_ptr<model::System> Obtain(
    const char* version, std::string* reason,
    linux_driver::BuildKind kind = linux_driver::BuildKind::kPlain) {
  const auto quiet = [](const std::string&) {};
  const auto tree = linux_driver::ObtainTree(version, {}, quiet);
  if (!tree.ok()) {
    *reason = std::string(tree.status().message());
    return nullptr;
  }
  const auto path = linux_driver::BuildModule(*tree, kind, quiet);
  EXPECT_TRUE(path.ok()) << path.status();
  if (!path.ok()) return nullptr;
  auto system = linux_driver::LoadModule(*path, tree->name);
  EXPECT_TRUE(system.ok()) << system.status();
  return system.ok() ? *std::move(system) : nullptr;
}

class KernelCorpus : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string reason;
    system_ = Obtain(GetParam(), &reason);
    if (!reason.empty()) GTEST_SKIP() << reason;
    ASSERT_NE(system_, nullptr);
  }
  int Judge(const std::vector<std::string>& files) {
    int judged = 0;
    for (const std::string& file : files) judged += JudgeFile(file, *system_);
    return judged;
  }

  std::unique_ptr<model::System> system_;
};

TEST_P(KernelCorpus, ProcessesDoAsTheirScenariosExpect) {
  ASSERT_TRUE(system_->capabilities().sva);
  EXPECT_GE(Judge(FilesOfProcesses()), 6);
}

TEST_P(KernelCorpus, ReservedRegionsDoAsTheirScenariosExpect) {
  ASSERT_TRUE(system_->capabilities().direct);
  EXPECT_GE(Judge(FilesOf("corpus/reserved")), 4);
}

TEST_P(KernelCorpus, RacesDoAsTheirScenariosExpect) {
  ASSERT_TRUE(system_->capabilities().threads);
  EXPECT_GE(Judge(FilesOf("corpus/races")), 7);
}

// What happened in the `par` block, to the last event but where threads stop:
// one that goes on at once has stopped where a scheduler says so.
class Course : public RunListener {
 public:
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t>, model::System& system,
               std::span<const properties::Violation> violations) override {
    const std::span<const atsfuzz_event> events = system.Events();
    const auto index = [&](uint32_t end) {
      return std::count_if(events.begin(), events.begin() + end, IsNoStop);
    };
    for (const properties::SideBySide& side : operations) {
      absl::StrAppend(&text_, int{side.operation.thread}, ":", side.result, " ",
                      index(side.began), "-", index(side.ended), "\n");
    }
    for (const atsfuzz_event& event : events) {
      if (!IsNoStop(event)) continue;
      absl::StrAppend(&text_, event.kind, " ", int{event.thread}, " ", event.a);
      if (!HoldsAddress(event)) {
        absl::StrAppend(&text_, " ", event.b, " ", event.c);
      }
      absl::StrAppend(&text_, "\n");
    }
    for (const properties::Violation& violation : violations) {
      absl::StrAppend(&text_, violation.message, "\n");
    }
  }
  const std::string& text() const { return text_; }

 private:
  static bool IsNoStop(const atsfuzz_event& event) {
    return event.kind != ATSFUZZ_EVENT_STOP;
  }
  // Tables are where the build of the driver has room for them.
  static bool HoldsAddress(const atsfuzz_event& event) {
    return event.kind == ATSFUZZ_EVENT_STE_WRITE ||
           event.kind == ATSFUZZ_EVENT_CD_WRITE;
  }

  std::string text_;
};

// The course of a run; "" if it cannot be run here. `ran`: as the block went.
std::string CourseOf(const model::Scenario& scenario, model::System& system,
                     Scheduler* scheduler, model::Schedule* ran) {
  Course course;
  RunOptions options;
  options.drop_impossible = true;
  options.listener = &course;
  options.scheduler = scheduler;
  const auto result = fuzz::Run(scenario, system, options);
  if (!result.ok()) return "";
  if (ran != nullptr) *ran = result->schedule;
  return course.text();
}

TEST_P(KernelCorpus, AScheduleGoesTheSameWayAHundredTimes) {
  int courses = 0;
  for (const std::string& file : FilesOf("corpus/races")) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const std::string first = CourseOf(*scenario, *system_, nullptr, nullptr);
    courses += !first.empty();
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(CourseOf(*scenario, *system_, nullptr, nullptr), first) << file;
    }
  }
  EXPECT_GE(courses, 7);
}

// Random blocks in random orders on one system go the same way on another, once
// they are schedules.
void ExpectTheSameCourses(uint64_t first_seed, model::System& one,
                          model::System& other) {
  GenerateOptions options;
  options.well_behaved = true;
  options.threads = 3;
  options.capabilities = one.capabilities();
  int courses = 0;
  for (uint64_t seed = first_seed; seed < first_seed + 600; ++seed) {
    model::Scenario scenario = Generate(seed, options);
    if (!BlockOf(scenario).exists()) continue;
    const auto schedules =
        SchedulesFor({.strategy = static_cast<Strategy>(1 + seed % 3)}, seed,
                     scenario.schedule);
    model::Schedule ran;
    const std::string course = CourseOf(scenario, one, schedules->Next(), &ran);
    if (ran.size() > model::kMaxTurns) continue;
    ++courses;
    scenario.schedule = ran;
    ASSERT_EQ(CourseOf(scenario, other, nullptr, nullptr), course)
        << model::Print(scenario);
  }
  EXPECT_GT(courses, 300);
}

TEST_P(KernelCorpus, WhatARandomSchedulerDidIsAScheduleThatDoesItAgain) {
  ExpectTheSameCourses(0, *system_, *system_);
}

TEST_P(KernelCorpus, TheInstrumentedBuildGoesTheSameWay) {
  std::string reason;
  const auto instrumented =
      Obtain(GetParam(), &reason, linux_driver::BuildKind::kInstrumented);
  ASSERT_NE(instrumented, nullptr) << reason;
  ExpectTheSameCourses(1000, *system_, *instrumented);
}

// How many grace periods had ended when each operation of the block returned.
class GracePeriods : public RunListener {
 public:
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t>, model::System& system,
               std::span<const properties::Violation>) override {
    const std::span<const atsfuzz_event> events = system.Events();
    for (const properties::SideBySide& side : operations) {
      ended_.push_back(static_cast<int>(std::count_if(
          events.begin(), events.begin() + side.ended, [](const auto& event) {
            return event.kind == ATSFUZZ_EVENT_GRACE_PERIOD && event.a == 0;
          })));
    }
  }
  const std::vector<int>& ended() const { return ended_; }

 private:
  std::vector<int> ended_;
};

TEST_P(KernelCorpus, GracePeriodsEndWhenTheScheduleSaysSo) {
  if (std::string(GetParam()) == "6.12")
    GTEST_SKIP() << "it frees nothing by RCU";
  auto scenario = model::Parse(
      "smmu s0\n"
      "pf p0 smmu=s0 ats\n"
      "pf p1 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n"
      "probe p0\n"
      "probe p1\n"
      "map d0 0\n"
      "par\n"
      "thread\n"
      "attach p0 d0\n"
      "thread\n"
      "unmap d0 0\n"
      "end\n",
      "kernel_corpus_test");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const model::Turn t0 = {model::Actor::Thread(1)},
                    t1 = {model::Actor::Thread(2)}, rcu = {model::Actor::Rcu()};
  const std::pair<model::Schedule, std::vector<int>> cases[] = {
      {{t0, t1}, {0, 0}}, {{t0, rcu, t1}, {0, 1}}, {{t0, t1, rcu}, {0, 0}}};
  for (const auto& [schedule, ended] : cases) {
    scenario->schedule = schedule;
    GracePeriods periods;
    const auto result = fuzz::Run(*scenario, *system_, {.listener = &periods});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(periods.ended(), ended) << model::Print(*scenario);
    EXPECT_EQ(MovesRcu(result->schedule), MovesRcu(schedule));
  }
}

// Where threads stop.
class Stops : public RunListener {
 public:
  void OnBlock(std::span<const properties::SideBySide>,
               std::span<const uint32_t>, model::System& system,
               std::span<const properties::Violation>) override {
    for (const atsfuzz_event& event : system.Events()) {
      if (event.kind != ATSFUZZ_EVENT_STOP) continue;
      for (model::Location& place : system.Locate(event)) {
        places_.push_back(std::move(place));
      }
    }
  }
  const std::vector<model::Location>& places() const { return places_; }

 private:
  std::vector<model::Location> places_;
};

TEST_P(KernelCorpus, ThreadsStopAtLinesOfTheSource) {
  std::string reason;
  const auto system =
      Obtain(GetParam(), &reason, linux_driver::BuildKind::kInstrumented);
  ASSERT_NE(system, nullptr) << reason;
  Stops stops;
  for (const std::string& file : FilesOf("corpus/races")) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const auto result = fuzz::Run(*scenario, *system, {.listener = &stops});
    ASSERT_TRUE(result.ok() || absl::IsUnimplemented(result.status()) ||
                absl::IsFailedPrecondition(result.status()))
        << file << result.status();
  }
  EXPECT_GT(stops.places().size(), 100u);
  for (const model::Location& place : stops.places()) {
    EXPECT_GT(place.line, 0) << place.function;
  }
}

// The same kernel with weak memory, and stops at plain accesses.
class WeakKernelCorpus : public KernelCorpus {
 protected:
  void SetUp() override {
    std::string reason;
    system_ =
        Obtain(GetParam(), &reason, linux_driver::BuildKind::kInstrumented);
    if (!reason.empty()) GTEST_SKIP() << reason;
    ASSERT_NE(system_, nullptr);
    ASSERT_TRUE(system_->capabilities().weak_memory);
  }
};

TEST_P(WeakKernelCorpus, LegalRacesShowNothingWhenMemoryIsWeak) {
  EXPECT_GE(Judge(FilesOf("corpus/weak-memory")), 2);
}

// What a kernel breaks in a scenario of a race, whatever the schedule.
std::set<std::string> BrokenBy(const model::Scenario& scenario,
                               model::System& system, Scheduler* scheduler) {
  RunOptions options;
  options.drop_impossible = true;
  options.scheduler = scheduler;
  std::set<std::string> names;
  const auto result = fuzz::Run(scenario, system, options);
  if (!result.ok()) return {std::string(result.status().message())};
  for (const properties::Violation& violation : result->violations) {
    names.emplace(properties::InvariantName(violation.invariant));
  }
  return names;
}

TEST_P(WeakKernelCorpus, WeakMemoryAndPlainStopsBreakNothingMore) {
  int weak_blocks = 0;
  for (const std::string& file : FilesOf("corpus/races")) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    std::set<std::string> strong, weak;
    for (uint64_t seed = 0; seed < 400; ++seed) {
      for (const bool is_weak : {false, true}) {
        const auto schedules =
            SchedulesFor({.strategy = static_cast<Strategy>(1 + seed % 3),
                          .weak = is_weak,
                          .plain_stops = is_weak},
                         seed, scenario->schedule);
        (is_weak ? weak : strong)
            .merge(BrokenBy(*scenario, *system_, schedules->Next()));
      }
      ++weak_blocks;
    }
    for (const std::string& name : weak) {
      EXPECT_TRUE(strong.contains(name)) << file << ": " << name;
    }
  }
  EXPECT_GE(weak_blocks, 4000);
}

TEST_P(WeakKernelCorpus, WeakTurnsAndPlainStopsGoTheSameWayAgain) {
  int courses = 0, weak = 0, plain = 0, rcu = 0;
  for (const std::string& file : FilesOf("corpus/races")) {
    auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    for (uint64_t seed = 0; seed < 30; ++seed) {
      const auto schedules = SchedulesFor(
          {.strategy = Strategy::kRandom, .weak = true, .plain_stops = true},
          seed, scenario->schedule);
      model::Schedule ran;
      const std::string first =
          CourseOf(*scenario, *system_, schedules->Next(), &ran);
      if (first.empty() || ran.size() > model::kMaxTurns) continue;
      ++courses;
      weak += model::HasWeakTurns(ran);
      plain += model::StopsAtPlainAccesses(ran);
      rcu += model::MovesRcu(ran);
      model::Scenario again = *scenario;
      again.schedule = ran;
      ASSERT_EQ(CourseOf(again, *system_, nullptr, nullptr), first)
          << model::Print(again);
    }
  }
  EXPECT_GE(courses, 200);
  EXPECT_GE(weak, 100);
  EXPECT_GE(plain, 100);
  EXPECT_GE(rcu, 100);
}

// Where the accesses of functions went.
class Accesses : public RunListener {
 public:
  void OnBlock(std::span<const properties::SideBySide>,
               std::span<const uint32_t>, model::System& system,
               std::span<const properties::Violation> violations) override {
    EXPECT_TRUE(violations.empty());
    for (const atsfuzz_event& event : system.Events()) {
      if (event.kind == ATSFUZZ_EVENT_DMA) results_.push_back(event.c);
    }
  }
  const std::vector<uint64_t>& results() const { return results_; }

 private:
  std::vector<uint64_t> results_;
};

// A grace period is a barrier on every CPU: the new entry of a map is in its
// CPU's store buffer until then.
TEST_P(WeakKernelCorpus, ALateGracePeriodShowsWhatAnEarlyOneHides) {
  if (std::string(GetParam()) == "6.12") {
    GTEST_SKIP() << "it frees nothing by RCU";
  }
  const std::pair<std::string, uint64_t> cases[] = {
      {"t0@4~ t2", ATSFUZZ_DMA_BLOCKED},
      {"t0@4~ t1 t2", ATSFUZZ_DMA_UNTRANSLATED},
      {"t0@4~ t1 t2 rcu", ATSFUZZ_DMA_BLOCKED},
      {"t0@4~ t1 rcu t2", ATSFUZZ_DMA_UNTRANSLATED},
  };
  for (const auto& [turns, access] : cases) {
    const auto scenario = model::Parse(
        "smmu s0\n"
        "pf p0 smmu=s0\n"
        "pf p1 smmu=s0 ats\n"
        "domain d0 smmu=s0 stage=1\n"
        "domain d1 smmu=s0 stage=1\n"
        "probe p0\n"
        "probe p1\n"
        "attach p0 d0\n"
        "map d0 1\n"
        "par\n"
        "thread\n"
        "map d0 0\n"
        "thread\n"
        "attach p1 d1\n"
        "thread\n"
        "dma p0 0\n"
        "end\n"
        "schedule " +
            turns + "\n",
        "kernel_corpus_test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    Accesses accesses;
    const auto result = fuzz::Run(*scenario, *system_, {.listener = &accesses});
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(accesses.results(), std::vector<uint64_t>{access}) << turns;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, WeakKernelCorpus,
                         testing::Values("6.12", "7.2", "7.3"));

// What races in data, by the places that its messages name.
std::set<std::string> DataRacesOf(const model::Scenario& scenario,
                                  model::System& system, Scheduler* scheduler) {
  SightingCollector collector;
  RunOptions options;
  options.drop_impossible = true;
  options.listener = &collector;
  options.scheduler = scheduler;
  std::set<std::string> races;
  if (!fuzz::Run(scenario, system, options).ok()) return races;
  for (const Sighting& sighting : collector.sightings()) {
    const properties::Violation& violation = sighting.violation;
    if (violation.invariant == properties::Invariant::kDataRace) {
      races.insert(violation.message);
    }
  }
  return races;
}

// 6.12: the belief (corpus/races/belief-after-enable.ats), and who allocates a
// domain for a whole bus, which looks at devices that are being probed.
bool IsRaceOf612(const std::string& race) {
  return absl::StrContains(race, "ats_enabled") ||
         absl::StrContains(race, "dev->iommu");
}

TEST_P(KernelCorpus, OnlyWhatIsUnderstoodRacesInData) {
  std::string reason;
  const auto system =
      Obtain(GetParam(), &reason, linux_driver::BuildKind::kInstrumented);
  ASSERT_NE(system, nullptr) << reason;
  ASSERT_TRUE(system->Locates());
  system->AskForDataRaces(true);
  std::set<std::string> races;
  std::vector<std::string> files = FilesOf("corpus/races");
  files.push_back("corpus/data-races/belief-without-once.ats");
  for (const std::string& file : files) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    races.merge(DataRacesOf(*scenario, *system, nullptr));
  }
  GenerateOptions options;
  options.well_behaved = true;
  options.threads = 3;
  options.capabilities = system->capabilities();
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const model::Scenario scenario = Generate(seed, options);
    const auto schedules =
        SchedulesFor({.strategy = static_cast<Strategy>(1 + seed % 3)}, seed,
                     scenario.schedule);
    races.merge(DataRacesOf(scenario, *system, schedules->Next()));
  }
  const bool is_612 = GetParam() == absl::string_view("6.12");
  EXPECT_EQ(races.empty(), !is_612);
  for (const std::string& race : races) {
    EXPECT_TRUE(is_612 && IsRaceOf612(race)) << race;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, KernelCorpus,
                         testing::Values("6.12", "7.2", "7.3"));

}  // namespace
}  // namespace atsfuzz::fuzz
