// Schedules that PreemptionSearch leaves out on a kernel are equal to one that
// it runs.

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzz/judge_file.h"
#include "fuzz/preemptions.h"
#include "fuzz/run.h"
#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

// What can be told of a `par` block: results, violations, and the hardware's
// events in their order.
class Course : public RunListener {
 public:
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const properties::Violation> violations) override {
    for (size_t i = 0; i < operations.size(); ++i) {
      absl::StrAppend(&text_, indices[i], "=", operations[i].result, "\n");
    }
    for (const atsfuzz_event& event : system.Events()) {
      if (event.kind == ATSFUZZ_EVENT_STOP ||
          event.kind == ATSFUZZ_EVENT_ALLOC) {
        continue;
      }
      absl::StrAppend(&text_, event.kind, " ", int{event.thread}, " ", event.a,
                      " ", event.b, " ", event.c, "\n");
    }
    Add(violations);
  }
  void OnShutdown(model::System&,
                  std::span<const properties::Violation> violations) override {
    Add(violations);
  }
  const std::string& text() const { return text_; }

 private:
  void Add(std::span<const properties::Violation> violations) {
    for (const properties::Violation& violation : violations) {
      absl::StrAppend(&text_, violation.message, "\n");
    }
  }

  std::string text_;
};

// What another one chooses; it is not told what was touched.
class Blind : public Scheduler {
 public:
  explicit Blind(Scheduler& chooser) : chooser_(chooser) {}
  void Begin(const Situation& situation) override { chooser_.Begin(situation); }
  Choice Next(const Situation& situation) override {
    return chooser_.Next(situation);
  }
  void Moved(model::Actor actor, const model::Touched&) override {
    chooser_.Moved(actor, std::nullopt);
  }

 private:
  Scheduler& chooser_;
};

struct Courses {
  std::set<std::string> all;
  int runs = 0;
};

Courses Explore(const model::Scenario& scenario, model::System& system,
                int preemptions, bool tells) {
  Courses courses;
  PreemptionSearch search(preemptions);
  while (Scheduler* scheduler = search.Next()) {
    Blind blind(*scheduler);
    Course course;
    const auto result = Run(scenario, system,
                            {.drop_impossible = true,
                             .listener = &course,
                             .scheduler = tells ? scheduler : &blind});
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) break;
    ++courses.runs;
    courses.all.insert(course.text());
  }
  return courses;
}

class Reduction : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto quiet = [](const std::string&) {};
    const auto tree = linux_driver::ObtainTree(GetParam(), {}, quiet);
    if (!tree.ok()) GTEST_SKIP() << tree.status().message();
    const auto path = linux_driver::BuildModule(
        *tree, linux_driver::BuildKind::kInstrumented, quiet);
    ASSERT_TRUE(path.ok()) << path.status();
    auto system = linux_driver::LoadModule(*path, tree->name);
    ASSERT_TRUE(system.ok()) << system.status();
    system_ = *std::move(system);
  }

  std::unique_ptr<model::System> system_;
};

TEST_P(Reduction, LeavesOutNoCourseOfARaceWithOnePreemption) {
  int full_runs = 0, reduced_runs = 0;
  for (const std::string& file : FilesOf("corpus/races")) {
    // Its queue takes thousands of steps to fill.
    if (absl::StrContains(file, "full-queue")) continue;
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const Courses full = Explore(*scenario, *system_, 1, false);
    const Courses reduced = Explore(*scenario, *system_, 1, true);
    EXPECT_EQ(reduced.all, full.all) << file;
    full_runs += full.runs;
    reduced_runs += reduced.runs;
  }
  EXPECT_LT(reduced_runs, full_runs * 3 / 4);
}

TEST_P(Reduction, LeavesOutNoCourseOfARaceWithTwoPreemptions) {
  for (const char* file : {"corpus/races/walk-waits-for-sync.ats",
                           "corpus/races/atc-inv-after-detach.ats"}) {
    const auto scenario = model::ReadScenario(file);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    const Courses full = Explore(*scenario, *system_, 2, false);
    const Courses reduced = Explore(*scenario, *system_, 2, true);
    EXPECT_EQ(reduced.all, full.all) << file;
    EXPECT_LT(reduced.runs, full.runs * 2 / 3) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Reduction, testing::Values("6.12", "7.3"),
                         [](const auto& param) {
                           std::string name = param.param;
                           name.erase(name.find('.'), 1);
                           return "Linux" + name;
                         });

}  // namespace
}  // namespace atsfuzz::fuzz
