#include "nightly/state_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzz/findings.h"
#include "xxhash.h"

namespace atsfuzz::nightly {

StateFolder::StateFolder(std::string path, int lock)
    : path_(std::move(path)), lock_(lock) {}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

StateFolder::~StateFolder() {
  if (lock_ >= 0) close(lock_);
}

absl::StatusOr<StateFolder> StateFolder::Lock(const std::string& path) {
  const absl::Status prepared = fuzz::PrepareFolder(path);
  if (!prepared.ok()) return prepared;
  const std::string name = path + "/lock";
  const int lock = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot write ", name, ": ", strerror(errno)));
  }
  StateFolder folder(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    std::string who;
    std::getline(std::ifstream(name), who);
    return absl::UnavailableError(
        absl::StrCat("another nightly", who.empty() ? "" : ", process ", who,
                     ", is at work in ", path,
                     "; wait for its end or give another --state"));
  }
  // Who has it, for the message above; no more than a help.
  const std::string self = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock, 0) == 0) {
    [[maybe_unused]] const ssize_t told =
        pwrite(lock, self.data(), self.size(), 0);
  }
  return folder;
}

std::string StateFolder::Corpus(const std::string& driver) const {
  return absl::StrCat(path_, "/corpus/", FolderNameOf(driver));
}

std::string StateFolder::Finding(const std::string& driver,
                                 const std::string& signature) const {
  return FindingOf(path_, driver, signature);
}

std::string StateFolder::FindingOf(const std::string& path,
                                   const std::string& driver,
                                   const std::string& signature) {
  return absl::StrCat(path, "/findings/", FolderNameOf(driver), "/", signature);
}

std::string FolderNameOf(const std::string& label) {
  std::string name;
  bool lost = false;
  for (const char c : label) {
    const bool keeps =
        isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+';
    // "linux:6.12" is the common case, and reads as linux-6.12.
    lost |= !keeps && c != ':';
    name += keeps ? c : '-';
  }
  if (lost) {
    absl::StrAppendFormat(&name, "-%08x", XXH32(label.data(), label.size(), 0));
  }
  return name;
}

}  // namespace atsfuzz::nightly
