#include "fuzz/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace atsfuzz::fuzz {
namespace {

// Starts argv with `in` and `out` as standard input and output; these stay open
// here. -1 on failure.
pid_t Spawn(const std::vector<std::string>& argv, int in, int out) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0], &actions, nullptr,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

bool WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Bytes read, 0 at the end.
size_t ReadSome(int fd, std::string* out) {
  char buffer[1 << 14];
  ssize_t count;
  do {
    count = read(fd, buffer, sizeof(buffer));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return 0;
  out->append(buffer, static_cast<size_t>(count));
  return static_cast<size_t>(count);
}

}  // namespace

absl::StatusOr<LineProgram> LineProgram::Start(
    const std::vector<std::string>& argv) {
  LineProgram program;
  // Sockets, because a write to a program that is gone must be an error and not
  // a signal.
  int in[2], out[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 ||
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) != 0) {
    return absl::UnavailableError("no sockets left");
  }
  program.pid_ = Spawn(argv, in[1], out[1]);
  close(in[1]);
  close(out[1]);
  program.input_ = in[0];
  program.output_ = out[0];
  if (program.pid_ < 0) {
    return absl::UnavailableError(absl::StrCat("cannot start ", argv[0]));
  }
  return program;
}

LineProgram::LineProgram(LineProgram&& other) noexcept
    : pid_(other.pid_),
      input_(other.input_),
      output_(other.output_),
      pending_(std::move(other.pending_)) {
  other.pid_ = other.input_ = other.output_ = -1;
}

LineProgram::~LineProgram() {
  if (input_ >= 0) close(input_);
  if (output_ >= 0) close(output_);
  if (pid_ >= 0) WaitFor(pid_);
}

absl::Status LineProgram::Send(absl::string_view line) {
  const std::string bytes = absl::StrCat(line, "\n");
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count =
        send(input_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return absl::UnavailableError("the program is gone");
    sent += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> LineProgram::Receive() {
  size_t end;
  while ((end = pending_.find('\n')) == std::string::npos) {
    if (ReadSome(output_, &pending_) == 0) {
      return absl::UnavailableError("the program is gone");
    }
  }
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return line;
}

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& argv) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return absl::UnavailableError("no pipe left");
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t pid = Spawn(argv, null, out[1]);
  close(out[1]);
  close(null);
  std::string output;
  while (pid >= 0 && ReadSome(out[0], &output) > 0) {
  }
  close(out[0]);
  if (pid < 0 || !WaitFor(pid)) {
    return absl::UnavailableError(absl::StrCat(argv[0], " failed"));
  }
  return output;
}

}  // namespace atsfuzz::fuzz
