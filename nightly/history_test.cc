#include "nightly/history.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::nightly {
namespace {

using testing::HasSubstr;

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/history.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<History> Open() const {
    auto history = History::Open(folder_ + "/history.sqlite");
    EXPECT_TRUE(history.ok()) << history.status();
    return history.ok() ? *std::move(history) : nullptr;
  }
  static Slice SliceOf(NightNumber night, int64_t number) {
    Slice slice;
    slice.night = night;
    slice.number = number;
    slice.driver = "linux:6.12";
    slice.engine = "mixed";
    slice.runs = 100;
    slice.operations = 1000;
    return slice;
  }
  static Found FoundAs(const std::string& signature, int64_t operations = 2) {
    Found found;
    found.driver = "linux:6.12";
    found.signature = signature;
    found.invariant = "no-leak";
    found.assumes = "honest";
    found.operations = operations;
    found.scenario = absl::StrCat("scenario of ", operations);
    return found;
  }

  std::string folder_;
};

TEST_F(HistoryTest, KeepsWhatItWasToldWhenItIsOpenedAgain) {
  {
    auto history = Open();
    const auto night = history->Begin("2026-01-01 00:00:00", "seconds = 1\n");
    ASSERT_TRUE(night.ok()) << night.status();
    EXPECT_EQ(*night, 1);
    ASSERT_TRUE(
        history->Record(SliceOf(1, 1), {FoundAs("no-leak-1")}, {}).ok());
    ASSERT_TRUE(history
                    ->Record({.night = 1,
                              .driver = "linux:6.12",
                              .entries = 7,
                              .branches = 10,
                              .branches_covered = 4})
                    .ok());
    ASSERT_TRUE(history->End(1, NightEnd::kDone, "2026-01-01 08:00:00").ok());
  }
  auto history = Open();
  const auto nights = history->Nights();
  ASSERT_TRUE(nights.ok()) << nights.status();
  ASSERT_EQ(nights->size(), 1u);
  EXPECT_EQ(nights->front().end, NightEnd::kDone);
  EXPECT_EQ(nights->front().settings, "seconds = 1\n");
  EXPECT_EQ(history->Slices(1)->front().operations, 1000);
  EXPECT_EQ(history->Corpora()->front().entries, 7);
  const auto findings = history->Findings();
  ASSERT_EQ(findings->size(), 1u);
  EXPECT_EQ(findings->front().found.signature, "no-leak-1");
  EXPECT_EQ(findings->front().judgements.size(), 1u);
}

TEST_F(HistoryTest, CountsASliceOnce) {
  auto history = Open();
  ASSERT_TRUE(history->Begin("", "").ok());
  ASSERT_TRUE(history->Record(SliceOf(1, 1), {}, {}).ok());
  Slice again = SliceOf(1, 1);
  again.runs = 5;
  ASSERT_TRUE(history->Record(again, {FoundAs("no-leak-1")}, {}).ok());
  EXPECT_EQ(history->Slices(1)->size(), 1u);
  EXPECT_EQ(history->Slices(1)->front().runs, 100);
  EXPECT_TRUE(history->Findings()->empty());
}

TEST_F(HistoryTest, ANightThatDidNotEndIsCutOffByTheNext) {
  auto history = Open();
  ASSERT_TRUE(history->Begin("", "").ok());
  EXPECT_EQ(*history->Begin("", ""), 2);
  const auto nights = history->Nights();
  EXPECT_EQ(nights->at(0).end, NightEnd::kCutOff);
  EXPECT_EQ(nights->at(1).end, NightEnd::kRunning);
}

TEST_F(HistoryTest, KeepsTheSmallestScenarioOfAFinding) {
  auto history = Open();
  ASSERT_TRUE(history->Begin("", "").ok());
  ASSERT_TRUE(
      history->Record(SliceOf(1, 1), {FoundAs("no-leak-1", 4)}, {}).ok());
  ASSERT_TRUE(
      history->Record(SliceOf(1, 2), {FoundAs("no-leak-1", 2)}, {}).ok());
  ASSERT_TRUE(
      history->Record(SliceOf(1, 3), {FoundAs("no-leak-1", 3)}, {}).ok());
  const auto findings = history->Findings();
  ASSERT_EQ(findings->size(), 1u);
  EXPECT_EQ(findings->front().found.operations, 2);
  EXPECT_EQ(findings->front().found.scenario, "scenario of 2");
}

