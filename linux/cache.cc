#include "linux/cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

absl::Status Problem(absl::string_view what, const std::string& path,
                     absl::string_view why) {
  return absl::UnavailableError(absl::StrCat(
      what, " ", path, ": ", why,
      " (the cache's folder can be chosen with ATSFUZZ_CACHE=FOLDER)"));
}

absl::Status Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::remove_all(to, error);
  fs::rename(from, to, error);
  if (error) return Problem("cannot create", to, error.message());
  return absl::OkStatus();
}

}  // namespace

std::string CacheFolder() {
  auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  std::error_code error;
  std::string chosen = variable("ATSFUZZ_CACHE");
  if (!chosen.empty()) return fs::absolute(chosen, error).string();
  std::string base = variable("XDG_CACHE_HOME");
  if (base.empty()) base = absl::StrCat(variable("HOME"), "/.cache");
  return base + "/atsfuzz";
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Problem("cannot create", path, error.message());
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return absl::NotFoundError(absl::StrCat(path, " is a folder"));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(
        absl::StrCat("cannot read ", path, ": ", strerror(errno)));
  }
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return std::move(bytes).str();
}

absl::Status WriteFile(const std::string& path, const std::string& bytes) {
  if (absl::Status made = MakeFolder(fs::path(path).parent_path().string());
      !made.ok()) {
    return made;
  }
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << bytes;
  stream.close();
  if (!stream) return Problem("cannot write", path, strerror(errno));
  return absl::OkStatus();
}

absl::StatusOr<FileLock> FileLock::Acquire(
    const std::string& path, const std::function<void()>& on_wait) {
  if (absl::Status made = MakeFolder(fs::path(path).parent_path().string());
      !made.ok()) {
    return made;
  }
  int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return Problem("cannot create", path, strerror(errno));
  FileLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  on_wait();
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return Problem("cannot lock", path, strerror(errno));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::string> CachedFolder(
    const std::string& name, const std::string& what,
    const std::function<bool(const std::string& folder)>& good,
    const std::function<absl::Status(const std::string& folder)>& make,
    const Progress& progress) {
  const std::string folder = absl::StrCat(CacheFolder(), "/", name);
  std::error_code error;
  // Renaming is what makes it appear, so what is seen without the lock is
  // whole.
  if (fs::exists(folder, error) && good(folder)) return folder;

  absl::StatusOr<FileLock> lock =
      FileLock::Acquire(absl::StrCat(CacheFolder(), "/locks/", name),
                        [&] { progress("waiting for another run: " + what); });
  if (!lock.ok()) return lock.status();
  if (fs::exists(folder, error) && good(folder)) return folder;

  // Only the lock's owner writes here: what exists already was left by a run
  // that was killed.
  const std::string part = folder + ".part";
  fs::remove_all(part, error);
  if (absl::Status made = MakeFolder(part); !made.ok()) return made;
  if (absl::Status made = make(part); !made.ok()) {
    fs::remove_all(part, error);
    return made;
  }
  if (absl::Status renamed = Rename(part, folder); !renamed.ok()) {
    return renamed;
  }
  return folder;
}

}  // namespace atsfuzz::linux_driver
