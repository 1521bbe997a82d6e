#ifndef ATSFUZZ_NIGHTLY_SUMMARY_H_
#define ATSFUZZ_NIGHTLY_SUMMARY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nightly/history.h"

// One page about one night, for a timer's mail.
namespace atsfuzz::nightly {

struct Summary {
  std::string text;
  // Findings that nobody has explained, new or regressed.
  int alarms = 0;
};

// `troubles`: what else the reader must know. `state`: the folder, for the
// commands that the page names.
absl::StatusOr<Summary> SummaryOf(History& history, NightNumber night,
                                  const std::vector<std::string>& troubles,
                                  const std::string& state);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_SUMMARY_H_
