#include <nlohmann/json.hpp>
#include <vector>

#include "cli/program_test.h"

// The program as a user meets it: command lines, exit statuses, messages.

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSeed[] =
    "smmu   s0\n"
    "pf     p0  ats\n"
    "vf     v0  of=p0 smmu=s0 ats default=identity\n"
    "domain d0  smmu=s0 stage=1\n"
    "probe  v0\n"
    "attach v0 d0\n";

TEST_F(Program, WithoutArgumentsShowsItsCommandsAndFails) {
  Run("");
  EXPECT_EQ(exit_status_, 2);
  EXPECT_THAT(err_, HasSubstr("usage: atsfuzz COMMAND"));
}

TEST_F(Program, HelpIsNoFailure) {
  for (const std::string command :
       {"", "fuzz ", "sweep ", "replay ", "shrink ", "compare ", "drivers "}) {
    Run(command + "--help");
    EXPECT_EQ(exit_status_, 0) << command;
    EXPECT_THAT(out_, StartsWith("usage: atsfuzz ")) << command;
    if (!command.empty()) {
      EXPECT_THAT(out_,
                  HasSubstr("examples:\n  atsfuzz " + command.substr(0, 4)));
    }
  }
}

TEST_F(Program, NamesTheNearestCommandAndFlag) {
  Run("fzuz");
  ExpectRefused("unknown command fzuz; did you mean fuzz?");
  Run("fuzz --sedd=1");
  ExpectRefused("unknown flag --sedd; did you mean --seed?");
}

TEST_F(Program, SaysThatACommandIsPlanned) {
  Run("explore --driver=linux:6.12");
  ExpectRefused("unknown command explore: it is planned");
}

TEST_F(Program, SaysThatAKernelCannotBeFetched) {
  const std::string path = std::getenv("PATH");
  for (const std::string command : {"apt-get", "apt-cache"}) {
    Write(command, "#!/bin/sh\necho no network here >&2\nexit 100\n");
    fs::permissions(folder_ + "/" + command, fs::perms::owner_all);
  }
  Write("boot.ats", kSeed);
  setenv("ATSFUZZ_CACHE", (folder_ + "/cache").c_str(), 1);
  setenv("PATH", (folder_ + ":" + path).c_str(), 1);
  Run("replay boot.ats --driver=linux:7.2");
  setenv("PATH", path.c_str(), 1);
  unsetenv("ATSFUZZ_CACHE");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_THAT(err_, HasSubstr("no source of Linux 7.2: "));
  EXPECT_THAT(err_, HasSubstr("no network here"));
  EXPECT_THAT(err_, HasSubstr("Give a tree instead: --driver=linux:/path"));
  EXPECT_EQ(out_, "");
}

TEST_F(Program, RefusesDriversThatItDoesNotKnow) {
  Run("fuzz --driver=model:0.1");
  ExpectRefused("--driver=model:0.1: ");
  Run("fuzz --driver=windows");
  ExpectRefused("--driver=windows: unknown driver; expected linux:VERSION");
  Run("fuzz --driver=linux:0.99");
  ExpectRefused("0.99");
  Run("fuzz --driver=linux:/nonexistent/tree");
  ExpectRefused("/nonexistent/tree");
}

TEST_F(Program, RefusesToLookForDataRacesInAModel) {
  Run("fuzz --driver=model:7.3 --data-races");
  ExpectRefused("--data-races: the abstract machine has no plain accesses");
}

TEST_F(Program, RefusesWeakMemoryOfAModel) {
  Run("fuzz --driver=model:7.3 --weak-memory");
  ExpectRefused("--weak-memory: of the abstract machine it is a switch");
  Run("replay --driver=model:7.3 " + fs::current_path().string() +
      "/corpus/weak-memory/unmap-in-the-store-buffer.ats");
  EXPECT_EQ(exit_status_, 3) << out_ << err_;
  EXPECT_THAT(err_, HasSubstr("model:7.3 has no weak memory"));
}

TEST_F(Program, RefusesATreeWithoutTheDriver) {
  fs::create_directories(folder_ + "/tree");
  Write("tree/Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n");
  Run("fuzz --driver=linux:" + folder_ + "/tree");
  ExpectRefused("tree");
}

