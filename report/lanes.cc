#include "report/lanes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::report {
namespace {

// "t0": a letter and a number.
bool IsNumbered(absl::string_view lane, absl::string_view letters) {
  return lane.size() > 1 && absl::StrContains(letters, lane[0]) &&
         lane.find_first_not_of("0123456789", 1) == absl::string_view::npos;
}

}  // namespace

LaneKind LaneKindOf(absl::string_view lane) {
  if (lane == "cpu") return LaneKind::kCpu;
  if (lane == "rcu") return LaneKind::kRcu;
  if (IsNumbered(lane, "t")) return LaneKind::kThread;
  if (IsNumbered(lane, "s")) return LaneKind::kSmmu;
  if (IsNumbered(lane, "pvf")) return LaneKind::kFunction;
  return LaneKind::kDomain;
}

std::string LaneTitle(const std::string& lane) {
  switch (LaneKindOf(lane)) {
    case LaneKind::kCpu:
      return "CPU";
    case LaneKind::kThread:
      return "CPU " + lane;
    case LaneKind::kSmmu:
      return "SMMU " + lane;
    case LaneKind::kRcu:
      return "RCU";
    default:
      return lane;
  }
}

std::vector<std::string> LanesOf(std::span<const Row> rows) {
  std::vector<std::string> lanes;
  for (const Row& row : rows) {
    if (!row.lane.empty()) lanes.push_back(row.lane);
  }
  std::sort(lanes.begin(), lanes.end(),
            [](const std::string& a, const std::string& b) {
              return std::pair(LaneKindOf(a), a) < std::pair(LaneKindOf(b), b);
            });
  lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
  return lanes;
}

bool IsPreempted(const Row& row) {
  return row.kind == RowKind::kStop && absl::StartsWith(row.text, "stops");
}

}  // namespace atsfuzz::report
