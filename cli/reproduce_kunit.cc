#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/reproduction.h"
#include "linux/build.h"
#include "linux/tree.h"
#include "reproduce/kunit_case.h"
#include "reproduce/recorded_arrays.h"

namespace atsfuzz::cli {
namespace {

using reproduce::RecordedArrays;
using reproduce::StoryStep;

absl::Status On(const ReproduceRequest& request, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(request.path, ": on ", request.flags.driver,
                                   " ", status.message()));
}

bool ExpectsViolation(const model::Scenario& scenario,
                      const std::string& driver) {
  const auto expectations = model::ExpectationsOf(scenario, driver);
  return std::any_of(expectations.begin(), expectations.end(),
                     [](const model::Expectation& expectation) {
                       return !expectation.invariant.empty();
                     });
}

absl::StatusOr<reproduce::ShownArray> Choose(const ReproduceRequest& request,
                                             const std::string& driver,
                                             const RecordedArrays& recorded) {
  std::vector<properties::Invariant> invariants;
  for (const reproduce::ShownArray& shown : recorded.shown) {
    invariants.push_back(shown.violation.invariant);
  }
  const auto wanted = WantedOf(request, driver, invariants);
  if (!wanted.ok()) return wanted.status();
  const reproduce::ShownArray& shown = recorded.shown[*wanted];
  if (shown.array != 0) return shown;
  // Of what nobody has named, the first that there can be a case of.
  const bool named =
      !request.violation.empty() || ExpectsViolation(request.scenario, driver);
  const auto other =
      std::find_if(recorded.shown.begin(), recorded.shown.end(),
                   [](const auto& each) { return each.array != 0; });
  if (!named && other != recorded.shown.end()) return *other;
  return On(
      request,
      absl::InvalidArgumentError(absl::StrCat(
          "shows a violation of ", InvariantName(shown.violation.invariant),
          ", which is about no invalidation array, so that there is "
          "nothing for a KUnit case of them; --as=c tells it")));
}

// What the case says about the functions on this very tree.
std::string VerdictText(const ReproduceRequest& request,
                        const std::vector<StoryStep>& story,
                        const reproduce::KunitVerdict& verdict,
                        const std::string& driver) {
  if (!verdict.passed) {
    // Lines move: the comment at the top is written afterwards.
    const size_t place = verdict.failure.find(": ");
    return absl::StrCat(
        "It fails on ", driver, ": ",
        verdict.failure.substr(place == std::string::npos ? 0 : place + 2));
  }
  std::string text = absl::StrCat("It passes on ", driver);
  if (verdict.warnings != 0) {
    absl::StrAppend(&text, ", with ", verdict.warnings,
                    verdict.warnings == 1 ? " WARN" : " WARNs");
  }
  const auto misused =
      std::find_if(story.begin(), story.end(),
                   [](const StoryStep& step) { return !step.misuse.empty(); });
  // Functions may warn of a caller that asks what it must not, and of nothing
  // else.
  if (verdict.warnings != 0 && misused == story.end()) {
    return absl::StrCat(text,
                        ", though it calls them as it may: that is what is "
                        "wrong, and stands in the kernel's log, as a WARN "
                        "fails no KUnit case");
  }
  const std::vector<std::string> limits = LimitsOf(story);
  if (!limits.empty()) {
    return absl::StrCat(
        text, ", but lacks what was in the run: ", absl::StrJoin(limits, "; "),
        ". Either that is where the functions go wrong, or "
        "their caller does");
  }
  if (request.of_arrays) {
    return absl::StrCat(text,
                        ", but lacks what was in the run: a reader that walks "
                        "the array meanwhile; a KUnit case has none");
  }
  absl::StrAppend(&text,
                  ": the functions do what they are told, and the bug is in "
                  "what their caller tells them");
  if (misused != story.end()) {
    absl::StrAppend(&text, " (`", misused->call.why, "`: ", misused->misuse,
                    ")");
  }
  return text;
}

// At most so wide, at blanks.
std::vector<std::string> Wrapped(absl::string_view text) {
  constexpr size_t kWidth = 76;
  std::vector<std::string> lines = {""};
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!lines.back().empty() &&
        lines.back().size() + 1 + word.size() > kWidth) {
      lines.emplace_back();
    }
    absl::StrAppend(&lines.back(), lines.back().empty() ? "" : " ", word);
  }
  return lines;
}

void Append(std::vector<std::string>* lines,
            const std::vector<std::string>& more) {
  lines->insert(lines->end(), more.begin(), more.end());
}

}  // namespace

absl::StatusOr<Reproduction> ReproduceAsKunit(const ReproduceRequest& request) {
  const auto tree = TreeOf(request.flags.driver, request.flags.patches);
  if (!tree.ok()) return tree.status();
  const auto suite = linux_driver::BuildSuite(
      *tree, linux_driver::BuildKind::kPlain, TellProgress);
  if (!suite.ok()) {
    return absl::UnavailableError(suite.status().message());
  }
  const auto recorded =
      request.of_arrays
          ? reproduce::RecordArrays(*suite, request.input)
          : reproduce::RecordArrays(*suite, tree->name, request.scenario);
  if (!recorded.ok()) return On(request, recorded.status());
  const auto shown = Choose(request, tree->name, *recorded);
  if (!shown.ok()) return shown.status();
  const std::vector<StoryStep> story = reproduce::StoryOf(
      {recorded->calls.begin(),
       recorded->calls.begin() + static_cast<ptrdiff_t>(shown->calls)},
      shown->array);
  reproduce::KunitCase test = {
      .story = story,
      .invariant =
          request.of_arrays
              ? "disagreement"
              : std::string(InvariantName(shown->violation.invariant))};
  const auto verdict = reproduce::RunCase(TextOf(test), *tree, TellProgress);
  if (!verdict.ok()) return verdict.status();
  const std::string driver = absl::StrCat(tree->name, " (", tree->version, ")");
  const std::string judged = VerdictText(request, story, *verdict, driver);
  Append(&test.about, Wrapped(shown->violation.message));
  test.about.emplace_back();
  test.about.push_back("Made by: " + request.CommandLine());
  Append(&test.about, Wrapped(judged + "."));
  test.about.emplace_back();
  Append(&test.about,
         Wrapped("A source of its own beside arm-smmu-v3-test.c, built like "
                 "it; or paste its functions there and name the case in "
                 "arm_smmu_v3_test_cases."));
  return Reproduction{.text = TextOf(test), .notes = {judged}};
}

}  // namespace atsfuzz::cli
