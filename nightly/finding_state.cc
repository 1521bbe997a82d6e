#include "nightly/finding_state.h"

#include <cassert>

namespace atsfuzz::nightly {
namespace {

std::vector<Judgement> OneANight(const std::vector<Judgement>& judgements) {
  std::vector<Judgement> nights;
  for (const Judgement& judgement : judgements) {
    assert(nights.empty() || nights.back().night <= judgement.night);
    if (nights.empty() || nights.back().night != judgement.night) {
      nights.push_back(judgement);
    } else if (judgement.shows) {
      nights.back() = judgement;
    }
  }
  return nights;
}

}  // namespace

absl::string_view StateName(FindingState state) {
  switch (state) {
    case FindingState::kNew:
      return "new";
    case FindingState::kRegressed:
      return "regressed";
    case FindingState::kKnown:
      return "known";
    case FindingState::kNotSeen:
      return "not seen";
    case FindingState::kChanged:
      return "changed";
    case FindingState::kFixed:
      return "fixed";
  }
  assert(false);
  return "";
}

Life LifeOf(const std::vector<Judgement>& judgements, NightNumber tonight) {
  const std::vector<Judgement> nights = OneANight(judgements);
  assert(!nights.empty() && nights.front().shows);
  assert(nights.back().night <= tonight);
  Life life;
  bool showed = false;
  for (const Judgement& night : nights) {
    FindingState state;
    if (night.shows) {
      state = life.last_seen == 0 ? FindingState::kNew
              : showed            ? FindingState::kKnown
                                  : FindingState::kRegressed;
      life.last_seen = night.night;
    } else {
      state =
          night.instead.empty() ? FindingState::kFixed : FindingState::kChanged;
    }
    if (state != life.state || life.since == 0) life.since = night.night;
    life.state = state;
    life.instead = night.instead;
    showed = night.shows;
  }
  // Fixed is fixed until somebody sees it; all else is known by looking.
  if (showed && nights.back().night < tonight) {
    life.state = FindingState::kNotSeen;
    life.since = nights.back().night + 1;
  }
  return life;
}

}  // namespace atsfuzz::nightly
