#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_format.h"
#include "cli/program_test.h"
#include "nightly/history.h"
#include "report/check/readers.h"

// Nights on the abstract machine, and what may happen to them.

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using nightly::NightEnd;
using testing::HasSubstr;

class Nightly : public Program {
 protected:
  Nightly() { WriteCampaign("state", "3"); }

  void WriteCampaign(const std::string& state, const std::string& seconds) {
    fs::create_directories(folder_ + "/" + state);
    Write(state + "/campaign.toml",
          "seconds = " + seconds +
              "\nslice-seconds = 2\n"
              "[[driver]]\nname = \"model:6.12\"\nengines = [\"mixed\"]\n");
  }

  std::unique_ptr<nightly::History> Open(const std::string& state) const {
    auto history =
        nightly::History::Open(folder_ + "/" + state + "/history.sqlite");
    EXPECT_TRUE(history.ok()) << history.status();
    return *std::move(history);
  }

  static std::vector<nightly::Finding> FindingsOf(nightly::History& history) {
    auto findings = history.Findings();
    EXPECT_TRUE(findings.ok()) << findings.status();
    return *std::move(findings);
  }
  // Of a night: its slices, numbered from 1 without a gap.
  static size_t SlicesOf(nightly::History& history, int64_t night) {
    const auto slices = history.Slices(night);
    EXPECT_TRUE(slices.ok()) << slices.status();
    for (size_t i = 0; i < slices->size(); ++i) {
      EXPECT_EQ(slices->at(i).number, static_cast<int64_t>(i) + 1);
      EXPECT_GT(slices->at(i).runs, 0);
    }
    return slices->size();
  }
};

TEST_F(Nightly, WritesWhatItDoesIfNobodyHas) {
  Run("nightly --state=fresh --seconds=0");
  ExpectRefused("--seconds=0");
  Run("nightly");
  ExpectRefused("nightly needs --state=DIR");
  Run("nightly --state=state --campaign=gone.toml");
  ExpectRefused("--campaign=gone.toml: there is no such file");
  Write("odd.toml", "[[driver]]\nname = 5\n");
  Run("nightly --state=state --campaign=odd.toml");
  ExpectRefused("odd.toml:2:8: name: expected a text in quotes");
}

TEST_F(Nightly, WhatIsNewOneNightIsKnownTheNext) {
  Run("nightly --state=state");
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(out_, HasSubstr("atsfuzz nightly 1: done"));
  EXPECT_THAT(out_, HasSubstr("\nnew: "));
  EXPECT_EQ(out_, Read("state/summary.txt"));
  auto history = Open("state");
  const auto first = history->Findings();
  ASSERT_GE(first->size(), 1u);
  const std::string scenario = "state/findings/model-6.12/" +
                               first->front().found.signature + "/scenario.ats";
  Run("replay --driver=model:6.12 " + scenario);
  EXPECT_EQ(exit_status_, 1);
  EXPECT_THAT(out_, HasSubstr(first->front().found.signature));

  // As the finding's own text says.
  std::string trace = Read("state/findings/model-6.12/" +
                           first->front().found.signature + "/trace.txt");
  trace.pop_back();  // the end of the last line
  const std::string replay = "\nreplay   ./atsfuzz ";
  ASSERT_THAT(trace, HasSubstr(replay));
  Run(trace.substr(trace.find(replay) + replay.size()));
  EXPECT_EQ(exit_status_, 1) << err_;
  EXPECT_THAT(out_, HasSubstr(first->front().found.signature));

  Run("nightly --state=state");
  EXPECT_THAT(out_, HasSubstr("atsfuzz nightly 2: done"));
  EXPECT_THAT(out_, HasSubstr("\nknown, and still there: "));
  for (const nightly::Finding& finding : FindingsOf(*history)) {
    const auto life = nightly::LifeOf(finding.judgements, 2);
    EXPECT_EQ(life.state, finding.judgements.front().night == 1
                              ? nightly::FindingState::kKnown
                              : nightly::FindingState::kNew)
        << finding.found.signature;
  }
}

