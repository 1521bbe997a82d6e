#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/program_test.h"
#include "linux/tree.h"
#include "report/check/readers.h"

// What the program tells others in their formats, as they understand it.

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kSeed[] =
    "smmu   s0\n"
    "pf     p0  ats\n"
    "vf     v0  of=p0 smmu=s0 ats default=identity\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  v0\n"
    "attach v0 d0\n";

// A file of each fate on the model: as expected, not so, and not to be run.
class Formats : public Program {
 protected:
  void SetUp() override {
    const std::string missing = readers_.Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    Write(kMet, std::string(kSeed) +
                    "expect violation belief-matches-device\n" +
                    "expect violation count-matches-devices\n");
    Write("missed.ats", std::string(kSeed) + "expect none\n");
    Write("beyond.ats",
          "smmu s0\npf p0 smmu=s0 ats streams=1,2,3,4\nprobe p0\n");
    files_ = " --driver=model:6.12 '" + std::string(kMet) +
             "' missed.ats beyond.ats";
  }
  json Read(const std::string& reader, const std::string& text) {
    return readers_.Read(reader, text);
  }
  using Program::Read;

  // A name that means something in every one of the formats.
  static constexpr char kMet[] = "met #1; <\"a\"> & --> {.ats";
  report::Readers readers_;
  std::string files_;
};

TEST_F(Program, RefusesFormatsThatACommandDoesNotWrite) {
  Write("seed.ats", kSeed);
  Run("replay seed.ats --format=xml");
  ExpectRefused(
      "--format=xml: expected text, json, ktap, junit, sarif, mermaid or "
      "trace-event");
  Run("fuzz --format=ktap");
  ExpectRefused("--format=ktap: expected text, json or sarif");
  Run("sweep seed.ats --format=mermaid");
  ExpectRefused("--format=mermaid: expected text, json or sarif");
  Run("replay seed.ats --json --format=ktap");
  ExpectRefused("--json is --format=json, and --format=ktap is given, too");
  Run("replay seed.ats seed.ats --format=mermaid");
  ExpectRefused("--format=mermaid draws one scenario; found 2");
  Run("replay seed.ats --format=ktap --output=.");
  ExpectRefused("--output=.: this is a folder");
  Run("replay seed.ats --format=ktap --output=/proc/no/such.ktap");
  ExpectRefused("/proc/no");
}

TEST_F(Program, PutsTheFormatIntoAFileAndTheTextOnStandardOutput) {
  Write("seed.ats", kSeed);
  Run("replay --driver=model:6.12 seed.ats");
  const std::string text = out_;
  EXPECT_THAT(text, HasSubstr("seed.ats: belief-matches-device-"));
  Run("replay --driver=model:6.12 seed.ats --format=ktap");
  const std::string ktap = out_;
  Run("replay --driver=model:6.12 seed.ats --format=ktap --output=new/r.ktap");
  EXPECT_EQ(exit_status_, 1);
  EXPECT_EQ(out_, text);
  EXPECT_EQ(Read("new/r.ktap"), ktap);
  Run("replay --driver=model:6.12 seed.ats --output=r.txt");
  EXPECT_EQ(out_, text);
  EXPECT_EQ(Read("r.txt"), text);
  Run("replay --driver=model:6.12 seed.ats --json --output=r.json");
  EXPECT_EQ(out_, text);
  EXPECT_EQ(json::parse(Read("r.json"))["runs"], 1);
}

TEST_F(Program, TellsTheSameBytesAgainInEachFormat) {
  Write("seed.ats", kSeed);
  for (const char* format :
       {"ktap", "junit", "sarif", "mermaid", "trace-event"}) {
    std::set<std::string> told;
    for (int i = 0; i < 2; ++i) {
      Run(std::string("replay --driver=model:6.12 seed.ats --format=") +
          format);
      EXPECT_EQ(exit_status_, 1) << format;
      told.insert(out_);
    }
    EXPECT_EQ(told.size(), 1u) << format;
  }
}

