#include "nightly/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nightly/output.h"

namespace atsfuzz::nightly {
namespace {

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "/process.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    job_.output = folder_ + "/out";
    job_.errors = folder_ + "/err";
    job_.seconds = 30;
    job_.grace_seconds = 30;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  JobEnd Run(const std::string& script) {
    job_.argv = {"sh", "-c", script};
    const auto end = RunJob(job_);
    EXPECT_TRUE(end.ok()) << end.status();
    return end.ok() ? *end : JobEnd();
  }
  // Waits for the file that a script writes.
  static std::string Wait(const std::string& path) {
    for (int i = 0; i < 1000; ++i) {
      const std::string text = ContentsOf(path);
      if (!text.empty() && text.back() == '\n') return text;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << path << " was not written";
    return "";
  }
  static bool Runs(pid_t pid) {
    for (int i = 0; i < 200; ++i) {
      // A zombie that its parent has not reaped runs no more.
      const std::string stat =
          ContentsOf("/proc/" + std::to_string(pid) + "/stat");
      const size_t bracket = stat.rfind(')');
      if (bracket == std::string::npos || stat[bracket + 2] == 'Z') {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  std::string folder_;
  Job job_;
};

TEST_F(ProcessTest, KeepsWhatItPrintsAndItsExitStatus) {
  job_.environment = {{"WHO", "me"}};
  const JobEnd end = Run("echo \"$WHO\"; echo oops >&2; exit 7");
  EXPECT_EQ(end.exit_status, 7);
  EXPECT_EQ(ContentsOf(job_.output), "me\n");
  EXPECT_EQ(LastLineOf(job_.errors), "oops");
}

TEST_F(ProcessTest, AProgramThatIsNotThereIsAnError) {
  job_.argv = {"/nonexistent/program"};
  EXPECT_FALSE(RunJob(job_).ok());
}

TEST_F(ProcessTest, IsAskedToEndWhenItsTimeIsUp) {
  job_.seconds = 0.2;
  const JobEnd end =
      Run("trap 'echo ended; exit 3' INT; while :; do sleep 0.05; done");
  EXPECT_EQ(end.exit_status, 3);
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(ContentsOf(job_.output), "ended\n");
}

TEST_F(ProcessTest, IsKilledIfItDoesNotEnd) {
  job_.seconds = 0.1;
  job_.grace_seconds = 0.2;
  const JobEnd end = Run("trap '' INT; while :; do sleep 0.05; done");
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST_F(ProcessTest, LeavesNoneOfItsProcesses) {
  Run("sleep 600 & echo $! > '" + folder_ + "/pid'");
  const auto pid = static_cast<pid_t>(std::stol(ContentsOf(folder_ + "/pid")));
  EXPECT_FALSE(Runs(pid));
}

TEST_F(ProcessTest, ItsMemoryIsThatOfAllItsProcesses) {
  job_.memory_megabytes = 100;
  const std::string grow = "perl -e '$x = \"x\" x (70 << 20); sleep 60'";
  const JobEnd end = Run(grow + " & " + grow);
  EXPECT_TRUE(end.out_of_memory);
  EXPECT_GT(end.peak_megabytes, 100u);
}

TEST_F(ProcessTest, AnInterruptAsksItToEnd) {
  int asked = 0;
  job_.interrupted = [&] { return ++asked > 5; };
  const JobEnd end = Run("trap 'exit 4' INT; while :; do sleep 0.05; done");
  EXPECT_TRUE(end.interrupted);
  EXPECT_EQ(end.exit_status, 4);
}

TEST_F(ProcessTest, DiesWithWhoStartedIt) {
  const std::string file = folder_ + "/pid";
  const pid_t parent = fork();
  if (parent == 0) {
    job_.argv = {"sh", "-c", "echo $$ > '" + file + "'; exec sleep 600"};
    (void)RunJob(job_);
    _exit(0);
  }
  const auto pid = static_cast<pid_t>(std::stol(Wait(file)));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  EXPECT_FALSE(Runs(pid));
}

}  // namespace
}  // namespace atsfuzz::nightly
