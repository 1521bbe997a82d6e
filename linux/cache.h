#ifndef ATSFUZZ_LINUX_CACHE_H_
#define ATSFUZZ_LINUX_CACHE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linux/tree.h"

// Folders of the cache: each is built beside its final place and renamed into
// it, so that it is there whole or not at all; who builds it holds its lock.
namespace atsfuzz::linux_driver {

// An exclusive lock on a file, held until destroyed. The operating system drops
// it when the process dies, so no lock outlives its owner.
class FileLock {
 public:
  // Creates `path` and its parents if missing. `on_wait` is called once if
  // another process or thread holds the lock; then Acquire waits. Unavailable
  // if the file cannot be created.
  static absl::StatusOr<FileLock> Acquire(const std::string& path,
                                          const std::function<void()>& on_wait);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

// Makes sure that the cache's folder `name` ("debian/6.12") exists and
// satisfies `good`, and returns its path. If it does not, `make` fills an empty
// folder, which then takes the name. At most one process does so at a time;
// what a killed one left half is removed. `what` says for people what is being
// made ("Linux 6.12"); errors of `make` are returned as they are.
absl::StatusOr<std::string> CachedFolder(
    const std::string& name, const std::string& what,
    const std::function<bool(const std::string& folder)>& good,
    const std::function<absl::Status(const std::string& folder)>& make,
    const Progress& progress);

// Whole files. The message names the path and the reason.
absl::StatusOr<std::string> ReadFile(const std::string& path);
// Creates the parents too.
absl::Status WriteFile(const std::string& path, const std::string& bytes);
absl::Status MakeFolder(const std::string& path);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_CACHE_H_