TEST_F(Nightly, ItsReportHasAPageForEachFinding) {
  Run("report state --output=pages");
  ExpectRefused("state: no night has been here; `atsfuzz nightly --state=");
  Run("nightly --state=state");
  Run("report state --output=pages");
  EXPECT_EQ(exit_status_, 0) << err_;
  const std::string index = Read("pages/index.html");
  const auto findings = FindingsOf(*Open("state"));
  for (const nightly::Finding& finding : findings) {
    const std::string place = "findings/model-6.12/" + finding.found.signature;
    EXPECT_THAT(index, HasSubstr("<a href=\"" + place + ".html\">"));
    EXPECT_THAT(Read("pages/" + place + ".html"),
                HasSubstr("<tr class=\"bad\">"));
    // The state has them as files, too.
    const std::string diagram = Read("pages/" + place + ".mmd");
    EXPECT_THAT(diagram, testing::StartsWith("sequenceDiagram\n"));
    EXPECT_EQ(diagram, Read("state/" + place + "/sequence.mmd"));
    const std::string trace = Read("pages/" + place + ".json");
    EXPECT_THAT(trace, HasSubstr("\"traceEvents\""));
    EXPECT_EQ(trace, Read("state/" + place + "/trace.json"));
  }
  EXPECT_THAT(index, HasSubstr("<a href=\"findings.sarif\">"));
  const std::string sarif = Read("pages/findings.sarif");
  const nlohmann::json run = nlohmann::json::parse(sarif)["runs"][0];
  EXPECT_EQ(run["properties"]["driver"], "model:6.12");
  ASSERT_EQ(run["results"].size(), findings.size());
  for (const nlohmann::json& result : run["results"]) {
    EXPECT_EQ(result["baselineState"], "new");
    EXPECT_EQ(result["properties"]["firstNight"], 1);
    const std::string scenario =
        result["attachments"][0]["artifactLocation"]["uri"];
    EXPECT_THAT(scenario, testing::StartsWith("state/findings/model-6.12/"));
    EXPECT_NE(Read(scenario), "");
  }
  report::Readers readers;
  const std::string missing = readers.Missing();
  if (!missing.empty()) GTEST_SKIP() << missing;
  EXPECT_EQ(readers.Read("sarif.mjs", sarif)["errors"].size(), 0u);
}

// What became of a finding by the last night, in the words of SARIF.
TEST_F(Nightly, ItsSarifTellsWhatIsKnownAndWhatIsFixed) {
  {
    auto history = Open("state");
    nightly::Found kept, gone, moved;
    kept.driver = gone.driver = moved.driver = "linux:7.3";
    kept.invariant = gone.invariant = moved.invariant = "no-leak";
    kept.signature = "no-leak-1";
    kept.reason = "understood";
    kept.assumes = "alloc,enable-ats";
    gone.signature = "no-leak-2";
    moved.signature = "no-leak-3";
    nightly::Slice slice;
    slice.night = slice.number = 1;
    slice.driver = "linux:7.3";
    ASSERT_TRUE(history->Begin("", "").ok());
    ASSERT_TRUE(history->Record(slice, {kept, gone, moved}, {}).ok());
    ASSERT_TRUE(history->Begin("", "").ok());
    std::vector<nightly::Replayed> replayed;
    for (const nightly::Finding& finding : FindingsOf(*history)) {
      const std::string& signature = finding.found.signature;
      replayed.push_back({finding.id, signature == "no-leak-1",
                          signature == "no-leak-3" ? "no-leak-1" : ""});
    }
    ASSERT_TRUE(history->Record(2, replayed, {}).ok());
  }
  Run("report state --output=pages");
  ASSERT_EQ(exit_status_, 0) << err_;
  std::map<std::string, nlohmann::json> results;
  const nlohmann::json sarif =
      nlohmann::json::parse(Read("pages/findings.sarif"));
  for (const nlohmann::json& result : sarif["runs"][0]["results"]) {
    results[result["properties"]["signature"]] = result;
  }
  ASSERT_EQ(results.size(), 3u);
  const nlohmann::json& kept = results["no-leak-1"];
  EXPECT_EQ(kept["baselineState"], "unchanged");
  EXPECT_EQ(kept["suppressions"][0]["justification"], "understood");
  EXPECT_EQ(kept["properties"]["assumes"],
            nlohmann::json({"alloc", "enable-ats"}));
  EXPECT_EQ(results["no-leak-2"]["baselineState"], "absent");
  EXPECT_EQ(results["no-leak-3"]["baselineState"], "updated");
  EXPECT_EQ(results["no-leak-3"]["properties"]["instead"], "no-leak-1");
}

