// Mistakes in the functions of invalidation arrays become KUnit cases that
// compile, fail with the mistake, and pass without it.

#include "reproduce/kunit_case.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linux/array_mistakes.h"
#include "linux/build.h"
#include "linux/kunit_trees.h"
#include "linux/temporary_folder.h"
#include "linux/tree.h"
#include "reproduce/array_story.h"
#include "reproduce/recorded_arrays.h"

namespace atsfuzz::reproduce {
namespace {

using linux_driver::ArrayMistake;
using linux_driver::BuildKind;
using linux_driver::OwnCache;
using linux_driver::Tree;
using testing::HasSubstr;

void Silent(const std::string& line) {}

// What a short input shows, that shows what `says`; nothing if there is none.
absl::StatusOr<RecordedArrays> RecordWhatShows(const Tree& tree,
                                               const std::string& says) {
  const auto suite = linux_driver::BuildSuite(tree, BuildKind::kPlain, Silent);
  if (!suite.ok()) return suite.status();
  std::mt19937_64 random(1);
  for (size_t size = 16; size < 400; ++size) {
    std::string input(size, '\0');
    std::generate(input.begin(), input.end(),
                  [&] { return static_cast<char>(random()); });
    auto recorded = RecordArrays(*suite, input);
    if (!recorded.ok() || recorded->shown.empty()) continue;
    const std::string& message = recorded->shown.front().violation.message;
    if (message.find(says) != std::string::npos) return recorded;
  }
  return absl::NotFoundError("no input shows: " + says);
}

std::string CaseOf(const RecordedArrays& recorded) {
  const ShownArray& shown = recorded.shown.front();
  const std::vector<StoryStep> story =
      StoryOf({recorded.calls.begin(),
               recorded.calls.begin() + static_cast<ptrdiff_t>(shown.calls)},
              shown.array);
  return TextOf(KunitCase{.story = story,
                          .invariant = "disagreement",
                          .about = {"A mistake that a test has made."}});
}

class KunitCaseOfAMistake : public testing::TestWithParam<ArrayMistake> {
 protected:
  void SetUp() override {
    auto tree = linux_driver::AKernelWithArrays();
    if (absl::IsUnavailable(tree.status())) GTEST_SKIP() << tree.status();
    ASSERT_TRUE(tree.ok()) << tree.status();
    sound_ = *std::move(tree);
  }

  // The verdicts of the mistake's case with the mistake, and without.
  std::pair<KunitVerdict, KunitVerdict> Verdicts() {
    std::string text;
    std::pair<KunitVerdict, KunitVerdict> verdicts;
    {
      const linux_driver::TemporaryFolder folder;
      const OwnCache own(folder);
      const auto spoilt =
          linux_driver::SpoiltTree(folder, sound_, GetParam().plant);
      EXPECT_TRUE(spoilt.ok()) << spoilt.status();
      if (!spoilt.ok()) return verdicts;
      const auto recorded = RecordWhatShows(*spoilt, GetParam().error);
      EXPECT_TRUE(recorded.ok()) << recorded.status();
      if (!recorded.ok()) return verdicts;
      text = CaseOf(*recorded);
      verdicts.first = Verdict(text, *spoilt);
    }
    verdicts.second = Verdict(text, sound_);
    return verdicts;
  }

  static KunitVerdict Verdict(const std::string& text, const Tree& tree) {
    const auto verdict = RunCase(text, tree, Silent);
    EXPECT_TRUE(verdict.ok()) << verdict.status() << text;
    return verdict.ok() ? *verdict : KunitVerdict();
  }

  Tree sound_;
};

TEST_P(KunitCaseOfAMistake, FailsWithItAndPassesWithoutIt) {
  const auto [with, without] = Verdicts();
  EXPECT_TRUE(without.passed) << without.failure;
  EXPECT_EQ(without.warnings, 0);
  switch (GetParam().alone) {
    case ArrayMistake::kByTheArray:
      EXPECT_FALSE(with.passed);
      EXPECT_THAT(with.failure, HasSubstr("after call"));
      break;
    case ArrayMistake::kByAWarning:
      EXPECT_TRUE(with.passed) << with.failure;
      EXPECT_GT(with.warnings, 0);
      break;
    case ArrayMistake::kNot:
      EXPECT_TRUE(with.passed) << with.failure;
      EXPECT_EQ(with.warnings, 0);
      break;
  }
}

INSTANTIATE_TEST_SUITE_P(By, KunitCaseOfAMistake,
                         testing::ValuesIn(linux_driver::ArrayMistakes()),
                         [](const auto& test) {
                           return test.param.plant.name;
                         });

}  // namespace
}  // namespace atsfuzz::reproduce
