#ifndef ATSFUZZ_REPORT_CHECK_SAMPLE_H_
#define ATSFUZZ_REPORT_CHECK_SAMPLE_H_

#include <string>
#include <vector>

#include "report/timeline.h"

// For tests of formats: a run that has something of everything, and text that
// nobody would log in earnest.
namespace atsfuzz::report {

// Every character that means something in one of the formats, and bytes that
// are no text at all.
inline const std::string& Hostile() {
  static const auto& text = *new std::string(
      "a --> b ->> c; #35; # SKIP x \"q\" 'r' <b>&amp;</b> <![CDATA[ ]]> %% "
      "%%{init}%% {y} $$z$$ `w` \\n @{ wrap: style x:#1; classDef a:#2; end\r\n"
      "not ok 1 - \t\x01\x1b[31m\x7f \xff\xfe \xe2\x80\xa8 \xef\xbf\xbf "
      "\xc3\xa9 \xf0\x9f\x90\x9b : --x");
  return text;
}

inline std::vector<Row> SampleRun() {
  const model::Location attach = {
      "arm_smmu_attach_commit", "arm-smmu-v3.c", 2801,
      "arm_smmu_enable_ats(master);",
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c"};
  return {{.kind = RowKind::kOperation,
           .lane = "cpu",
           .text = "probe p0",
           .result = "0"},
          {.kind = RowKind::kEvent,
           .lane = "cpu",
           .text = "kernel: p0: hello",
           .where = {attach}},
          {.kind = RowKind::kEvent,
           .lane = "s0",
           .text = "commands ATC_INV 0x100 all, SYNC",
           .reached = {"p0"}},
          {.kind = RowKind::kChange,
           .lane = "p0",
           .text = "p0 function's ATS",
           .before = "off",
           .after = "on",
           .where = {attach}},
          {.kind = RowKind::kChange,
           .lane = "p0's default domain",
           .text = "p0's default domain",
           .before = "none",
           .after = "allocated"},
          {.kind = RowKind::kParBegin, .text = "par"},
          // In the order in which they returned.
          {.kind = RowKind::kOperation,
           .lane = "t1",
           .text = "unmap d0 0",
           .result = "0",
           .began = 1,
           .ended = 4},
          {.kind = RowKind::kOperation,
           .lane = "t0",
           .text = "attach p0 d0",
           .result = "-ENOMEM",
           .began = 0,
           .ended = 5},
          {.kind = RowKind::kStop,
           .lane = "t0",
           .text = "stops",
           .where = {attach}},
          {.kind = RowKind::kStop, .lane = "t1", .text = "waits"},
          {.kind = RowKind::kEvent,
           .lane = "s0",
           .text = "commands TLBI_NH_ALL, SYNC"},
          {.kind = RowKind::kEvent, .lane = "t1", .text = "kernel: done"},
          {.kind = RowKind::kEvent, .lane = "t0", .text = "WARN: odd"},
          {.kind = RowKind::kParEnd, .text = "end"},
          {.kind = RowKind::kViolation,
           .text = "The ATC of p0 still translates.",
           .before = "no such entry",
           .after = "0x40000000",
           .invariant = "no-stale-atc",
           .where = {{"__arm_smmu_atc_inv", "arm-smmu-v3.c", 2300, "",
                      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c"},
                     attach}}};
}

// The same with hostile text wherever a text may stand.
inline std::vector<Row> HostileRun() {
  std::vector<Row> rows = SampleRun();
  for (Row& row : rows) {
    row.text = row.before = row.after = Hostile();
    if (!row.result.empty()) row.result = Hostile();
    for (model::Location& place : row.where) {
      place.function = place.file = place.text = place.path = Hostile();
    }
  }
  return rows;
}

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_CHECK_SAMPLE_H_
