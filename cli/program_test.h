#ifndef ATSFUZZ_CLI_PROGRAM_TEST_H_
#define ATSFUZZ_CLI_PROGRAM_TEST_H_

#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

// For tests: the program as a user meets it.
namespace atsfuzz::cli {

class Program : public testing::Test {
 protected:
  Program() {
    std::string pattern = testing::TempDir() + "cliXXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~Program() override { std::filesystem::remove_all(folder_); }

  // Runs `atsfuzz arguments` in the test's folder.
  void Run(const std::string& arguments) {
    Shell(std::string(ATSFUZZ_PROGRAM) + " " + arguments);
  }
  // Runs a shell's command there.
  void Shell(const std::string& command) {
    const int status = system(
        ("cd " + folder_ + " && { " + command + "; } >out 2>err").c_str());
    exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out_ = Read("out");
    err_ = Read("err");
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  void ExpectRefused(const std::string& message) const {
    EXPECT_EQ(exit_status_, 2) << err_;
    EXPECT_THAT(err_, testing::StartsWith("atsfuzz: "));
    EXPECT_THAT(err_, testing::HasSubstr(message));
    EXPECT_EQ(out_, "");
  }

  std::string folder_, out_, err_;
  int exit_status_ = -1;
};

// Tests that need the source of Linux 6.12, skipped with the reason where it
// cannot be had.
class ProgramOnDriver : public Program {
 protected:
  void SetUp() override {
    Write("boot.ats", "smmu s0\npf p0 smmu=s0\nprobe p0\nexpect none\n");
    Run("replay boot.ats");
    const bool fetched = err_.find("no source of Linux") == std::string::npos;
    if (!fetched) GTEST_SKIP() << err_;
    ASSERT_EQ(exit_status_, 0) << out_ << err_;
  }
};

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_PROGRAM_TEST_H_