TEST_F(Program, RefusesOddNumbers) {
  Run("fuzz --threads=5");
  ExpectRefused("--threads=5: expected 1 to 4");
  Run("fuzz --strategy=luck");
  ExpectRefused("--strategy: found luck, expected mixed, random, pct, pos");
  Run("fuzz --depth=0");
  ExpectRefused("--depth=0: expected 1 to 8");
  Run("fuzz --seconds=soon");
  ExpectRefused("--seconds=soon: expected a whole number");
  Run("fuzz --jobs=0");
  ExpectRefused("--jobs=0: expected 1 to 256");
}

TEST_F(Program, RefusesFaultsThatDoNotExist) {
  Run("fuzz --faults=aloc");
  ExpectRefused("found `aloc`");
  EXPECT_THAT(
      err_, HasSubstr("found `aloc`, expected none, all or a list of alloc, "));
}

TEST_F(Program, RefusesAMalformedScenarioWithItsPlace) {
  Write("bad.ats", "smmu s0\nprobe v7\n");
  Run("replay bad.ats");
  ExpectRefused("bad.ats:2:");
  Run("shrink bad.ats");
  ExpectRefused("bad.ats:2:");
  Run("fuzz --topology=bad.ats");
  ExpectRefused("bad.ats:2:");
}

TEST_F(Program, RefusesAScenarioThatIsNotThere) {
  Run("replay missing.ats");
  ExpectRefused("missing.ats");
  Run("replay");
  ExpectRefused("replay needs a scenario's path");
}

TEST_F(Program, RefusesAnExpectationOfNoInvariant) {
  Write("odd.ats", std::string(kSeed) + "expect violation no-such-thing\n");
  Run("replay odd.ats");
  ExpectRefused("no-such-thing");
}

TEST_F(Program, RefusesAFindingsFolderBeforeItFuzzes) {
  Write("findings", "a file in the way");
  Run("fuzz");
  ExpectRefused("findings");
  Run("fuzz --findings=/proc/findings");
  ExpectRefused("/proc/findings");
}

TEST_F(Program, RefusesAPatchThatIsNotThere) {
  Run("fuzz --patch=missing.patch");
  ExpectRefused("--patch=missing.patch: cannot read this file");
  Run("fuzz --driver=model:6.12 --patch=missing.patch");
  ExpectRefused("a patch changes a kernel tree, model:6.12 has none");
}

TEST_F(Program, ListsDrivers) {
  Run("drivers");
  EXPECT_EQ(exit_status_, 0);
  EXPECT_THAT(out_, HasSubstr("linux:6.12"));
  EXPECT_THAT(out_, HasSubstr("model:6.12"));
  EXPECT_THAT(out_, HasSubstr("vf-stu-check"));
}

TEST_F(Program, RefusesADesignThatDoesNotExistWithThoseThatDo) {
  Run("fuzz --driver=model:0.1");
  ExpectRefused("no model is called '0.1'; there are 6.1, 6.12, 7.2, 7.3");
  Write("seed.ats", kSeed);
  Run("replay --driver=model:6.12,vf-stu-chek=on seed.ats");
  ExpectRefused("no switch is called 'vf-stu-chek'; there are attach, ");
  Run("shrink --driver=model:6.12,vf-stu-check=perhaps seed.ats");
  ExpectRefused("perhaps");
}

TEST_F(Program, FuzzFindsTheSeedsBugOnTheModelAsOnTheDriver) {
  Run("fuzz --driver=model:6.12 --seed=1 --runs=2000 --json --findings=found");
  ASSERT_EQ(exit_status_, 1) << err_;
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["driver"], "model:6.12");
  std::vector<std::string> scenarios;
  for (const auto& finding : json["findings"]) {
    if (finding["invariant"] != "belief-matches-device") continue;
    if (finding["assumes"] != "honest") continue;
    scenarios.push_back(Read(finding["scenario"].get<std::string>()));
  }
  // What `fuzz --driver=linux:6.12` shrinks to.
  EXPECT_THAT(scenarios, testing::Contains("smmu   s0\n"
                                           "pf     p0  ats\n"
                                           "vf     v1  of=p0 smmu=s0 ats\n"
                                           "\n"
                                           "probe v1\n"));
}

TEST_F(Program, FuzzCountsTheStepsOfAModelNotBranches) {
  Run("fuzz --driver=model:6.12 --seed=1 --runs=20 --keep-going");
  EXPECT_THAT(out_, HasSubstr("% of the model's steps covered"));
  EXPECT_THAT(out_, testing::Not(HasSubstr("branches")));
}

