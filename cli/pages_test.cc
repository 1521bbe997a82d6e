#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/program_test.h"
#include "nightly/history.h"
#include "report/check/readers.h"
#include "report/check/sample.h"

// The pages of `atsfuzz report`, in a real browser.

namespace atsfuzz::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string TimelineOf(const std::vector<report::Row>& rows) {
  report::Json timeline = report::Json::array();
  for (const report::Row& row : rows) timeline.push_back(ToJson(row));
  return timeline.dump(-1, ' ', false, report::Json::error_handler_t::replace);
}

class Pages : public Program {
 protected:
  void SetUp() override {
    const std::string missing = readers_.Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    Shell("command -v chromium");
    if (exit_status_ != 0) {
      GTEST_SKIP() << "no chromium: apt-get install chromium";
    }
    fs::create_directories(folder_ + "/state");
    auto history = nightly::History::Open(folder_ + "/state/history.sqlite");
    ASSERT_TRUE(history.ok()) << history.status();
    MakeNights(**history);
    Run("report state --output=pages");
    ASSERT_EQ(exit_status_, 0) << err_;
  }

  static nightly::Found FoundOn(const std::string& driver,
                                const std::string& signature) {
    nightly::Found found;
    found.driver = driver;
    found.signature = signature;
    found.invariant = signature.substr(0, signature.size() - 7);
    found.assumes = "honest";
    found.operations = 3;
    found.switches = 2;
    found.message =
        "The ATC of p0 still translates 0x40000000 to 0x100000000: d0 does "
        "not map it there.";
    found.expected = "no such entry";
    found.found = "0x40000000 -> 0x100000000, 4096 bytes";
    found.function = "arm_smmu_attach_commit";
    found.scenario =
        "smmu   s0\npf     p0  smmu=s0 ats\ndomain d0  smmu=s0 stage=1\n\n"
        "probe p0\nmap d0 0\npar\n  thread\n    attach p0 d0\n  thread\n"
        "    unmap d0 0\nend\nschedule t0@79 s0 t1\n";
    found.timeline = TimelineOf(report::SampleRun());
    return found;
  }

  // A finding of every state, one of them with hostile text, on two drivers in
  // three nights.
  static void MakeNights(nightly::History& history) {
    const std::vector<std::string> drivers = {
        "linux:6.12", "linux:/home/somebody/src/linux+0001-a-patch.patch"};
    std::vector<nightly::Found> found;
    for (const std::string& driver : drivers) {
      for (const char* signature :
           {"no-stale-atc-b95593", "no-leak-222222",
            "failed-operation-changes-nothing-333333", "no-warning-444444"}) {
        // One of the other driver is enough.
        if (driver != drivers[0] && found.size() > 4) break;
        found.push_back(FoundOn(driver, signature));
      }
    }
    found[1].reason = "release leaves the stream, by design of the harness";
    found[1].assumes = "alloc,enable-ats";
    nightly::Found& hostile = found[2];
    hostile.message = hostile.expected = hostile.found = hostile.scenario =
        report::Hostile();
    hostile.timeline = TimelineOf(report::HostileRun());
    found[3].timeline.clear();
    for (int64_t night = 1; night <= 3; ++night) {
      ASSERT_TRUE(
          history.Begin(absl::StrCat("2026-01-0", night, " 01:00:00"), "")
              .ok());
      for (size_t i = 0; i < drivers.size(); ++i) {
        nightly::Slice slice;
        slice.night = night;
        slice.number = static_cast<int64_t>(i) + 1;
        slice.driver = drivers[i];
        slice.engine = "pct";
        slice.runs = 1000 * night;
        slice.operations = 700000 * night;
        std::vector<nightly::Found> now;
        for (const nightly::Found& each : found) {
          if (each.driver == drivers[i] && night == 1) now.push_back(each);
        }
        ASSERT_TRUE(history.Record(slice, now, {}).ok());
        ASSERT_TRUE(history
                        .Record({.night = night,
                                 .driver = drivers[i],
                                 .entries = 10,
                                 .bytes = 1000,
                                 .branches = 1000,
                                 .branches_covered = 500 + 30 * night})
                        .ok());
      }
      ASSERT_TRUE(history
                      .End(night, nightly::NightEnd::kDone,
                           absl::StrCat("2026-01-0", night, " 09:00:00"))
                      .ok());
      if (night == 1) continue;
      const auto known = history.Findings();
      ASSERT_TRUE(known.ok());
      std::vector<nightly::Replayed> replayed;
      for (const nightly::Finding& finding : *known) {
        const std::string& signature = finding.found.signature;
        const bool shows = signature != "no-leak-222222" || night == 3;
        replayed.push_back({finding.id,
                            shows && signature != "no-warning-444444",
                            finding.found.driver == drivers[0] &&
                                    signature == "no-warning-444444"
                                ? "no-warning-555555"
                                : ""});
      }
      ASSERT_TRUE(history.Record(night, replayed, {}).ok());
      ASSERT_TRUE(history
                      .Record({{.finding = known->front().id,
                                .driver = "linux:7.3",
                                .night = night},
                               {.finding = known->front().id,
                                .driver = "model:7.3",
                                .night = night,
                                .runs = false}})
                      .ok());
    }
  }

  // The pages, by their paths, index.html first.
  std::string All() const {
    std::string all = "index.html";
    const fs::path root = folder_ + "/pages";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const fs::path path = entry.path().lexically_relative(root);
      if (path.extension() == ".html" && path != "index.html") {
        absl::StrAppend(&all, " '", path.string(), "'");
      }
    }
    return all;
  }

  report::Readers readers_;
};

TEST_F(Pages, AreRightInAnyWidthAndColourByKeyboardAndForScreenReaders) {
  const json read =
      readers_.Read(absl::StrCat("pages.mjs ", folder_, "/pages ", All()), "");
  for (const json& problem : read["problems"]) ADD_FAILURE() << problem;
  // The index and five findings, in two widths and two schemes.
  EXPECT_EQ(read["looked"], 24);
  EXPECT_GE(read["usable"], 3) << "what Tab reached on the poorest page";
  EXPECT_GE(read["rules"], 15) << "of axe, that applied";
}

}  // namespace
}  // namespace atsfuzz::cli
