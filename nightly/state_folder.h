#ifndef ATSFUZZ_NIGHTLY_STATE_FOLDER_H_
#define ATSFUZZ_NIGHTLY_STATE_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The folder that nights share: where what lies, and who may write to it.
//
//   campaign.toml             what to do (settings.h)
//   history.sqlite            what was done and found (history.h)
//   summary.txt               of the last night
//   findings/DRIVER/SIGNATURE/{scenario.ats,trace.txt,sequence.mmd,trace.json}
//   corpus/DRIVER/*.ats
//   work/                     of the slice that is running
namespace atsfuzz::nightly {

class StateFolder {
 public:
  // Makes what is missing, and locks it for as long as the object lives: a
  // process that is killed leaves no lock behind. Unavailable if another
  // process has it, or if it cannot be written.
  static absl::StatusOr<StateFolder> Lock(const std::string& path);
  StateFolder(StateFolder&& other) noexcept;
  StateFolder& operator=(StateFolder&&) = delete;
  ~StateFolder();

  const std::string& path() const { return path_; }
  std::string Settings() const { return path_ + "/campaign.toml"; }
  std::string History() const { return HistoryOf(path_); }
  std::string Summary() const { return path_ + "/summary.txt"; }
  std::string Work() const { return path_ + "/work"; }
  // `driver`: a DriverSettings::Label.
  std::string Corpus(const std::string& driver) const;
  std::string Finding(const std::string& driver,
                      const std::string& signature) const;

  // For who reads it without a lock.
  static std::string HistoryOf(const std::string& path) {
    return path + "/history.sqlite";
  }
  static std::string FindingOf(const std::string& path,
                               const std::string& driver,
                               const std::string& signature);

 private:
  StateFolder(std::string path, int lock);

  std::string path_;
  int lock_;
};

// A label as a folder's name: every character but letters, digits, '.' and '+'
// is a '-', and what that loses is told apart by a hash of the label.
std::string FolderNameOf(const std::string& label);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_STATE_FOLDER_H_
