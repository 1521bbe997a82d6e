#ifndef ATSFUZZ_NIGHTLY_FINDING_STATE_H_
#define ATSFUZZ_NIGHTLY_FINDING_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// The life of a finding, from what each night saw of it.
namespace atsfuzz::nightly {

// Nights are numbered from 1, and no clock is asked for their order.
using NightNumber = int64_t;

enum class FindingState : uint8_t {
  kNew,        // this night saw it for the first time
  kRegressed,  // it was fixed or changed, and shows again this night
  kKnown,      // it shows, as before
  kNotSeen,    // nobody looked this night: its driver did not run
  kChanged,    // its scenario now shows the same invariant elsewhere
  kFixed,      // its scenario shows nothing of it any more
};
// "new", "regressed", "known", "not seen", "changed", "fixed".
absl::string_view StateName(FindingState state);

// What one night found out about a finding, by a replay of its scenario or by
// meeting it again.
struct Judgement {
  NightNumber night = 0;
  bool shows = false;
  // If not: another signature of the same invariant, which its scenario shows;
  // empty: none.
  std::string instead;
};

struct Life {
  FindingState state = FindingState::kNew;
  NightNumber since = 0;      // the first night of this state in a row
  NightNumber last_seen = 0;  // the last night that it showed
  std::string instead;        // of kChanged
};

// As of the night `tonight`. `judgements`: in order of their nights; several of
// one night are one, which shows the finding if one of them does. REQUIRES: the
// first one shows it, none is later than `tonight`.
Life LifeOf(const std::vector<Judgement>& judgements, NightNumber tonight);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_FINDING_STATE_H_
