#ifndef ATSFUZZ_NIGHTLY_HISTORY_H_
#define ATSFUZZ_NIGHTLY_HISTORY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nightly/finding_state.h"

namespace SQLite {
class Database;
}

// What all nights did and found: one SQLite file (WAL).
//
// Every record goes in whole or not at all, whenever the power goes, and once:
// each names its night and its number within it, and what is there already is
// not counted again. Dates are labels for people; nothing is ordered by them.
// Errors are Unavailable, with what SQLite said (a full disk, a file that is no
// database), and leave what was recorded as it was. Not thread-safe; processes
// take turns by the lock of the state folder.
namespace atsfuzz::nightly {

enum class NightEnd : uint8_t {
  kRunning,  // now, or its process was killed and no night came since
  kDone,
  kStopped,  // by a signal; what it did by then is recorded
  kCutOff,   // its process was killed
};
// "running", "done", "stopped", "cut off".
absl::string_view NightEndName(NightEnd end);

struct Night {
  NightNumber number = 0;
  std::string began, ended;  // UTC; the latter empty unless done or stopped
  NightEnd end = NightEnd::kRunning;
  std::string settings;  // the file's text
};

// One engine at work on one driver for a while.
struct Slice {
  NightNumber night = 0;
  int64_t number = 0;  // within the night, from 1
  std::string driver;  // DriverSettings::Label
  std::string version;
  std::string engine;
  int64_t seed = 0;
  double seconds = 0;
  int64_t runs = 0, operations = 0;
  int64_t branches = 0, branches_covered = 0;  // 0: it does not tell
  int64_t peak_megabytes = 0;
  std::string trouble;  // why it ended otherwise than it should; empty: not
};

// A finding as `atsfuzz fuzz` hands it over.
struct Found {
  std::string driver;
  std::string signature;
  std::string invariant;
  std::string assumes;  // "honest", or faults
  std::string reason;   // if it is listed as understood
  int64_t operations = 0, switches = 0;
  std::string message, expected, found, function;
  std::string scenario, trace;  // texts
  std::string timeline;         // a JSON list of report::Row; may be empty
};

// It, and what became of it.
struct Finding {
  int64_t id = 0;
  Found found;  // the smallest that was seen
  std::vector<Judgement> judgements;
};

// What a replay of a finding's scenario showed.
struct Replayed {
  int64_t finding = 0;
  bool shows = false;
  std::string instead;
};

// What a finding's scenario shows on another driver, when it was last tried.
struct Reach {
  int64_t finding = 0;
  std::string driver;
  NightNumber night = 0;
  bool runs = true;       // false: the driver cannot run it
  std::string signature;  // of the same invariant; empty: it shows none
};

// The corpus of a driver after a night.
struct CorpusRecord {
  NightNumber night = 0;
  std::string driver;
  int64_t entries = 0, bytes = 0;
  int64_t branches = 0, branches_covered = 0;
};

class History {
 public:
  // Opens the file, or makes it. FailedPrecondition if a later version of the
  // program has made it.
  static absl::StatusOr<std::unique_ptr<History>> Open(const std::string& path);
  ~History();

  // The next night. Nights that are still running are cut off.
  absl::StatusOr<NightNumber> Begin(const std::string& began,
                                    const std::string& settings);
  absl::Status End(NightNumber night, NightEnd end, const std::string& ended);

  // A slice with what it found, and the signatures of its driver's findings
  // that it met again. Nothing happens if it is recorded already.
  absl::Status Record(const Slice& slice, const std::vector<Found>& found,
                      const std::vector<std::string>& seen);
  // What replays showed; `instead`: the findings that some of them speak of.
  absl::Status Record(NightNumber night, const std::vector<Replayed>& replayed,
                      const std::vector<Found>& instead);
  // Replaces what is recorded of these findings and drivers.
  absl::Status Record(const std::vector<Reach>& reaches);
  // Replaces what is recorded of this night and driver.
  absl::Status Record(const CorpusRecord& corpus);

  // In order of their numbers.
  absl::StatusOr<std::vector<Night>> Nights();
  absl::StatusOr<std::vector<Slice>> Slices(NightNumber night);
  absl::StatusOr<std::vector<CorpusRecord>> Corpora();
  // By driver, then by signature.
  absl::StatusOr<std::vector<Finding>> Findings();
  // By finding, then by driver.
  absl::StatusOr<std::vector<Reach>> Reaches();

  // Forgets slices, corpora and nights but for the last `nights`; judgements
  // too, but for the first, the last, and those at which something changed.
  // Findings stay.
  absl::Status Forget(int64_t nights);

 private:
  explicit History(std::unique_ptr<SQLite::Database> database);

  std::unique_ptr<SQLite::Database> database_;
};

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_HISTORY_H_
