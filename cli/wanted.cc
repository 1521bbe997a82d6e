#include "cli/wanted.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace atsfuzz::cli {

absl::StatusOr<size_t> WantedViolation(
    const model::Scenario& scenario, absl::string_view driver,
    const std::vector<properties::Invariant>& shown, absl::string_view to) {
  std::string expected;
  for (const model::Expectation& expectation :
       model::ExpectationsOf(scenario, driver)) {
    if (expectation.invariant.empty()) continue;
    if (expected.empty()) expected = expectation.invariant;
    const auto invariant = properties::InvariantByName(expectation.invariant);
    const auto at = std::find(shown.begin(), shown.end(), invariant);
    if (at != shown.end()) return static_cast<size_t>(at - shown.begin());
  }
  if (shown.empty()) {
    return absl::NotFoundError(
        absl::StrCat("shows no violation, so there is nothing ", to));
  }
  if (expected.empty()) return size_t{0};
  return absl::NotFoundError(
      absl::StrCat("expects a violation of ", expected, ", but shows one of ",
                   InvariantName(shown.front()),
                   "; take the `expect` line out to have that one"));
}

absl::StatusOr<size_t> NamedViolation(
    absl::string_view name, const std::vector<properties::Invariant>& shown) {
  const auto invariant = properties::InvariantByName(name);
  if (!invariant) {
    return absl::InvalidArgumentError(
        absl::StrCat("--violation=", name, ": the name of no invariant"));
  }
  const auto at = std::find(shown.begin(), shown.end(), invariant);
  if (at != shown.end()) return static_cast<size_t>(at - shown.begin());
  std::set<absl::string_view> others;
  for (properties::Invariant other : shown) others.insert(InvariantName(other));
  return absl::NotFoundError(absl::StrCat("shows no violation of ", name,
                                          others.empty() ? "" : ", but of ",
                                          absl::StrJoin(others, ", ")));
}

}  // namespace atsfuzz::cli
