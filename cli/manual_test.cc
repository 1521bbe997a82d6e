#include "cli/manual_page.h"
#include "cli/program_test.h"

// The manual page and what shells complete, as the program prints them.

namespace atsfuzz::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(ManualText, ReadsWhatHelpSays) {
  const HelpText help = ParseHelp(
      "usage: atsfuzz shrink FILE [FLAGS]\n\nMakes it\nsmaller.\n\nflags:\n"
      "  --help         Shows this.\n  --seed=N       Same seed.\n\n"
      "examples:\n  atsfuzz shrink a.ats  # so\n");
  EXPECT_EQ(help.usage, "atsfuzz shrink FILE [FLAGS]");
  EXPECT_EQ(help.about, "Makes it\nsmaller.");
  EXPECT_THAT(help.items, ElementsAre(Pair("--help", "Shows this."),
                                      Pair("--seed=N", "Same seed.")));
  EXPECT_EQ(help.examples, "  atsfuzz shrink a.ats  # so");
}

TEST(ManualText, NothingInItIsAnInstructionToTheFormatter) {
  HelpText help;
  help.usage = "x";
  help.about = ".so /etc/passwd\n'quoted' \\fB";
  const std::string page = ManualPage(help, {});
  EXPECT_THAT(page,
              HasSubstr("\n\\&.so /etc/passwd\n\\(aqquoted\\(aq \\efB\n"));
}

TEST_F(Program, ItsManualHasEachCommandAndItsFlags) {
  Run("manual");
  EXPECT_EQ(exit_status_, 0) << err_;
  for (const char* section : {".SH FUZZ\n", ".SH REPLAY\n", ".SH NIGHTLY\n"}) {
    EXPECT_THAT(out_, HasSubstr(section));
  }
  EXPECT_THAT(out_, HasSubstr(".TP\n.B \\-\\-strategy=NAME\n"));
  Write("atsfuzz.1", out_);
  // Another program's opinion. A date would be another one each day.
  Shell("mandoc -T lint -W warning atsfuzz.1 | grep -v 'missing date'");
  EXPECT_EQ(out_ + err_, "");
  Run("manual fuzz");
  ExpectRefused("manual takes no arguments, found fuzz");
}

class Completion : public Program {
 protected:
  // What bash offers behind `line`, one a line.
  std::string Offers(const std::string& line) {
    Write("complete.sh",
          "source <(" ATSFUZZ_PROGRAM
          " completion bash)\n"
          "COMP_LINE='" +
              line +
              "' COMP_POINT=${#COMP_LINE}\n"
              "COMP_WORDS=($COMP_LINE)\n[[ $COMP_LINE == *' ' ]] && "
              "COMP_WORDS+=('')\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
              "COMP_WORDS[0]=" ATSFUZZ_PROGRAM
              "\n_atsfuzz\n"
              "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
    Shell("bash complete.sh");
    EXPECT_EQ(err_, "");
    return out_;
  }
};

TEST_F(Completion, OffersCommandsFlagsDriversAndFiles) {
  EXPECT_EQ(Offers("atsfuzz repl"), "replay\n");
  EXPECT_EQ(Offers("atsfuzz fuzz --see"), "--seed=\n--seen=\n");
  EXPECT_EQ(Offers("atsfuzz replay --tr"), "--trace\n");
  EXPECT_EQ(Offers("atsfuzz fuzz --driver=model:6.1"), "6.1\n6.12\n");
  Write("finding.ats", "");
  EXPECT_EQ(Offers("atsfuzz replay fin"), "finding.ats\n");
  EXPECT_EQ(Offers("atsfuzz fuzz --topology=fin"), "finding.ats\n");
}

TEST_F(Program, RefusesToCompleteForAShellThatItDoesNotKnow) {
  Run("completion tcsh");
  ExpectRefused("bash, zsh or fish, found tcsh");
}

}  // namespace
}  // namespace atsfuzz::cli
