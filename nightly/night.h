#ifndef ATSFUZZ_NIGHTLY_NIGHT_H_
#define ATSFUZZ_NIGHTLY_NIGHT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nightly/history.h"
#include "nightly/settings.h"
#include "nightly/slice.h"
#include "nightly/state_folder.h"

// One night: what is known is replayed, what others found is taken in, each
// engine works on each driver in turn, and the corpora are distilled. Every
// step is recorded when it is done; a night that is killed loses the step that
// was going on, and the next one takes in what that had finished.
//
// Time is measured by the steady clock. A driver that cannot be had, an engine
// that dies: the night goes on with the others and says so.
namespace atsfuzz::nightly {

struct NightOptions {
  Settings settings;
  std::string settings_text;
  Programs programs;
  // A line for who watches.
  std::function<void(const std::string&)> say;
};

struct NightResult {
  NightNumber number = 0;
  bool interrupted = false;
  std::vector<std::string> troubles;  // sentences
};

// Fails if what was done can no longer be recorded (the disk is full): what was
// recorded by then stays.
absl::StatusOr<NightResult> RunNight(const StateFolder& folder,
                                     History& history,
                                     const NightOptions& options);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_NIGHT_H_
