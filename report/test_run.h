#ifndef ATSFUZZ_REPORT_TEST_RUN_H_
#define ATSFUZZ_REPORT_TEST_RUN_H_

#include <string>
#include <vector>

// A replay of scenarios as a run of tests, for KTAP and JUnit: a case for each
// file, a check for each of its expectations.
namespace atsfuzz::report {

// "expect violation no-leak", "expect none"; of a file that expects nothing,
// "expect none", too.
struct TestCheck {
  std::string name;
  bool met = false;
  // "expected a violation of no-leak, found none"; empty if met.
  std::string message;
};

struct TestCase {
  std::string name;  // the scenario's path
  // Why this driver cannot run it; empty: it ran.
  std::string skipped;
  std::vector<TestCheck> checks;  // of one that ran, at least one
  // What it showed, one violation each: "no-leak-3f2a91: <message>".
  std::vector<std::string> violations;
  std::string trace;  // what happened, as text

  bool failed() const {
    for (const TestCheck& check : checks) {
      if (!check.met) return true;
    }
    return false;
  }
};

struct TestRun {
  std::string driver, version;
  std::vector<TestCase> cases;
};

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_TEST_RUN_H_
