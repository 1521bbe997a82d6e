#include "fuzz/round.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

// v0 shows a violation at once; that the counter is raised late shows if the
// attach of p0 gives way.
constexpr char kTwoBugs[] =
    "smmu   s0\n"
    "pf     p0  smmu=s0 ats default=identity\n"
    "pf     p1  smmu=s0 default=identity\n"
    "pf     p2  ats\n"
    "vf     v0  of=p2 smmu=s0 ats default=identity\n"
    "domain d0  smmu=s0 stage=1\n"
    "domain d1  smmu=s0 stage=1\n"
    "probe  v0\n"
    "attach v0 d1\n"
    "probe  p0\n"
    "probe  p1\n"
    "attach p1 d0\n"
    "map    d0 0\n"
    "par\n"
    "  thread\n"
    "    attach p0 d0\n"
    "  thread\n"
    "    dma    p0 0\n"
    "    unmap  d0 0\n"
    "end\n";

std::vector<RunReport> AllSchedulesOf(const std::string& text) {
  const auto scenario = model::Parse(text, "test.ats");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  const Coverage nothing;
  Round round;
  round.count = 1;
  round.scenario = [&](uint64_t) { return *scenario; };
  round.schedules = [](uint64_t, const model::Schedule& own) {
    return SchedulesFor({.strategy = Strategy::kBounded, .preemptions = 1}, 1,
                        own);
  };
  round.load = []() -> absl::StatusOr<std::unique_ptr<model::System>> {
    const std::string design = "6.1,count-before-enable=off";
    return machine::MakeSystem(*machine::ParseDesign(design), design);
  };
  round.known = &nothing;
  const auto result = RunRound(round);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->reports : std::vector<RunReport>();
}

bool Shows(const RunReport& report, const std::string& invariant) {
  return std::any_of(
      report.keys.begin(), report.keys.end(),
      [&](const auto& key) { return absl::StartsWith(key, invariant); });
}

TEST(Round, AViolationOfAllSchedulesHidesNoneOfSome) {
  const std::vector<RunReport> reports = AllSchedulesOf(kTwoBugs);
  ASSERT_GE(reports.size(), 2u);
  EXPECT_TRUE(Shows(reports.front(), "belief-matches-device"));
  EXPECT_FALSE(Shows(reports.front(), "no-stale-atc"));
  const auto race = std::find_if(
      reports.begin(), reports.end(),
      [](const auto& report) { return Shows(report, "no-stale-atc"); });
  ASSERT_NE(race, reports.end());
  EXPECT_FALSE(Shows(*race, "belief-matches-device")) << "told before";
  // The schedule that shows it, and not the last one.
  EXPECT_EQ(race->schedule.front().actor, model::Actor::Thread(1));
  EXPECT_NE(race->schedule.front().step, 0);
}

}  // namespace
}  // namespace atsfuzz::fuzz