TEST_F(HistoryTest, AFindingThatIsMetAgainIsSeen) {
  auto history = Open();
  ASSERT_TRUE(history->Begin("", "").ok());
  ASSERT_TRUE(history->Record(SliceOf(1, 1), {FoundAs("no-leak-1")}, {}).ok());
  ASSERT_TRUE(history->Begin("", "").ok());
  const int64_t id = history->Findings()->front().id;
  ASSERT_TRUE(history->Record(2, {{.finding = id}}, {}).ok());
  EXPECT_EQ(LifeOf(history->Findings()->front().judgements, 2).state,
            FindingState::kFixed);
  ASSERT_TRUE(
      history->Record(SliceOf(2, 1), {}, {"no-leak-1", "unheard-of"}).ok());
  EXPECT_EQ(LifeOf(history->Findings()->front().judgements, 2).state,
            FindingState::kKnown);
}

TEST_F(HistoryTest, ForgetsOldNightsButNoLives) {
  auto history = Open();
  for (NightNumber night = 1; night <= 20; ++night) {
    ASSERT_TRUE(history->Begin("", "").ok());
    // Fixed at night 8, back at night 12.
    const bool shows = night < 8 || night >= 12;
    ASSERT_TRUE(history
                    ->Record(SliceOf(night, 1),
                             shows ? std::vector<Found>{FoundAs("no-leak-1")}
                                   : std::vector<Found>{},
                             {})
                    .ok());
    const int64_t id = history->Findings()->front().id;
    ASSERT_TRUE(
        history->Record(night, {{.finding = id, .shows = shows}}, {}).ok());
  }
  const Life before = LifeOf(history->Findings()->front().judgements, 20);
  ASSERT_TRUE(history->Forget(3).ok());
  EXPECT_EQ(history->Nights()->size(), 3u);
  EXPECT_TRUE(history->Slices(17)->empty());
  EXPECT_EQ(history->Slices(18)->size(), 1u);
  const auto kept = history->Findings()->front().judgements;
  EXPECT_LT(kept.size(), 20u);
  const Life after = LifeOf(kept, 20);
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(after.last_seen, before.last_seen);
  EXPECT_EQ(kept.front().night, 1);
  bool was_fixed_at_8 = false;
  for (const Judgement& each : kept) {
    was_fixed_at_8 |= each.night == 8 && !each.shows;
  }
  EXPECT_TRUE(was_fixed_at_8);
}

// What a killed process has told of is there whole, and nothing else.
TEST_F(HistoryTest, AKilledProcessLeavesWholeRecords) {
  ASSERT_TRUE(Open()->Begin("", "").ok());
  int64_t recorded = 0;
  for (int round = 0; round < 10; ++round) {
    int told[2];
    ASSERT_EQ(pipe(told), 0);
    const pid_t child = fork();
    if (child == 0) {
      auto history = History::Open(folder_ + "/history.sqlite");
      for (int64_t number = 1 + recorded;; ++number) {
        std::vector<Found> found;
        for (int i = 0; i < 5; ++i) {
          found.push_back(FoundAs(absl::StrCat("no-leak-", number, "-", i)));
        }
        const absl::Status status =
            (*history)->Record(SliceOf(1, number), found, {});
        if (!status.ok()) _exit(1);
        if (write(told[1], "x", 1) != 1) _exit(1);
      }
    }
    close(told[1]);
    // It has told of two at least.
    char byte;
    ASSERT_EQ(read(told[0], &byte, 1), 1);
    ASSERT_EQ(read(told[0], &byte, 1), 1);
    usleep(500 * static_cast<useconds_t>(round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    int64_t heard = 2;
    while (read(told[0], &byte, 1) == 1) ++heard;
    close(told[0]);
    auto history = Open();
    const auto slices = history->Slices(1);
    ASSERT_TRUE(slices.ok()) << slices.status();
    const auto now = static_cast<int64_t>(slices->size());
    EXPECT_GE(now, recorded + heard);
    EXPECT_LE(now, recorded + heard + 1);
    EXPECT_EQ(history->Findings()->size(), static_cast<size_t>(5 * now));
    recorded = now;
  }
}

TEST_F(HistoryTest, AFileThatIsNoDatabaseIsAnErrorAndStays) {
  const std::string path = folder_ + "/history.sqlite";
  std::ofstream(path) << std::string(5000, 'x');
  const auto history = History::Open(path);
  ASSERT_FALSE(history.ok());
  EXPECT_THAT(std::string(history.status().message()), HasSubstr(path));
  EXPECT_EQ(std::filesystem::file_size(path), 5000u);
}

}  // namespace
}  // namespace atsfuzz::nightly
