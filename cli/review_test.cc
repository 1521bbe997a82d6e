// The walk through a patch in docs/review.md: its commands, as they stand
// there.

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/program_test.h"

namespace atsfuzz::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kDocument[] = ATSFUZZ_SOURCE_DIR "/docs/review.md";
// The mail, where it lies beside the checkout.
constexpr char kMail[] =
    ATSFUZZ_SOURCE_DIR "/../shared/seed-ats-state-tracking-v4-3of5.txt";

// The lines of its code blocks that call the program.
std::vector<std::string> Commands() {
  std::vector<std::string> commands;
  std::ifstream document(kDocument);
  bool in_code = false;
  for (std::string line; std::getline(document, line);) {
    if (absl::StartsWith(line, "```")) in_code = !in_code;
    if (in_code && absl::StartsWith(line, "./atsfuzz ")) {
      commands.push_back(line.substr(sizeof("./atsfuzz ") - 1));
    }
  }
  return commands;
}

class Review : public ProgramOnDriver {
 protected:
  void SetUp() override {
    ProgramOnDriver::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::ifstream mail(kMail);
    if (!mail) GTEST_SKIP() << "the patch's mail is not here: " << kMail;
    std::stringstream text;
    text << mail.rdbuf();
    Write("v4-3of5.patch", text.str());
  }
};

TEST_F(Review, ShowsWhatThePageSaysOfThePatch) {
  struct Step {
    int exit_status;
    testing::Matcher<std::string> out;
  };
  const std::vector<Step> steps = {
      {1, AllOf(HasSubstr("belief-matches-device    honest"),
                HasSubstr("vf     v1  of=p0 smmu=s0 ats\n\n  probe v1"))},
      {0, AllOf(HasSubstr("WARN"), HasSubstr("pci_disable_ats"))},
      {1,
       AllOf(
           HasSubstr("failed-operation-changes-nothing | prepare-ats | holds   "
                     "   | violated | 40aad2"),
           HasSubstr("no-leak                          | prepare-ats | holds   "
                     "   | violated | 4a4179"),
           HasSubstr("no-warning                       | honest      | other   "
                     "   | violated | fe1f5c"),
           HasSubstr("belief-matches-device            | honest      | "
                     "violated   | violated | 7993e2"))},
      {1, AllOf(HasSubstr("faults placed"),
                HasSubstr("no-leak                  assumes prepare-ats"))},
      {1, AllOf(HasSubstr("Failed to enable ATS"),
                HasSubstr("belief-matches-device"))},
      {1, HasSubstr("no-leak")},
      {0, HasSubstr("no violation")},
      {1, HasSubstr("belief-matches-device")},
  };
  const std::vector<std::string> commands = Commands();
  ASSERT_EQ(commands.size(), steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    SCOPED_TRACE(commands[i]);
    // The page's reader stands in the checkout.
    Run(absl::StrReplaceAll(
        commands[i],
        {{" corpus/", absl::StrCat(" ", ATSFUZZ_SOURCE_DIR, "/corpus/")}}));
    EXPECT_EQ(exit_status_, steps[i].exit_status) << err_;
    EXPECT_THAT(out_, steps[i].out);
  }
}

}  // namespace
}  // namespace atsfuzz::cli