TEST_F(Program, DrawsNoScenarioThatDidNotRun) {
  Write("beyond.ats", "smmu s0\npf p0 smmu=s0 ats streams=1,2,3,4\nprobe p0\n");
  Run("replay --driver=model:6.12 beyond.ats --format=mermaid --output=x.mmd");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_FALSE(fs::exists(folder_ + "/x.mmd"));
}

// Lines of the kernel's source move between its point releases.
std::string WithoutLineNumbers(const std::string& text) {
  return std::regex_replace(text, std::regex("(\\.[ch]):[0-9]+"), "$1");
}

TEST_F(ProgramOnDriver, DrawsThePictureOfTheReadme) {
  Shell("cd " ATSFUZZ_SOURCE_DIR " && " ATSFUZZ_PROGRAM
        " replay corpus/seeds/seed-attach.ats --format=mermaid");
  EXPECT_THAT(out_, HasSubstr("violation: belief-matches-device"));
  std::ifstream readme(ATSFUZZ_SOURCE_DIR "/README.md");
  std::stringstream text;
  text << readme.rdbuf();
  EXPECT_THAT(WithoutLineNumbers(text.str()),
              HasSubstr("```mermaid\n" + WithoutLineNumbers(out_) + "```\n"));
}

TEST_F(Formats, AReplayIsARunOfTestsInKtap) {
  Run("replay" + files_ + " --format=ktap");
  EXPECT_EQ(exit_status_, 3) << "one cannot be run";
  const json tap = Read("tap.mjs", out_);
  EXPECT_EQ(tap["errors"].size(), 0u) << tap;
  EXPECT_EQ(tap["planned"], 3);
  ASSERT_EQ(tap["results"].size(), 3u);
  EXPECT_EQ(tap["results"][0]["ok"], true);
  EXPECT_EQ(tap["results"][1]["ok"], false);
  EXPECT_EQ(tap["results"][1]["name"], "missed.ats");
  EXPECT_THAT(tap["results"][2]["skipped"].get<std::string>(),
              HasSubstr("model:6.12 runs functions of at most 2"));
}

// By the parser of the kernel's own kunit.py, which reads subtests, too.
TEST_F(Formats, TheKernelsParserTakesTheKtap) {
  const std::string kunit =
      linux_driver::CacheFolder() + "/debian/6.12/tools/testing/kunit";
  if (!fs::exists(kunit)) {
    GTEST_SKIP() << kunit << " is not there: the source of 6.12 was not "
                 << "fetched, or by an older atsfuzz";
  }
  Run("replay" + files_ + " --format=ktap");
  const json read =
      readers_.Ask("python3 -B " + std::string(report::Readers::kSources) +
                       "/kunit.py " + kunit,
                   out_);
  EXPECT_EQ(read["errors"], 0) << read;
  const json& cases = read["test"]["subtests"];
  ASSERT_EQ(cases.size(), 3u) << read;
  EXPECT_EQ(cases[0]["status"], "SUCCESS");
  EXPECT_EQ(cases[0]["subtests"].size(), 2u);
  EXPECT_EQ(cases[0]["subtests"][0]["name"],
            "expect violation belief-matches-device");
  EXPECT_EQ(cases[1]["name"], "missed.ats");
  EXPECT_EQ(cases[1]["status"], "FAILURE");
  EXPECT_EQ(cases[2]["status"], "SKIPPED");
}

