#include "fuzz/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <new>

#include "absl/strings/str_cat.h"
#include "fuzz/sanitizer_report.h"

namespace atsfuzz::fuzz {
namespace {

constexpr int kPollMs = 50;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string ReadAll(int fd) {
  std::string text(1 << 16, '\0');
  const ssize_t count = pread(fd, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return text;
}

}  // namespace

struct Child::Page {
  std::atomic<uint64_t> beat, item, part, done, operations, effective;
  std::atomic<bool> stop;
  std::atomic<uint32_t> turn_count;
  std::array<model::Turn, model::kMaxTurns> turns;
};

class Child::ChildLink : public Link {
 public:
  ChildLink(int fd, Page* page) : fd_(fd), page_(page) {}

  void Send(absl::string_view line) override {
    const std::string bytes = absl::StrCat(line, "\n");
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count =
          write(fd_, bytes.data() + sent, bytes.size() - sent);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) _exit(1);  // the parent is gone
      sent += static_cast<size_t>(count);
    }
  }
  void Begin(uint64_t item) override {
    page_->item = item;
    page_->part = 0;
    page_->turn_count = 0;
    ++page_->beat;
  }
  void Part(uint64_t part) override { page_->part = part; }
  void Turn(size_t index, const model::Turn& turn) override {
    if (index >= model::kMaxTurns) return;
    page_->turns[index] = turn;
    page_->turn_count = static_cast<uint32_t>(index + 1);
  }
  void Done(uint64_t operations, uint64_t effective) override {
    page_->operations += operations;
    page_->effective += effective;
    ++page_->done;
  }
  bool Stopped() const override { return page_->stop; }

 private:
  int fd_;
  Page* page_;
};

std::unique_ptr<Child> Child::Fork(Signals signals, const Body& body) {
  std::unique_ptr<Child> child(new Child);
  const size_t bytes = sizeof(Page) + CrashPageSize();
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int pipes[2];
  if (memory == MAP_FAILED || pipe2(pipes, O_CLOEXEC) != 0) {
    perror("atsfuzz: out of memory or files");
    exit(3);
  }
  child->page_ = new (memory) Page();
  if (signals == Signals::kLeave) {
    child->report_fd_ = memfd_create("report", MFD_CLOEXEC);
  }
  fflush(nullptr);
  const pid_t parent = getpid();
  child->pid_ = fork();
  if (child->pid_ < 0) {
    perror("atsfuzz: cannot fork");
    exit(3);
  }
  if (child->pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    close(pipes[0]);
    if (signals == Signals::kRecord) {
      RecordCrashesIn(static_cast<char*>(memory) + sizeof(Page));
    } else {
      dup2(child->report_fd_, 2);
    }
    ChildLink link(pipes[1], child->page_);
    body(link);
    _exit(0);
  }
  close(pipes[1]);
  child->fd_ = pipes[0];
  fcntl(child->fd_, F_SETFL, O_NONBLOCK);
  child->watched_since_ms_ = NowMs();
  return child;
}

Child::~Child() {
  if (pid_ >= 0) {
    kill(pid_, SIGKILL);
    Reap();
  }
  if (fd_ >= 0) close(fd_);
  if (report_fd_ >= 0) close(report_fd_);
  munmap(page_, sizeof(Page) + CrashPageSize());
}

bool Child::Receive(std::vector<std::string>* lines) {
  if (pid_ < 0) return false;
  char buffer[1 << 16];
  ssize_t count;
  while ((count = read(fd_, buffer, sizeof(buffer))) > 0 ||
         (count < 0 && errno == EINTR)) {
    if (count > 0) pending_.append(buffer, static_cast<size_t>(count));
  }
  size_t begin = 0, end;
  while ((end = pending_.find('\n', begin)) != std::string::npos) {
    lines->push_back(pending_.substr(begin, end - begin));
    begin = end + 1;
  }
  pending_.erase(0, begin);
  if (count < 0) return true;  // nothing more for now
  Reap();
  return false;
}

std::vector<std::string> Child::ReceiveAll(int item_timeout_ms) {
  std::vector<std::string> lines;
  while (Receive(&lines)) {
    pollfd waiting = {fd_, POLLIN, 0};
    poll(&waiting, 1, kPollMs);
    Watch(item_timeout_ms);
  }
  return lines;
}

void Child::Watch(int item_timeout_ms) {
  if (pid_ < 0) return;
  const uint64_t beat = page_->beat;
  if (beat != watched_beat_) {
    watched_beat_ = beat;
    watched_since_ms_ = NowMs();
  } else if (NowMs() - watched_since_ms_ > item_timeout_ms) {
    killed_ = true;
    kill(pid_, SIGKILL);
  }
}

void Child::Stop() { page_->stop = true; }

void Child::Reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  finished_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (finished_) return;
  death_ = CrashIn(page_ + 1);
  death_.hung = killed_;
  if (WIFSIGNALED(status)) death_.signal = WTERMSIG(status);
  if (report_fd_ >= 0) ParseSanitizerReport(ReadAll(report_fd_), &death_);
}

uint64_t Child::item() const { return page_->item; }
uint64_t Child::part() const { return page_->part; }

model::Schedule Child::schedule() const {
  return {page_->turns.begin(), page_->turns.begin() + page_->turn_count};
}

uint64_t Child::done() const { return page_->done; }
uint64_t Child::operations() const { return page_->operations; }
uint64_t Child::effective() const { return page_->effective; }

}  // namespace atsfuzz::fuzz
