#include "report/trace_event.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "report/check/readers.h"
#include "report/check/sample.h"

namespace atsfuzz::report {
namespace {

std::string TraceOf(const std::vector<Row>& rows, const std::string& name) {
  return TraceOf(rows, name, "linux:6.12 (6.12.117)");
}

// What Perfetto makes of a trace.
class TraceEventReaders : public ReadersTest {
 protected:
  void Understand(const std::string& trace) {
    read_ = Read("perfetto.mjs", trace);
    ASSERT_EQ(read_["errors"].size(), 0u) << read_["errors"] << trace;
  }
  // "track from+length name", in order of time.
  std::vector<std::string> Slices() {
    std::vector<std::pair<int, std::string>> slices;
    for (const auto& slice : read_["slices"]) {
      slices.emplace_back(slice["ts"], TextOf(slice));
    }
    std::stable_sort(
        slices.begin(), slices.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    for (const auto& [ts, text] : slices) texts.push_back(text);
    return texts;
  }
  // "slice => slice".
  std::vector<std::string> Arrows() {
    std::map<int, std::string> slices;
    for (const auto& slice : read_["slices"]) {
      slices[slice["id"]] = TextOf(slice);
    }
    std::vector<std::string> arrows;
    for (const auto& flow : read_["flows"]) {
      arrows.push_back(slices[flow["slice_out"]] + " => " +
                       slices[flow["slice_in"]]);
    }
    return arrows;
  }
  static std::string TextOf(const nlohmann::json& slice) {
    return absl::StrFormat("%s %d+%d %s", slice["track"].get<std::string>(),
                           slice["ts"].get<int>(), slice["dur"].get<int>(),
                           slice["name"].get<std::string>());
  }

  nlohmann::json read_;
};

TEST_F(TraceEventReaders, PerfettoShowsATrackForEachLane) {
  Understand(TraceOf(SampleRun(), "no-stale-atc-123456"));
  EXPECT_THAT(
      Slices(),
      testing::ElementsAre(
          "CPU 0+7 probe p0", "CPU 1+1 kernel: p0: hello", "CPU 2+1 hands over",
          "SMMU s0 3+1 commands ATC_INV 0x100 all, SYNC", "p0 4+1 ATC_INV",
          "p0 5+1 p0 function's ATS",
          "p0's default domain 6+1 p0's default domain",
          // The operations of the block begin and end where they did.
          "CPU t0 7+7 attach p0 d0", "CPU t0 8+1 stops",
          "CPU t1 9+4 unmap d0 0", "CPU t1 10+0 switch from t0",
          "CPU t1 10+1 waits", "SMMU s0 11+0 switch from t1",
          "SMMU s0 11+1 commands TLBI_NH_ALL, SYNC",
          "CPU t1 12+0 switch from s0", "CPU t1 12+1 kernel: done",
          "CPU t0 13+0 switch from t1", "CPU t0 13+1 WARN: odd"));
  ASSERT_EQ(read_["instants"].size(), 1u);
  EXPECT_EQ(read_["instants"][0]["name"], "violation: no-stale-atc");
  EXPECT_EQ(read_["instants"][0]["ts"], 14);
  EXPECT_EQ(read_["instants"][0]["process"], "no-stale-atc-123456");
}

TEST_F(TraceEventReaders, PerfettoShowsWhatHappenedBeforeWhat) {
  Understand(TraceOf(SampleRun(), "x"));
  EXPECT_THAT(
      Arrows(),
      testing::UnorderedElementsAre(
          "CPU 2+1 hands over => SMMU s0 3+1 commands ATC_INV 0x100 all, SYNC",
          "SMMU s0 3+1 commands ATC_INV 0x100 all, SYNC => p0 4+1 ATC_INV",
          // t1 waits for the SMMU.
          "CPU t1 10+1 waits => SMMU s0 11+1 commands TLBI_NH_ALL, SYNC",
          "SMMU s0 11+1 commands TLBI_NH_ALL, SYNC => CPU t1 12+1 kernel: done",
          // t0 stands from its stop until it goes on.
          "CPU t0 8+1 stops => CPU t1 10+1 waits",
          "CPU t1 10+1 waits => SMMU s0 11+1 commands TLBI_NH_ALL, SYNC",
          "SMMU s0 11+1 commands TLBI_NH_ALL, SYNC => CPU t1 12+1 kernel: done",
          "CPU t1 12+1 kernel: done => CPU t0 13+1 WARN: odd"));
}

TEST_F(TraceEventReaders, PerfettoShowsWhere) {
  Understand(TraceOf(SampleRun(), "x"));
  std::vector<std::string> values;
  for (const auto& arg : read_["args"]) values.push_back(arg["value"]);
  EXPECT_THAT(values,
              testing::Contains("arm_smmu_attach_commit  arm-smmu-v3.c:2801"));
  EXPECT_THAT(values, testing::Contains("-ENOMEM"));
}

TEST_F(TraceEventReaders, PerfettoTakesAnyText) {
  Understand(TraceOf(HostileRun(), Hostile()));
  EXPECT_EQ(read_["slices"].size(), 18u);
}

TEST_F(TraceEventReaders, EachRunIsAProcess) {
  const std::vector<Row> rows = SampleRun();
  const std::vector<NamedRun> runs = {
      {"a.ats", rows}, {"b.ats", {}}, {"c.ats", rows}};
  Understand(Dump(TraceEventsOf(runs, "model:7.3")));
  std::map<std::string, int> slices;
  for (const auto& slice : read_["slices"]) ++slices[slice["process"]];
  EXPECT_THAT(slices, testing::ElementsAre(testing::Pair("a.ats", 18),
                                           testing::Pair("c.ats", 18)));
  EXPECT_EQ(read_["flows"].size(), 16u);
}

// Those of old findings do not say when a block's operations began.
TEST_F(TraceEventReaders, OperationsWithoutTimesLastAsLongAsTheirBlock) {
  std::vector<Row> rows = SampleRun();
  for (Row& row : rows) row.began = row.ended = -1;
  Understand(TraceOf(rows, "x"));
  EXPECT_THAT(Slices(), testing::Contains("CPU t0 8+6 attach p0 d0"));
  EXPECT_THAT(Slices(), testing::Contains("CPU t1 7+7 unmap d0 0"));
}

TEST(TraceEvent, SaysWhereItComesFrom) {
  const Json trace = TraceEventsOf({}, "linux:6.12 (6.12.117)");
  EXPECT_EQ(trace["traceEvents"].size(), 0u);
  EXPECT_EQ(trace["otherData"]["driver"], "linux:6.12 (6.12.117)");
}

}  // namespace
}  // namespace atsfuzz::report
