#include "nightly/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace atsfuzz::nightly {
namespace {

using Clock = std::chrono::steady_clock;

int Create(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

// In the child: becomes the program, or tells errno through `failed`.
[[noreturn]] void Become(const Job& job, pid_t parent, int output, int errors,
                         int failed) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  for (const auto& [name, value] : job.environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> argv;
  for (const std::string& argument : job.argv) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t told = write(failed, &error, sizeof(error));
  _exit(127);
}

// What the group's processes have in memory, in bytes. A process that ends
// meanwhile counts nothing.
uint64_t MemoryOf(pid_t group) {
  static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    // The name in brackets may hold anything; after it: state, parent, group,
    // and 19 fields further the resident pages.
    const size_t bracket = line.rfind(')');
    if (bracket == std::string::npos) continue;
    std::vector<std::string> fields;
    std::string field;
    for (size_t i = bracket + 2; i <= line.size(); ++i) {
      if (i == line.size() || line[i] == ' ') {
        fields.push_back(std::move(field));
        field.clear();
      } else {
        field += line[i];
      }
    }
    constexpr size_t kGroup = 2, kResident = 21;
    if (fields.size() <= kResident) continue;
    if (strtol(fields[kGroup].c_str(), nullptr, 10) != group) continue;
    bytes += strtoull(fields[kResident].c_str(), nullptr, 10) * page;
  }
  return bytes;
}

// Watches a running program until it ends.
class Watch {
 public:
  Watch(const Job& job, pid_t pid) : job_(job), pid_(pid) {}

  JobEnd ToItsEnd() {
    int status = 0;
    double last_look = -1;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      const double now = Elapsed();
      if (now - last_look >= 0.5) {
        last_look = now;
        LookAtMemory();
      }
      LookAtTime(now);
      std::this_thread::sleep_for(std::chrono::milliseconds(now < 1 ? 5 : 50));
    }
    kill(-pid_, SIGKILL);  // what it started and left
    end_.seconds = Elapsed();
    if (WIFEXITED(status)) end_.exit_status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end_.signal = WTERMSIG(status);
    return end_;
  }

 private:
  double Elapsed() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

  void LookAtMemory() {
    const uint64_t megabytes = MemoryOf(pid_) >> 20;
    end_.peak_megabytes = std::max(end_.peak_megabytes, megabytes);
    if (megabytes <= job_.memory_megabytes) return;
    end_.out_of_memory = true;
    kill(-pid_, SIGKILL);
  }

  void LookAtTime(double now) {
    if (!end_.interrupted && job_.interrupted && job_.interrupted()) {
      end_.interrupted = true;
      AskToEnd(now);
    }
    if (now >= job_.seconds) AskToEnd(now);
    if (asked_at_ >= 0 && now >= asked_at_ + job_.grace_seconds) {
      end_.timed_out = true;
      kill(-pid_, SIGKILL);
    }
  }

  void AskToEnd(double now) {
    if (asked_at_ >= 0) return;
    asked_at_ = now;
    kill(pid_, SIGINT);
  }

  const Job& job_;
  const pid_t pid_;
  const Clock::time_point start_ = Clock::now();
  double asked_at_ = -1;
  JobEnd end_;
};

}  // namespace

std::string JobEnd::Describe() const {
  if (out_of_memory) {
    return absl::StrFormat("killed at %d MB of memory", peak_megabytes);
  }
  if (timed_out) return absl::StrFormat("killed after %.0f s", seconds);
  if (signal != 0) return absl::StrCat("ended by signal ", signal);
  return absl::StrCat("exit status ", exit_status);
}

absl::StatusOr<JobEnd> RunJob(const Job& job) {
  const int output = Create(job.output), errors = Create(job.errors);
  int told[2] = {-1, -1};
  const auto close_all = [&] {
    for (const int fd : {output, errors, told[0], told[1]}) {
      if (fd >= 0) close(fd);
    }
  };
  if (output < 0 || errors < 0 || pipe2(told, O_CLOEXEC) != 0) {
    const std::string why = strerror(errno);
    close_all();
    return absl::UnavailableError(
        absl::StrCat("cannot write ", job.output, ": ", why));
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(job, parent, output, errors, told[1]);
  if (pid < 0) {
    const std::string why = strerror(errno);
    close_all();
    return absl::UnavailableError(
        absl::StrCat("cannot start ", job.argv[0], ": ", why));
  }
  setpgid(pid, pid);  // whichever of the two is first
  close(told[1]);
  told[1] = -1;
  int error = 0;
  const bool failed = read(told[0], &error, sizeof(error)) == sizeof(error);
  close_all();
  if (failed) {
    waitpid(pid, nullptr, 0);
    return absl::UnavailableError(
        absl::StrCat("cannot start ", job.argv[0], ": ", strerror(error)));
  }
  return Watch(job, pid).ToItsEnd();
}

}  // namespace atsfuzz::nightly