// A design without the bug takes the place of the one that has it.
TEST_F(Nightly, AFixedFindingIsToldAndOneThatMoved) {
  const std::string seed =
      "smmu   s0\npf     p0  ats\n"
      "vf     v0  of=p0 smmu=s0 ats default=identity\n"
      "domain d0  smmu=s0 stage=1\n\nprobe  v0\nattach v0 d0\n";
  {
    auto history = Open("state");
    ASSERT_TRUE(history->Begin("", "").ok());
    nightly::Slice slice;
    slice.night = slice.number = 1;
    slice.driver = "model:6.12";
    nightly::Found found;
    found.driver = "model:6.12";
    found.signature = "belief-matches-device-000000";
    found.invariant = "belief-matches-device";
    found.scenario = seed;
    nightly::Found clean = found;
    clean.signature = "no-leak-000000";
    clean.invariant = "no-leak";
    ASSERT_TRUE(history->Record(slice, {found, clean}, {}).ok());
  }
  Run("nightly --state=state --seconds=1");
  EXPECT_THAT(out_, HasSubstr("Night 1 was cut off"));
  EXPECT_THAT(out_, HasSubstr("fixed this night: 1\n"
                              "  model:6.12           no-leak-000000"));
  EXPECT_THAT(out_, HasSubstr("changed: the same invariant, another place: 1"));
  EXPECT_THAT(out_, HasSubstr("; now belief-matches-device-"));
  EXPECT_THAT(out_, HasSubstr("new: 1"));
}

TEST_F(Nightly, KilledAtAnyMomentItLosesNothingAndGoesOn) {
  WriteCampaign("state", "600");
  std::set<std::string> found;
  std::map<int64_t, size_t> slices;
  int nights_with_slices = 0;
  // Later and later, until two nights had recorded something.
  for (double seconds = 0.1; nights_with_slices < 2 && seconds < 100;
       seconds *= 1.6) {
    Shell(absl::StrFormat("timeout -s KILL %.1f %s nightly --state=state",
                          seconds, ATSFUZZ_PROGRAM));
    auto history = Open("state");
    const auto nights = history->Nights();
    ASSERT_TRUE(nights.ok()) << nights.status();
    nights_with_slices = 0;
    for (const nightly::Night& each : *nights) {
      const size_t now = SlicesOf(*history, each.number);
      const auto before = slices.find(each.number);
      if (before != slices.end() && each.number != nights->back().number) {
        EXPECT_EQ(each.end, NightEnd::kCutOff);
        // What the next night took in, once.
        EXPECT_LE(now, before->second + 1);
        EXPECT_GE(now, before->second);
      }
      slices[each.number] = now;
      nights_with_slices += now != 0;
    }
    std::set<std::string> now;
    for (const nightly::Finding& finding : FindingsOf(*history)) {
      now.insert(finding.found.signature);
    }
    EXPECT_TRUE(
        std::includes(now.begin(), now.end(), found.begin(), found.end()));
    found = now;
  }
  EXPECT_EQ(nights_with_slices, 2);
  EXPECT_FALSE(found.empty());
  Run("nightly --state=state --seconds=3");
  EXPECT_THAT(out_, HasSubstr(": done"));
  EXPECT_THAT(out_, HasSubstr(" was cut off; what it had recorded is kept."));
  EXPECT_EQ(Open("state")->Nights()->back().end, NightEnd::kDone);
}

