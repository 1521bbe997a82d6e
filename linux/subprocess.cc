#include "linux/subprocess.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace atsfuzz::linux_driver {
namespace {

std::vector<std::string> EnvironmentInTheCLocale() {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!absl::StartsWith(*entry, "LC_") &&
        !absl::StartsWith(*entry, "LANGUAGE=")) {
      result.emplace_back(*entry);
    }
  }
  result.emplace_back("LC_ALL=C");
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string ReadAll(int fd) {
  std::string result;
  std::array<char, 1 << 14> buffer;
  while (true) {
    ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return result;
    result.append(buffer.data(), static_cast<size_t>(got));
  }
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

absl::StatusOr<CommandResult> Run(const Command& command) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::UnavailableError(
        absl::StrCat("no pipe for ", command.argv[0], ": ", strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  if (!command.folder.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, command.folder.c_str());
  }
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = EnvironmentInTheCLocale();
  pid_t child = 0;
  int error =
      posix_spawnp(&child, command.argv[0].c_str(), &actions, nullptr,
                   Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return absl::UnavailableError(
        absl::StrCat("cannot run ", command.argv[0], ": ", strerror(error)));
  }
  CommandResult result;
  result.output = ReadAll(ends[0]);
  close(ends[0]);
  result.status = WaitFor(child);
  return result;
}

std::string LastLines(const std::string& text, size_t lines) {
  std::vector<std::string> kept =
      absl::StrSplit(text, '\n', absl::SkipWhitespace());
  if (kept.size() > lines) {
    kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(lines));
  }
  return absl::StrJoin(kept, "\n");
}

}  // namespace atsfuzz::linux_driver