TEST_F(Formats, AReplayIsARunOfTestsInJunit) {
  Run("replay" + files_ + " --format=junit --output=r.xml");
  EXPECT_EQ(exit_status_, 3);
  const auto answer = [&](const std::string& path) {
    readers_.Shell("xmllint --nonet --xpath '" + path + "' " + folder_ +
                   "/r.xml");
    return readers_.told();
  };
  EXPECT_EQ(answer("string(//testcase[1]/@name)"), std::string(kMet) + "\n");
  EXPECT_EQ(answer("count(//testcase[1]/*)"), "1\n") << "what it showed";
  EXPECT_EQ(answer("string(//testcase[2]/failure/@message)"),
            "expected no violation, found belief-matches-device, "
            "count-matches-devices\n");
  EXPECT_THAT(answer("string(//testcase[2]/failure)"),
              HasSubstr("attach v1 d0"));
  EXPECT_THAT(answer("string(//testcase[3]/skipped)"),
              HasSubstr("model:6.12 runs functions of at most 2"));
}

TEST_F(Formats, ViolationsAreResultsInSarif) {
  Run("replay" + files_ + " --format=sarif");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_EQ(Read("sarif.mjs", out_)["errors"].size(), 0u);
  const json run = json::parse(out_)["runs"][0];
  ASSERT_EQ(run["results"].size(), 4u);
  for (const json& result : run["results"]) {
    EXPECT_TRUE(result["ruleId"] == "belief-matches-device" ||
                result["ruleId"] == "count-matches-devices");
    EXPECT_EQ(
        run["tool"]["driver"]["rules"][result["ruleIndex"].get<int>()]["id"],
        result["ruleId"]);
    EXPECT_NE(result["locations"][0]["logicalLocations"][0]["name"], "");
  }
  const json& notices = run["invocations"][0]["toolExecutionNotifications"];
  ASSERT_EQ(notices.size(), 3u) << notices;
  EXPECT_EQ(notices[0]["level"], "error");
  EXPECT_EQ(notices[2]["level"], "warning");
}

TEST_F(Formats, EachFileIsAProcessOfTraceEvents) {
  Run("replay" + files_ + " --format=trace-event");
  EXPECT_EQ(exit_status_, 3);
  const json read = Read("perfetto.mjs", out_);
  EXPECT_EQ(read["errors"].size(), 0u) << read;
  std::set<std::string> processes;
  for (const json& slice : read["slices"]) processes.insert(slice["process"]);
  EXPECT_THAT(processes, testing::ElementsAre(kMet, "missed.ats"));
  EXPECT_EQ(read["instants"].size(), 4u) << "the violations";
}

TEST_F(Formats, FuzzLeavesADiagramAndATraceOfEachFinding) {
  Run("fuzz --driver=model:6.12 --seed=1 --runs=300 --format=sarif "
      "--output=all.sarif");
  ASSERT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("model:6.12 (6.12)  seed 1  2 workers"),
                          HasSubstr("replay   ./atsfuzz replay ")));
  const std::string sarif = Read("all.sarif");
  EXPECT_EQ(Read("sarif.mjs", sarif)["errors"].size(), 0u);
  std::string diagrams;
  std::vector<std::string> traces;
  const json results = json::parse(sarif)["runs"][0]["results"];
  ASSERT_GE(results.size(), 1u);
  for (const json& result : results) {
    const std::string place =
        "findings/" +
        result["partialFingerprints"]["atsfuzzSignature/v1"].get<std::string>();
    EXPECT_EQ(result["attachments"][0]["artifactLocation"]["uri"],
              place + "/scenario.ats");
    if (!diagrams.empty()) diagrams += '\0';
    diagrams += Read(place + "/sequence.mmd");
    traces.push_back(Read(place + "/trace.json"));
  }
  const json trace = Read("perfetto.mjs", traces.back());
  EXPECT_EQ(trace["errors"].size(), 0u) << trace;
  EXPECT_GT(trace["slices"].size(), 0u);
  const json understood = Read("mermaid.mjs", diagrams);
  EXPECT_EQ(understood.size(), results.size());
  for (const json& diagram : understood) {
    EXPECT_EQ(diagram["errors"].size(), 0u) << diagram;
  }
}