TEST_F(Nightly, TakesInTheSliceThatItsPredecessorHadFinished) {
  fs::create_directories(folder_ + "/state/work/findings/no-leak-1");
  Write("state/work/findings/no-leak-1/scenario.ats", "smmu s0\n");
  Write(
      "state/work/slice.json",
      R"({"night": 1, "number": 4, "driver": "model:6.12", "engine": "pct"})");
  Write("state/work/output.json",
        R"({"version": "6.12", "runs": 7, "operations": 70, "findings": [)"
        R"({"signature": "no-leak-1", "invariant": "no-leak", "scenario": ")" +
            folder_ + R"(/state/work/findings/no-leak-1/scenario.ats"}]})");
  ASSERT_TRUE(Open("state")->Begin("", "").ok());
  Run("nightly --state=state --seconds=1");
  auto history = Open("state");
  ASSERT_EQ(history->Slices(1)->size(), 1u) << err_;
  EXPECT_EQ(history->Slices(1)->front().runs, 7);
  bool there = false;
  for (const nightly::Finding& finding : FindingsOf(*history)) {
    there |= finding.found.signature == "no-leak-1" &&
             finding.judgements.front().night == 1;
  }
  EXPECT_TRUE(there);
}

TEST_F(Nightly, OfTwoAtOnceOneIsTurnedAway) {
  Shell(std::string(ATSFUZZ_PROGRAM) +
        " nightly --state=state --seconds=8 >first 2>&1 & "
        "sleep 2; " +
        ATSFUZZ_PROGRAM +
        " nightly --state=state; second=$?; "
        "wait; exit $second");
  EXPECT_EQ(exit_status_, 3);
  EXPECT_THAT(err_, HasSubstr("another nightly, process "));
  EXPECT_THAT(err_, HasSubstr("is at work in state"));
  EXPECT_THAT(Read("first"), HasSubstr("atsfuzz nightly 1: done"));
  EXPECT_EQ(Open("state")->Nights()->size(), 1u);
}

TEST_F(Nightly, ACtrlCKeepsWhatWasFound) {
  // Without --foreground it interrupts twice, of which the second kills.
  Shell(std::string("timeout --foreground -s INT 6 ") + ATSFUZZ_PROGRAM +
        " nightly --state=state --seconds=60");
  EXPECT_THAT(out_, HasSubstr("atsfuzz nightly 1: stopped"));
  auto history = Open("state");
  EXPECT_EQ(history->Nights()->front().end, NightEnd::kStopped);
  EXPECT_GE(SlicesOf(*history, 1), 1u);
  EXPECT_FALSE(history->Findings()->empty());
}

TEST_F(Nightly, AClockThatJumpsChangesLabelsOnly) {
  Write("clock", "+20y\n");
  const std::string fake =
      "FAKETIME_TIMESTAMP_FILE=" + folder_ +
      "/clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 "
      "LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1) ";
  // It jumps back while the night goes on.
  WriteCampaign("state", "6");
  Shell("{ sleep 2; echo -30y > clock; } & " + fake + ATSFUZZ_PROGRAM +
        " nightly --state=state; wait");
  EXPECT_THAT(out_, HasSubstr("atsfuzz nightly 1: done, 204")) << err_;
  const std::string first = out_;
  Shell(fake + ATSFUZZ_PROGRAM + " nightly --state=state");
  EXPECT_THAT(out_, HasSubstr("atsfuzz nightly 2: done, 199")) << err_;
  EXPECT_THAT(out_, HasSubstr("\nknown, and still there: "));
  auto history = Open("state");
  EXPECT_GE(SlicesOf(*history, 1), 1u);
  EXPECT_GE(SlicesOf(*history, 2), 1u);
}

