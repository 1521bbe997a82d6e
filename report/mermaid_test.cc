#include "report/mermaid.h"

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "report/check/readers.h"
#include "report/check/sample.h"
#include "report/printable.h"

namespace atsfuzz::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Mermaid, ShowsWhoDidWhatToWhom) {
  EXPECT_EQ(
      MermaidOf(SampleRun(), "no-stale-atc-123456"),
      "sequenceDiagram\n"
      "  title no-stale-atc-123456\n"
      "  participant cpu as CPU\n"
      "  participant t0 as CPU t0\n"
      "  participant t1 as CPU t1\n"
      "  participant s0 as SMMU s0\n"
      "  participant p0 as p0\n"
      "  participant x5 as p0's default domain\n"
      "  cpu->>cpu: probe p0<br/>returns 0\n"
      "  Note over cpu: kernel: p0: hello<br/>"
      "arm_smmu_attach_commit arm-smmu-v3.c:2801\n"
      "  cpu->>s0: commands ATC_INV 0x100 all, SYNC\n"
      "  s0-)p0: ATC_INV\n"
      "  Note over p0: p0 function's ATS: off \u2192 on<br/>"
      "arm_smmu_attach_commit arm-smmu-v3.c:2801\n"
      "  Note over x5: p0's default domain: none \u2192 allocated\n"
      "  Note over t0,t1: side by side\n"
      "  activate t0\n"
      "  t0->>t0: attach p0 d0\n"
      "  t0-->>t1: stops<br/>arm_smmu_attach_commit arm-smmu-v3.c:2801\n"
      "  deactivate t0\n"
      "  activate t1\n"
      "  t1->>t1: unmap d0 0\n"
      "  s0->>s0: commands TLBI_NH_ALL, SYNC\n"
      "  Note over t1: kernel: done\n"
      "  Note over t1: unmap d0 0 returns 0\n"
      "  deactivate t1\n"
      "  activate t0\n"
      "  Note over t0: WARN: odd\n"
      "  Note over t0: attach p0 d0 returns -ENOMEM\n"
      "  deactivate t0\n"
      "  Note over t0,t1: the block ends\n"
      "  rect rgba(255, 80, 80, 0.3)\n"
      "  Note over cpu,x5: violation: no-stale-atc<br/>The ATC of p0 still "
      "translates.<br/>expected: no such entry<br/>found: 0x40000000<br/>"
      "__arm_smmu_atc_inv arm-smmu-v3.c:2300\n"
      "  end\n");
}

// Lines as long as these fill a diagram soon.
std::vector<Row> LongRun() {
  std::vector<Row> rows;
  for (int i = 0; i < 200; ++i) {
    const std::vector<Row> sample = i % 2 == 0 ? SampleRun() : HostileRun();
    rows.insert(rows.end(), sample.begin(), sample.end());
  }
  return rows;
}

TEST(Mermaid, OfALongRunKeepsTheEndAndSaysWhatIsLeftOut) {
  const std::string text = MermaidOf(LongRun(), "long");
  EXPECT_LT(text.size(), kMostMermaidBytes + 1000);
  EXPECT_GT(text.size(), kMostMermaidBytes / 2);
  EXPECT_THAT(text, HasSubstr("rows are left out here"));
  EXPECT_THAT(text.substr(text.size() - 100), HasSubstr("  end\n"));
  EXPECT_THAT(MermaidOf(SampleRun(), ""), Not(HasSubstr("left out")));
}

class MermaidReaders : public ReadersTest {
 protected:
  // What Mermaid understands of each of them.
  nlohmann::json Understood(const std::vector<std::string>& diagrams) {
    const auto read = Read("mermaid.mjs",
                           absl::StrJoin(diagrams, absl::string_view("\0", 1)));
    EXPECT_EQ(read.size(), diagrams.size());
    for (size_t i = 0; i < diagrams.size(); ++i) {
      EXPECT_EQ(read[i]["errors"].size(), 0u) << read[i] << diagrams[i];
    }
    return read;
  }
};

TEST_F(MermaidReaders, MermaidTakesThem) {
  const auto read =
      Understood({MermaidOf(SampleRun(), "x"), MermaidOf(SampleRun(), ""),
                  MermaidOf(HostileRun(), Hostile()), MermaidOf({}, "nothing"),
                  MermaidOf(LongRun(), "long")});
  std::vector<std::string> participants;
  for (const auto& each : read[0]["participants"]) {
    participants.push_back(each["text"]);
  }
  EXPECT_THAT(participants,
              testing::ElementsAre("CPU", "CPU t0", "CPU t1", "SMMU s0", "p0",
                                   "p0's default domain"));
}

TEST_F(MermaidReaders, ShowsEachTextAsItIs) {
  const std::string text = Shortened(OneLine(Hostile()), 300);
  const auto read =
      Understood({"sequenceDiagram\n  title " + MermaidText(text) +
                  "\n  participant a as " + MermaidText(text) +
                  "\n  a->>a: " + MermaidText(text) +
                  "\n  Note over a: " + MermaidText(text) + "\n"})[0];
  ASSERT_EQ(read["errors"].size(), 0u);
  EXPECT_EQ(read["title"], text);
  EXPECT_EQ(read["participants"][0]["text"], text);
  ASSERT_EQ(read["messages"].size(), 2u);
  EXPECT_EQ(read["messages"][0]["text"], text);
  EXPECT_EQ(read["messages"][1]["text"], text);
}

}  // namespace
}  // namespace atsfuzz::report