TEST_F(Formats, SweepTellsItsFindingsInSarif) {
  Run("sweep missed.ats --driver=model:7.2 --faults=enable-ats --keep-going "
      "--format=sarif");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_EQ(Read("sarif.mjs", out_)["errors"].size(), 0u);
  EXPECT_GE(json::parse(out_)["runs"][0]["results"].size(), 1u);
}

class FormatsOnDriver : public ProgramOnDriver {
 protected:
  // The file of a location in SARIF; empty if it has none.
  static std::string FileOf(const json& location) {
    return location.value(
        json::json_pointer("/physicalLocation/artifactLocation/uri"), "");
  }
  void SetUp() override {
    ProgramOnDriver::SetUp();
    const std::string missing = readers_.Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  json Read(const std::string& reader, const std::string& text) {
    return readers_.Read(reader, text);
  }

  report::Readers readers_;
  const std::string race_ =
      fs::current_path().string() + "/corpus/races/belief-after-enable.ats";
};

TEST_F(FormatsOnDriver, ThreadsHaveTracksAndArrowsInPerfetto) {
  Run("replay --format=trace-event " + race_);
  ASSERT_EQ(exit_status_, 0) << err_;
  const json read = Read("perfetto.mjs", out_);
  EXPECT_EQ(read["errors"].size(), 0u) << read;
  std::set<std::string> tracks;
  std::vector<std::string> names;  // by slice
  for (const json& slice : read["slices"]) {
    tracks.insert(slice["track"]);
    names.resize(slice["id"].get<size_t>() + 1);
    names.back() = slice["track"].get<std::string>() + ": " +
                   slice["name"].get<std::string>();
  }
  EXPECT_THAT(tracks, testing::ElementsAre("CPU", "CPU t0", "CPU t1", "SMMU s0",
                                           "d0", "p0"));
  std::set<std::string> arrows;
  for (const json& flow : read["flows"]) {
    arrows.insert(names.at(flow["slice_out"]) + " => " +
                  names.at(flow["slice_in"]));
  }
  // An SMMU's invalidation reaches a cache; a CPU goes on once it has it done.
  EXPECT_THAT(
      arrows,
      testing::Contains("SMMU s0: commands ATC_INV 0x100 all => p0: ATC_INV"));
  EXPECT_THAT(arrows,
              testing::Contains("CPU t1: waits => SMMU s0: commands SYNC"));
}

TEST_F(FormatsOnDriver, ResultsAreAtPlacesOfTheKernelsTree) {
  Run("replay --format=sarif " + fs::current_path().string() +
      "/corpus/seeds/seed-attach.ats");
  EXPECT_EQ(Read("sarif.mjs", out_)["errors"].size(), 0u);
  const json results = json::parse(out_)["runs"][0]["results"];
  ASSERT_GE(results.size(), 1u);
  const json& location = results[0]["locations"][0];
  EXPECT_EQ(FileOf(location), "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c");
  EXPECT_GT(location.value(
                json::json_pointer("/physicalLocation/region/startLine"), 0),
            1000);
  EXPECT_EQ(location["logicalLocations"][0]["name"], "arm_smmu_attach_commit");
}

// The kernel dies; where, its stack tells.
TEST_F(FormatsOnDriver, ACrashIsAResultToo) {
  Run("replay --format=sarif " + fs::current_path().string() +
      "/corpus/regressions/finalise-without-id.ats");
  EXPECT_EQ(Read("sarif.mjs", out_)["errors"].size(), 0u);
  bool found = false;
  const json results = json::parse(out_)["runs"][0]["results"];
  for (const json& result : results) {
    if (result["ruleId"] != "memory-safe") continue;
    for (const json& frame : result["stacks"][0]["frames"]) {
      const json& place = frame["location"];
      found |=
          place["logicalLocations"][0]["name"] == "arm_smmu_domain_finalise" &&
          FileOf(place) == "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";
    }
  }
  EXPECT_TRUE(found) << out_;
}

}  // namespace
}  // namespace atsfuzz::cli