TEST_F(Nightly, AFullDiskEndsTheNightAndLosesNothing) {
  fs::create_directories(folder_ + "/disk");
  // Needs a mount of its own: root, or a kernel that lets users have one.
  Shell("unshare -m sh -c 'mount -t tmpfs -o size=64k none disk'");
  if (exit_status_ != 0) GTEST_SKIP() << "no mount of one's own here: " << err_;
  Write("night.sh",
        "mount -t tmpfs -o size=32m none disk\n"
        "cp state/campaign.toml disk\n" +
            std::string(ATSFUZZ_PROGRAM) +
            " nightly --state=disk >first.out 2>first.err; echo $? >first.rc\n"
            "cp disk/history.sqlite before.sqlite\n"
            "head -c 64m /dev/zero >disk/ballast 2>/dev/null\n" +
            ATSFUZZ_PROGRAM +
            " nightly --state=disk >full.out 2>full.err; echo $? >full.rc\n"
            "rm disk/ballast\n" +
            ATSFUZZ_PROGRAM +
            " nightly --state=disk >last.out 2>last.err; echo $? >last.rc\n"
            "mkdir -p after; cp disk/history.sqlite* after\n");
  Shell("unshare -m sh night.sh");
  EXPECT_THAT(Read("first.out"), HasSubstr("atsfuzz nightly 1: done"))
      << Read("first.err");
  EXPECT_EQ(Read("full.rc"), "3\n");
  EXPECT_THAT(Read("full.err"),
              testing::AnyOf(HasSubstr("full"), HasSubstr("No space left")));
  EXPECT_THAT(Read("last.out"), HasSubstr(": done")) << Read("last.err");
  EXPECT_THAT(Read("last.out"), HasSubstr("\nknown, and still there: "));
  auto history = Open("after");
  EXPECT_GE(SlicesOf(*history, 1), 1u);
  EXPECT_EQ(history->Nights()->front().end, NightEnd::kDone);
}

TEST_F(Nightly, ADriverThatCannotBeHadIsToldAndTheOthersRun) {
  Write("state/campaign.toml",
        "seconds = 5\n[[driver]]\nname = \"linux:/nonexistent/tree\"\n"
        "[[driver]]\nname = \"model:7.3\"\nengines = [\"pct\", "
        "\"libfuzzer\"]\n");
  unsetenv("ATSFUZZ_LIBFUZZER_PROGRAM");
  Run("nightly --state=state");
  EXPECT_THAT(out_,
              HasSubstr("trouble: linux:/nonexistent/tree was not run: "));
  EXPECT_THAT(out_, HasSubstr("trouble: libfuzzer was not run"));
  EXPECT_THAT(out_, HasSubstr("model:7.3"));
  EXPECT_NE(exit_status_, 0);
}

TEST_F(Nightly, NoTwoMachinesSearchWithTheSameSeeds) {
  std::set<int64_t> seeds;
  for (const std::string machine : {"0", "1", "20"}) {
    const std::string state = "state" + machine;
    WriteCampaign(state, "2");
    Write(state + "/campaign.toml",
          "machine = " + machine + "\n" + Read(state + "/campaign.toml"));
    Run("nightly --state=" + state);
    ASSERT_EQ(SlicesOf(*Open(state), 1), 1u) << err_;
    seeds.insert(Open(state)->Slices(1)->front().seed % 2000000000);
  }
  EXPECT_EQ(seeds.size(), 3u);
}

TEST_F(Nightly, TakesInWhatOtherEnginesLeft) {
  Run("nightly --state=state");
  // The corpus as AFL++ would have it, for a state of its own.
  WriteCampaign("other", "3");
  fs::create_directories(folder_ + "/afl/main/queue");
  Write("afl/main/fuzzer_stats", "x");
  Write("afl/main/queue/id:000000", std::string(200, 'a'));
  Write("afl/main/queue/id:000001", std::string(300, 'b'));
  Write("other/campaign.toml",
        Read("other/campaign.toml") + "take-in = [\"../afl\"]\n");
  Run("nightly --state=other");
  auto history = Open("other");
  const auto slices = history->Slices(1);
  ASSERT_GE(slices->size(), 2u) << err_ << out_;
  EXPECT_EQ(slices->front().engine, "taken-in");
  EXPECT_EQ(slices->front().runs, 2);
}

}  // namespace
}  // namespace atsfuzz::cli