TEST_F(Program, ReplayRunsOnAModelWhatFitsAndTellsWhatDoesNot) {
  const std::string seeds = fs::current_path().string() + "/corpus/seeds/";
  Run("replay --driver=model:6.12 " + seeds + "stage1-to-stage2.ats");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("no violation  as expected"));
  Run("replay --driver=model:6.12 " + seeds + "block-mapping.ats");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_THAT(err_, HasSubstr("block-mapping.ats: operation 3, `map d0 0..511"
                              "`: model:6.12 runs pages 0 to 3"));
  Run("replay --driver=model:6.12 " + seeds + "several-streams.ats");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_THAT(err_, HasSubstr("model:6.12 runs functions of at most 2"));
}

TEST_F(Program, ReplayRunsTheOthersWhereOneDoesNotFit) {
  const std::string seeds = fs::current_path().string() + "/corpus/seeds/";
  Run("replay --driver=model:6.12 --json " + seeds + "several-streams.ats " +
      seeds + "stage1-to-stage2.ats");
  EXPECT_EQ(exit_status_, 3);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["runs"], 1);
  ASSERT_EQ(json["refused"].size(), 1u);
  EXPECT_EQ(json["refused"][0]["scenario"], seeds + "several-streams.ats");
  EXPECT_THAT(json["refused"][0]["message"].get<std::string>(),
              HasSubstr("model:6.12 runs functions of at most 2"));
}

TEST_F(Program, ShrinkOnAModelKeepsTheViolation) {
  Write("long.ats", std::string(kSeed) + "detach v0\nattach v0 d0\n" +
                        "expect violation belief-matches-device\n");
  Run("shrink --driver=model:6.12 long.ats --output=short.ats");
  EXPECT_EQ(exit_status_, 1) << err_;
  Run("replay --driver=model:6.12 short.ats --json");
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["operations"], 1);
  EXPECT_EQ(json["findings"][0]["invariant"], "belief-matches-device");
}

TEST_F(Program, ShrinkKeepsNoOtherViolationThanTheExpected) {
  Write("other.ats", std::string(kSeed) + "expect violation no-leak\n");
  Run("shrink --driver=model:6.12 other.ats --output=short.ats");
  ExpectRefused(
      "other.ats: on model:6.12 expects a violation of no-leak, but shows one "
      "of belief-matches-device");
  EXPECT_FALSE(fs::exists(folder_ + "/short.ats"));
  Write("clean.ats", "smmu s0\npf p0 smmu=s0\nprobe p0\n");
  Run("shrink --driver=model:6.12 clean.ats");
  ExpectRefused("clean.ats: on model:6.12 shows no violation");
}

TEST_F(ProgramOnDriver, RefusesAPatchThatDoesNotApply) {
  Write("odd.patch",
        "--- a/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c\n"
        "+++ b/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c\n"
        "@@ -1,3 +1,3 @@\n no such line\n-nor this\n+but this\n nor that\n");
  Run("fuzz --patch=odd.patch");
  ExpectRefused("odd.patch");
}

TEST_F(ProgramOnDriver, RefusesWhatTheKernelCouldNotDo) {
  Write("impossible.ats", "smmu s0\npf p0 smmu=s0\nprobe p0\nunclaim p0\n");
  Run("replay impossible.ats");
  ExpectRefused("impossible.ats: operation 2, `unclaim p0`");
}

