#ifndef ATSFUZZ_REPORT_CHECK_READERS_H_
#define ATSFUZZ_REPORT_CHECK_READERS_H_

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

// For tests: what programs of others understand of a text in one of our
// formats. Their packages are installed on first use; a test is skipped, with
// the reason, where that cannot be done.
namespace atsfuzz::report {

class Readers {
 public:
  Readers() {
    std::string pattern = testing::TempDir() + "readersXXXXXX";
    place_ = mkdtemp(pattern.data());
  }
  ~Readers() { std::filesystem::remove_all(place_); }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Why there are none; empty: they are there.
  std::string Missing() {
    const bool there =
        Shell(absl::StrCat(kSources, "/install ", kPackages)) == 0;
    return there ? "" : said_;
  }

  // What `reader`, one of the scripts of this folder, tells of `text`; null,
  // with a failure of the test, if it does not end well.
  nlohmann::json Read(const std::string& reader, const std::string& text) {
    return Ask(absl::StrCat("ATSFUZZ_READERS=", kPackages, " node ", kSources,
                            "/", reader),
               text);
  }
  // The same of another command line that reads its standard input and prints
  // JSON.
  nlohmann::json Ask(const std::string& command, const std::string& text) {
    std::ofstream(place_ + "/text") << text;
    const int status =
        Shell(absl::StrCat("{ ", command, "; } <", place_, "/text"));
    EXPECT_EQ(status, 0) << command << ":\n" << said_ << "\nof\n" << text;
    const auto json = nlohmann::json::parse(told_, nullptr, false);
    if (status != 0 || json.is_discarded()) {
      ADD_FAILURE() << command << " told no JSON:\n" << told_;
      return nullptr;
    }
    return json;
  }

  // Runs a shell's command and returns its exit status; told() and said() are
  // what it wrote on standard output and error.
  int Shell(const std::string& command) {
    const int status = system(absl::StrCat("{ ", command, "; } >", place_,
                                           "/told 2>", place_, "/said")
                                  .c_str());
    told_ = Contents("told");
    said_ = Contents("said");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const std::string& told() const { return told_; }
  const std::string& said() const { return said_; }
  // A folder of the test's own.
  const std::string& place() const { return place_; }

  static constexpr char kSources[] = ATSFUZZ_SOURCE_DIR "/report/check";
  static constexpr char kPackages[] = ATSFUZZ_SOURCE_DIR "/build/readers";

 private:
  std::string Contents(const std::string& name) const {
    std::ifstream file(place_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string place_, told_, said_;
};

// A test that needs them.
class ReadersTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = readers_.Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  nlohmann::json Read(const std::string& reader, const std::string& text) {
    return readers_.Read(reader, text);
  }

  Readers readers_;
};

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_CHECK_READERS_H_