TEST_F(ProgramOnDriver, FuzzFindsShrinksAndWritesTheSeedsBug) {
  Run("fuzz --seed=1 --json --findings=found");
  ASSERT_EQ(exit_status_, 1) << err_;
  const auto json = nlohmann::json::parse(out_);
  for (const char* key :
       {"driver", "seed", "runs", "operations", "seconds", "findings"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  bool found = false;
  for (const auto& finding : json["findings"]) {
    for (const char* key : {"invariant", "assumes", "signature", "operations",
                            "switches", "scenario", "known"}) {
      EXPECT_TRUE(finding.contains(key)) << key;
    }
    const std::string place =
        "found/" + finding["signature"].get<std::string>();
    EXPECT_EQ(finding["scenario"], place + "/scenario.ats");
    EXPECT_NE(Read(place + "/trace.txt"), "");
    EXPECT_NE(Read(place + "/finding.json"), "");
    if (finding["invariant"] != "belief-matches-device") continue;
    found = true;
    EXPECT_EQ(finding["assumes"], "honest");
    EXPECT_LE(finding["operations"], 2);
    Run("replay " + finding["scenario"].get<std::string>() + " --trace");
    EXPECT_EQ(exit_status_, 1);
    EXPECT_THAT(out_, HasSubstr("violation: belief-matches-device"));
    EXPECT_THAT(out_, HasSubstr("arm-smmu-v3.c:"));
  }
  EXPECT_TRUE(found);
}

TEST_F(ProgramOnDriver, TheSameSeedPrintsTheSameBytesButForTimes) {
  std::vector<nlohmann::ordered_json> outputs;
  for (const std::string jobs : {"1", "2"}) {
    Run("fuzz --seed=5 --runs=600 --keep-going --json --jobs=" + jobs);
    ASSERT_EQ(exit_status_, 1) << err_;
    outputs.push_back(nlohmann::ordered_json::parse(out_));
    outputs.back().erase("seconds");
  }
  EXPECT_EQ(outputs[0].dump(), outputs[1].dump());
}

TEST_F(ProgramOnDriver, ReplayFailsWhenAnExpectationIsMissed) {
  Write("met.ats",
        std::string(kSeed) + "expect violation belief-matches-device\n");
  Run("replay met.ats");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  Write("missed.ats", std::string(kSeed) + "expect none\n");
  Run("replay missed.ats");
  EXPECT_EQ(exit_status_, 1);
  EXPECT_THAT(out_, HasSubstr("expected no violation, found "
                              "belief-matches-device"));
}

TEST_F(ProgramOnDriver, ReplayShowsWhereTheDriverCrashes) {
  Run("replay --trace " + fs::current_path().string() +
      "/corpus/regressions/finalise-without-id.ats");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("memory-safe"));
  EXPECT_THAT(out_, HasSubstr("arm_smmu_domain_finalise"));
}

TEST_F(ProgramOnDriver, ReplayShowsBothPlacesOfADataRaceIfAskedTo) {
  const std::string file = fs::current_path().string() +
                           "/corpus/data-races/belief-without-once.ats";
  Run("replay --data-races " + file);
  EXPECT_EQ(exit_status_, 1) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("data-race-1d0962 (known)"));
  EXPECT_THAT(out_, HasSubstr("arm_smmu_atc_inv_domain arm-smmu-v3.c:"));
  EXPECT_THAT(out_, HasSubstr("arm_smmu_attach_commit arm-smmu-v3.c:"));
  Run("replay " + file);
  EXPECT_THAT(out_, HasSubstr("no violation"));
}

TEST_F(ProgramOnDriver, ReplayTellsWhichStoresAreHeldBackAndWhoLoadsEarly) {
  const std::string folder =
      fs::current_path().string() + "/corpus/weak-memory/";
  Run("replay --trace " + folder + "unmap-in-the-store-buffer.ats");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("stops; others do not see its last"));
  EXPECT_THAT(out_, HasSubstr("the first of them  "));
  Run("replay --trace " + folder + "counter-loaded-early.ats");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  EXPECT_THAT(out_, HasSubstr("loads early: 0x"));
}

TEST_F(ProgramOnDriver, KnownFindingsAreCountedAndFailNothing) {
  Run("fuzz --seed=5 --runs=300 --keep-going --json --findings=found");
  ASSERT_EQ(exit_status_, 1) << err_;
  std::string known;
  const auto found = nlohmann::json::parse(out_);
  for (const auto& finding : found["findings"]) {
    known += finding["signature"].get<std::string>() + "  understood\n";
  }
  ASSERT_NE(known, "");
  Write("known.txt", known);
  Run("fuzz --seed=5 --runs=300 --json --findings=again --known=known.txt");
  EXPECT_EQ(exit_status_, 0) << out_ << err_;
  const auto again = nlohmann::json::parse(out_);
  ASSERT_FALSE(again["findings"].empty());
  for (const auto& finding : again["findings"]) {
    EXPECT_TRUE(finding["known"].get<bool>()) << finding;
  }
}

TEST_F(ProgramOnDriver, ShrinkWritesASmallerScenarioOfTheSameViolation) {
  Write("long.ats", std::string(kSeed) + "detach v0\nattach v0 d0\n" +
                        "expect violation belief-matches-device\n");
  Run("shrink long.ats --output=short.ats");
  EXPECT_EQ(exit_status_, 1) << err_;
  Run("replay short.ats --json");
  const auto json = nlohmann::json::parse(out_);
  // A default domain of type DMA does what the attach did.
  EXPECT_EQ(json["operations"], 1);
  EXPECT_EQ(json["findings"][0]["invariant"], "belief-matches-device");
}

}  // namespace
}  // namespace atsfuzz::cli
